"""Is the truth true? Copies are as near as it says, faults are where it says, and a strict reader refuses the rest."""

import gzip
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from conf.settings import Input
from jobs.reader.read import Split, read_split
from jobs.sample.faults import SHARES
from jobs.sample.parts import FILES, PARQUET, TRUNCATED
from jobs.sample.similarity import jaccard
from jobs.sample.twins import EDITS, FAR, NEAR
from tests.sample.conftest import CONVERSATIONS

Messages = list[tuple[str, str]]


@pytest.fixture(scope="module")
def chats(sample: Path) -> dict[str, Messages]:
    """Messages of every conversation with an id, read back from the files."""
    found = {
        row["conversation_id"]: [(message["role"], message["content"]) for message in row["conversation"]]
        for file in PARQUET
        for row in pq.read_table(sample / file).to_pylist()
    }
    return found | _from_sharegpt(sample) | _from_messages(sample)


def _from_sharegpt(sample: Path) -> dict[str, Messages]:
    records = (_loads(line) for line in (sample / FILES["sharegpt"]).read_bytes().split(b"\n")[1:-2])
    return {
        record["id"]: [(turn["from"], turn["value"]) for turn in record["conversations"]]
        for record in records
        if record and isinstance(record["conversations"], list)
    }


def _from_messages(sample: Path) -> dict[str, Messages]:
    records = (_loads(line) for line in gzip.decompress((sample / FILES["messages"]).read_bytes()).split(b"\n"))
    return {
        record["id"]: [(message["role"], message["content"]) for message in record["messages"]]
        for record in records
        if record and isinstance(record["messages"], list)
    }


def _loads(line: bytes) -> dict[str, Any] | None:
    try:
        return json.loads(line.rstrip(b","))
    except ValueError:
        return None


def _planted(sample: Path) -> list[dict[str, Any]]:
    return pq.read_table(sample / "_truth/planted.parquet").to_pylist()


def _faults(sample: Path) -> list[dict[str, Any]]:
    return pq.read_table(sample / "_truth/faults.parquet").to_pylist()


def test_every_planted_similarity_is_the_one_of_the_files(sample: Path, chats: dict[str, Messages]):
    for row in _planted(sample):
        copy, source = ("\n".join(text for _, text in chats[row[key]]) for key in ("conversation_id", "source_id"))
        assert jaccard(copy, source) == row["jaccard"]


def test_copies_are_near_and_decoys_are_far(sample: Path):
    for row in _planted(sample):
        low, high = FAR if row["kind"] == "decoy" else NEAR
        assert low <= row["jaccard"] <= high
        assert row["conversation_id"] != row["source_id"]


def test_every_kind_of_copy_is_planted(sample: Path):
    assert {row["kind"] for row in _planted(sample)} == {"decoy", *(edit.__name__ for edit in EDITS)}


def test_exact_copies_are_equal(sample: Path, chats: dict[str, Messages]):
    exact = [row for row in _planted(sample) if row["kind"] == "exact_copy"]
    assert exact
    assert all(chats[row["conversation_id"]] == chats[row["source_id"]] for row in exact)


def test_every_fault_is_planted_as_often_as_its_share(sample: Path):
    found = [row["fault"] for row in _faults(sample)]
    for fault, share in SHARES.items():
        assert found.count(fault.__name__) == max(1, round(share * CONVERSATIONS))


@pytest.mark.parametrize(
    ("fault", "shows"),
    [
        ("blank_prompt", lambda messages: not messages[0][1].strip()),
        (
            "same_role_twice",
            lambda messages: any(a == b for (a, _), (b, _) in pairwise(messages)),
        ),
        ("ends_with_user", lambda messages: messages[-1][0] in ("user", "human")),
        ("newline_runs", lambda messages: "\n\n\n\n" in messages[-1][1]),
        ("literal_escape", lambda messages: any("\\u2019" in text for _, text in messages)),
        ("curly_quotes", lambda messages: any(quote in text for _, text in messages for quote in "\u2019\u201c")),
        ("mojibake", lambda messages: all(text.encode("cp1252").decode() for _, text in messages)),
        ("template_prompt", lambda messages: messages[0][1].startswith("Write an introduction of ")),
        ("contact_details", lambda m: any(s in text for _, text in m for s in ("@example.org", "-555-01", "192.0.2."))),
        ("emoji", lambda messages: any(ord(character) > 0x2700 for character in messages[-1][1])),
    ],
)
def test_a_fault_shows_in_its_conversation(sample: Path, chats: dict[str, Messages], fault: str, shows: Any):
    ids = [row["conversation_id"] for row in _faults(sample) if row["fault"] == fault and row["conversation_id"]]
    assert ids
    assert all(shows(chats[id]) for id in ids)


def test_a_strict_reader_refuses_the_broken_records_and_nothing_else(sample: Path):
    expected = {(row["file"], row["record"]): row["reason"] for row in _faults(sample) if row["reason"]}
    refused: dict[tuple[str, int | None], str] = {}
    rows = sum(pq.read_metadata(sample / file).num_rows for file in PARQUET)
    for file in (*FILES.values(), TRUNCATED):
        path = sample / file
        for batch in read_split(Split(str(path), "0" * 64, path.stat().st_size), Input()):
            for row in batch.to_pylist():
                if row["reason"]:
                    refused[file, row["record"]] = row["reason"]
                rows += row["conversation_id"] is not None
    assert refused == expected
    assert rows == CONVERSATIONS


def test_about_forty_records_and_one_file_are_broken(sample: Path):
    broken = [row for row in _faults(sample) if row["reason"]]
    assert len(broken) == 44
    assert [row["file"] for row in broken if row["record"] is None] == [TRUNCATED]


def test_the_broken_file_ends_in_the_middle(sample: Path):
    with pytest.raises(EOFError):
        gzip.decompress((sample / TRUNCATED).read_bytes())
