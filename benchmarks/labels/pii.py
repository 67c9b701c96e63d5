"""How right is each kind of PII, on made-up values and on every hit in real chats, and what does it cost?

    python -m benchmarks.labels pii

Prints precision and recall with counts per kind on ``pii_synthetic``, on the sample generator's planted contacts, and
precision on the labelled hits (``pii.jsonl``: file, record, kind, the n-th hit of the kind there, right or not; right
is what a reader calls a value of the kind, made-up examples included).
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.labels import corpus, devpack, pii_synthetic
from jobs.sample.conversations import SHARES, new_draw
from jobs.sample.grammar import fill
from udfs import pii

LABELS = Path(__file__).with_name("pii.jsonl")
ALL = tuple(kind.name for kind in pii.KINDS)


def main(data: Path, target: Path | None = None) -> None:
    """Measure and print. ``target``: a file for all hits as labels, true, to be corrected by reading."""
    _print_synthetic()
    _print_sample()
    _print_real(data, target)


def _print_synthetic() -> None:
    right, wrong, missed, groups = Counter[str](), Counter[str](), Counter[str](), Counter[tuple[str, bool]]()
    for case in [*pii_synthetic.cases(), *pii_synthetic.near_misses()]:
        found = {(one.kind.name, case.text[one.start : one.end]) for one in pii.find(case.text, ALL)}
        wanted = {(case.kind, case.value)} if case.value else set()
        right.update(kind for kind, _ in found & wanted)
        wrong.update(kind for kind, _ in found - wanted)
        missed.update(kind for kind, _ in wanted - found)
        groups[case.group, found == wanted] += 1
    print("made-up values            precision        recall")
    for kind in ALL:
        print(f"  {kind:22}{_share(right[kind], wrong[kind])}  {_share(right[kind], missed[kind])}")
    for group in dict.fromkeys(group for group, _ in groups):
        print(f"  as wanted: {group:20}{_share(groups[group, True], groups[group, False])}")


def _print_sample() -> None:
    rng, right, rest = Random(3), 0, 0
    for language, _ in SHARES.values():
        for sentence in language.contacts * 20:
            draw = new_draw(language, rng)
            planted = {
                "EMAIL": f"li_wen{int(rng.random() * 900)}@example.org",
                "PHONE": f"+1-{rng.choice(('202', '312', '415', '617'))}-555-01{int(rng.random() * 100):02d}",
                "IP": f"192.0.2.{1 + int(rng.random() * 254)}",
            }
            draw.bound.update(planted)
            text = fill(sentence, draw)
            wanted = {value for value in planted.values() if value in text}
            is_right = {text[one.start : one.end] for one in pii.find(text, ALL)} == wanted
            right, rest = right + is_right, rest + (not is_right)
    print(f"sample's contacts, sentences as wanted {_share(right, rest)}")


def _print_real(folder: Path, target: Path | None) -> None:
    labels = {(row["file"], row["id"], row["kind"], row["ordinal"]): row["true"] for row in _read_labels()}
    hits = [*_hits("corpus_10k", _corpus(folder / "corpus_10k" / "data")), *_devpack(devpack.folder(folder))]
    for kind in ALL:
        known = [labels.get(hit) for hit in hits if hit[2] == kind]
        unlabelled = f"  {known.count(None)} not labelled" if None in known else ""
        print(f"real hits: {kind:15}{_share(known.count(True), known.count(False))}{unlabelled}")
    if target:
        rows = [dict(zip(("file", "id", "kind", "ordinal"), hit, strict=True)) | {"true": True} for hit in hits]
        target.write_text("".join(json.dumps(row) + "\n" for row in rows))


def _read_labels() -> list[dict[str, Any]]:
    return [json.loads(line) for line in LABELS.read_text().splitlines()] if LABELS.exists() else []


def _corpus(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Conversations, and before them the cost of each kind in microseconds a message."""
    found = corpus.read(folder)
    texts, offsets = found.contents, found.offsets
    for name in [*ALL, "all"]:
        kinds = ALL if name == "all" else (name,)
        started = time.process_time()
        pii.mask(texts, offsets, kinds)
        print(f"microseconds a message: {name:12}{1e6 * (time.process_time() - started) / len(texts):6.2f}")
    for name, first, last in zip(found.ids, offsets, offsets[1:], strict=False):
        yield name, texts[first:last].to_pylist()


def _devpack(folder: Path) -> Iterator[tuple[str, str, str, int]]:
    for path in sorted(folder.rglob("*.json*")):
        if path.is_file() and path.suffix in (".json", ".jsonl"):
            name = path.relative_to(folder.parent).as_posix()
            yield from _hits(name, _records(path.read_bytes(), path.suffix == ".jsonl"))


def _records(data: bytes, is_lines: bool) -> Iterator[tuple[str, list[str]]]:
    """Every record of a JSON file with all its strings."""
    try:
        whole = [json.loads(line) for line in data.splitlines() if line.strip()] if is_lines else json.loads(data)
    except ValueError:  # not JSON inside: the pack has some such files
        return
    if isinstance(whole, dict) and len(whole) > 20:  # a mapping of records, not one record
        whole = list(whole.values())
    for number, record in enumerate(whole if isinstance(whole, list) else [whole]):
        yield str(number), [text.encode("utf-8", "replace").decode() for text in _strings(record)]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def _hits(file: str, records: Iterator[tuple[str, list[str]]]) -> Iterator[tuple[str, str, str, int]]:
    names, texts = [], []
    for name, strings in records:
        names += [name] * len(strings)
        texts += strings
    column, seen = pa.array(texts, pa.string()), Counter[tuple[str, str]]()
    suspected = np.zeros(len(texts), dtype=bool)
    for kind in pii.KINDS:
        suspected |= np.asarray(pc.match_substring_regex(column, kind.suspects), dtype=bool)
    for row in np.flatnonzero(suspected).tolist():
        for found in pii.find(texts[row], ALL):
            key = names[row], found.kind.name
            yield file, *key, seen[key]
            seen[key] += 1


def _share(yes: int, no: int) -> str:
    return f"{yes / (yes + no):6.1%} ({yes}/{yes + no})" if yes + no else "     - (0/0)"
