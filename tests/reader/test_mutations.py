"""Does any damage to the bytes end in rows and refusals that account for every record, the same every time?"""

import gzip
import json
import time
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conf.settings import Input
from tests.formats.records import RECORDS
from tests.museum import build
from tests.reader.reading import Reading, read, survey_and_read

LINES = [json.dumps(record, ensure_ascii=n % 2 == 0).encode() for n, record in enumerate(RECORDS.values())]


def mutated(line: bytes, other: bytes, rng: Random) -> bytes:
    """One to four flips, insertions, deletions, cuts or splices; never a line feed."""
    data = bytearray(line)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at:at] = rng.choice([b"\x00", b"\r", b'"', b"\\", b"{", b"]", b",", b"\xff", b"\\ud800", b"1" * 30])
        elif kind == 2:
            del data[at : at + rng.randint(1, 9)]
        elif kind == 3:
            del data[at:]
        else:
            data[at:] = other[rng.randrange(len(other)) :]
    return bytes(data).replace(b"\n", b"")


def accounted(found: Reading, count: int) -> bool:
    return found.failed == [] and found.is_whole() and found.seen[0]["records"] == count


@pytest.mark.parametrize("seed", range(3))
def test_a_thousand_mutated_lines_are_all_accounted_for_three_times_alike(tmp_path: Path, seed: int):
    rng = Random(seed)
    lines = [mutated(rng.choice(LINES), rng.choice(LINES), rng) for _ in range(1000)]
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join(lines))
    start = time.process_time()
    runs = [read(path, Input(format=name)) for name in ("messages", "messages", "messages", "sharegpt", "lmsys")]
    assert time.process_time() - start < 20
    count = sum(bool(line.strip()) for line in lines)
    assert all(accounted(run, count) for run in runs) and runs[0] == runs[1] == runs[2]
    parts = survey_and_read(path, Input(format="messages", split_bytes=1000))
    assert [r["digest"] for r in parts.refused] == [r["digest"] for r in runs[0].refused]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32), name=st.sampled_from(["a.jsonl", "a.json", "array.json", "a.csv", "a.parquet", "a.zip"])
)
def test_no_bytes_end_in_an_exception(tmp_path: Path, seed: int, name: str):
    rng = Random(seed)
    line, other = rng.choice(LINES), rng.choice(LINES)
    data = {
        "a.csv": b'prompt,response\nHi,"Hel\nlo"\n',
        "a.parquet": PARQUET,
        "a.zip": ZIP,
        "array.json": b"[" + line + b",\n" + line + b"]",
    }.get(name, line + b"\n" + line)
    path = tmp_path / name
    path.write_bytes(mutated(data, data if name in ("a.parquet", "a.zip") else other, rng))
    found = read(path)
    assert found.seen or found.failed
    assert found.failed or found.is_whole()


PARQUET = build.parquet(3)
ZIP = build.zipped({"a.jsonl": b"\n".join(LINES), "b.jsonl.gz": gzip.compress(LINES[0], mtime=0)})
