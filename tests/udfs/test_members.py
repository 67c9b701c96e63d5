"""Signatures meet their facts, wherever both stand, and copies the set and keys of one with their messages."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from udfs.dedup.blocks import Block
from udfs.dedup.buckets import DIGEST_BYTES
from udfs.dedup.members import Places, matched, pack, unpack
from udfs.shingles import CLOSING

SCHEMA = pa.schema(
    [
        ("conversation_id", pa.string()),
        ("row", pa.int64()),
        ("digest", pa.string()),
        *((name, pa.binary()) for name in ("prefixes", "sets", "closing", "bands", "anchors")),
        ("component", pa.int64()),
        ("order", pa.list_(pa.float64())),
        ("is_fixed", pa.bool_()),
    ]
)


def signature(name: str, messages: str = "", is_bare: bool = False) -> dict[str, object]:
    """Of a conversation whose messages are named, by default as it is itself."""
    shared = {"sets": name.encode() * 4, "closing": bytes(8 * CLOSING), "bands": b"8 bytes.", "anchors": b""}
    own = {"conversation_id": name, "digest": name, "component": 1}
    own["prefixes"] = (messages or name).encode() * DIGEST_BYTES
    return own | ({} if is_bare else shared)


def facts(name: str, number: int) -> dict[str, object]:
    return {"conversation_id": name, "order": [float(number)], "is_fixed": number == 1}


def rows(*batches: list[dict[str, object]]) -> list[dict[str, object]]:
    """The members with their signatures, which may be another row's."""
    found = matched(pa.RecordBatch.from_pylist(batch, SCHEMA) for batch in batches)
    if found is None:
        return []
    spans = zip(found.sets.starts[found.whole].tolist(), found.sets.ends[found.whole].tolist(), strict=True)
    signed = found.signed.take(pa.array(found.whole)).to_pylist()
    sets = [{"sets": found.sets.hashes[start:end].tobytes()} for start, end in spans]
    return [a | b | c for a, b, c in zip(found.rows.to_pylist(), signed, sets, strict=True)]


@pytest.mark.parametrize("is_first", [True, False])
def test_each_signature_has_its_own_facts_wherever_they_stand(is_first):
    signed, told = [signature("b"), signature("a")], [facts("a", 1), facts("b", 2)]
    found = rows(told, [], signed) if is_first else rows(signed, told)
    assert sorted(found, key=str) == sorted([signature("b") | facts("b", 2), signature("a") | facts("a", 1)], key=str)


def test_a_signature_without_facts_is_left_out_and_one_that_came_twice_counts_once():
    found = rows([signature("a"), signature("x"), signature("a")], [facts("a", 1), facts("b", 2)])
    assert found == [signature("a") | facts("a", 1)]
    assert rows([signature("a")]) == rows() == rows([]) == []


def test_a_bare_signature_has_the_set_and_keys_of_one_with_its_messages_though_that_has_no_facts():
    signed = [signature("a", "x", is_bare=True), signature("b", "x"), signature("c", "y", is_bare=True)]
    (found,) = rows(signed, [facts("a", 1), facts("c", 2)])  # nobody has what c says: it is left alone
    assert found == signature("b", "x") | signature("a", "x", is_bare=True) | facts("a", 1)


def test_only_rows_with_a_place_are_packed_and_a_file_that_is_gone_is_named(tmp_path: Path):
    signed = pa.RecordBatch.from_pylist([signature(name) | {"row": ord(name)} for name in "abc"], SCHEMA)
    places = Places(np.array([97, 99]), np.array([7, 8]), np.array([1, 0], np.int32), np.array([False, True]))
    (found,) = pack([signed], places, str(tmp_path))
    blocks = [Block(**block) for block in found.to_pylist()]
    assert [block.part for block in blocks] == [0, 1]
    rows = [row for batch in unpack(blocks) for row in batch.to_pylist()]
    assert [(row["conversation_id"], row["component"], row["bands"]) for row in rows] == [
        ("c", 8, None),
        ("a", 7, b"8 bytes."),
    ]
    (nothing,) = pack([signed], Places(*(each[:0] for each in places)), str(tmp_path))
    assert len(nothing) == 0
    Path(blocks[0].path).unlink()
    with pytest.raises(OSError, match=blocks[0].path):
        list(unpack(blocks))
