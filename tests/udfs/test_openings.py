"""Prompts of conversations, looked up by place, against the same said row by row."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from udfs.dedup import openings
from udfs.dedup.capping import FOUND
from udfs.dedup.openings import Conversations
from udfs.dedup.prompts import UNITED
from udfs.dedup.templates import GIVEN

ROW = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("conversation_id", "digest")),
        *(pa.field("key", pa.binary()), pa.field("row", pa.int64()), pa.field("order", pa.list_(pa.float64()))),
    ]
)
KEYS = [b"a", b"b", b"c", b"d"]


@st.composite
def conversations(draw):
    """Standing ones, and some that were removed for one of them or for one that is not there."""
    said = draw(st.lists(st.sampled_from([None, *KEYS]), max_size=12))
    kept = [draw(st.sampled_from([None, None, "row0", "row1", "nobody"])) for _ in said]
    rows = [
        {
            **{"conversation_id": f"row{place}", "digest": f"{place * 7 % 5}", "key": key, "row": 100 + place},
            "order": [float(draw(st.integers(0, 2)))],
        }
        for place, key in enumerate(said)
    ]
    kept = [None if name == row["conversation_id"] else name for name, row in zip(kept, rows, strict=True)]
    return Conversations(pa.RecordBatch.from_pylist(rows, ROW), pa.array(kept, pa.string()))


def lines(found):
    kept = found.kept_id.to_pylist()
    return [row | {"kept_id": kept[place], "place": place} for place, row in enumerate(found.told.to_pylist())]


@given(conversations(), st.booleans())
def test_a_prompt_is_known_by_the_first_standing_conversation_that_has_it(found, by_order):
    prompts = openings.distinct(found, by_order)
    standing = [row for row in lines(found) if row["kept_id"] is None and row["key"]]
    rank = lambda row: (row["order"] if by_order else [], row["digest"], row["conversation_id"])  # noqa: E731
    assert set(prompts.keys.to_pylist()) == {row["key"] for row in standing}
    for number, key in enumerate(prompts.keys.to_pylist()):
        same = [row for row in standing if row["key"] == key]
        assert prompts.rows[number] == len(same)
        assert prompts.first[number] == min(same, key=rank)["place"]
        assert prompts.row[number] == min(same, key=rank)["row"]
    number_of = {key: number for number, key in enumerate(prompts.keys.to_pylist())}
    assert prompts.of.tolist() == [number_of.get(row["key"], -1) for row in lines(found)]


def founder(key, united):
    return b"a" if united and key == b"b" else key


@given(conversations(), st.sampled_from([None, 2, 3]), st.booleans())
def test_rows_of_large_families_and_of_templates_are_judged_with_those_removed_for_them(found, least, has_template):
    prompts = openings.distinct(found, False)
    there = set(prompts.keys.to_pylist())
    united = [{"key": b"b", "founder": b"a", "similarity": 0.9}] if {b"a", b"b"} <= there else []
    slots = [{"key": b"c", "template": "t", "coverage": 0.7}] if has_template and b"c" in there else []
    tables = pa.Table.from_pylist(united, UNITED), pa.Table.from_pylist(slots, GIVEN)
    told = openings.judged_together(found, prompts, openings.known(prompts, *tables, least)).to_pylist()

    standing = [founder(row["key"], united) for row in lines(found) if row["kept_id"] is None]

    def about(row):
        family = founder(row["key"], united)
        is_large = least is not None and standing.count(family) >= least
        template = "t" if slots and row["key"] == b"c" else None
        return (family.hex() if is_large else None, template) if row["key"] in there else (None, None)

    heads = {row["conversation_id"] for row in lines(found) if row["kept_id"] is None and any(about(row))}
    asked = [row for row in lines(found) if row["conversation_id"] in heads or row["kept_id"] in heads]
    assert [row["conversation_id"] for row in told] == [row["conversation_id"] for row in asked]
    assert [(row["family"], row["template"]) for row in told] == [about(row) for row in asked]
    near = [0.9 if united and row["key"] == b"b" else 1.0 for row in asked if about(row)[0]]
    assert [row["similarity"] for row in told if row["family"]] == near


def test_a_family_is_told_with_its_first_and_last_prompt_and_how_many_it_has():
    rows = [
        {"conversation_id": f"row{place}", "digest": digest, "key": key, "row": 100 + place, "order": []}
        for place, (digest, key) in enumerate([("3", b"a"), ("1", b"b"), ("2", b"b"), ("0", b"c"), ("4", b"d")])
    ]
    kept = pa.array([None, None, None, "row0", None], pa.string())
    found = Conversations(pa.RecordBatch.from_pylist(rows, ROW), kept)
    said = [
        {"conversation_id": f"row{place}", "level": "prompt", "family": "f", "is_removed": gone}
        for place, gone in ((0, True), (1, False), (2, True), (3, True))
    ]
    told = openings.families(pa.Table.from_pylist(said, FOUND), found, openings.distinct(found, False))
    assert told.to_pylist() == [
        {"level": "prompt", "family": "f", "rows": 3, "removed": 2, "prompts": 2, "example": 101, "other": 100}
    ]


def test_of_nothing_there_are_no_prompts_and_no_families():
    found = Conversations(pa.RecordBatch.from_pylist([], ROW), pa.array([], pa.string()))
    prompts = openings.distinct(found, True)
    known = openings.known(prompts, UNITED.empty_table(), GIVEN.empty_table(), 3)
    assert len(openings.judged_together(found, prompts, known)) == 0
    assert len(openings.families(FOUND.empty_table(), found, prompts)) == 0
    assert prompts.of.dtype == np.int64
