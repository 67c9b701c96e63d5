"""The kernel against rules written down row by row, on drawn units of every shape."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.dedup.capping import FOUND, PROMPT, TEMPLATE, Cap, cap

FIELDS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("conversation_id", "kept_id", "digest", "family", "template")),
        *(pa.field(name, pa.float64()) for name in ("similarity", "coverage")),
        pa.field("order", pa.list_(pa.float64())),
    ]
)
names = st.sampled_from([None, "f", "g", "h"])
"""Families: two of the template ``t``, one of none."""
TEMPLATES = {"f": "t", "g": "t"}


def line(number, family, order=0, kept=None):
    """One conversation; removed ones come without an order."""
    name = f"{'copy' if kept else 'row'}{number}"
    return {
        **{"conversation_id": name, "kept_id": kept, "digest": "" if kept else f"{number * 7919 % 1009:04}"},
        **{"family": family, "template": TEMPLATES.get(family), "similarity": 0.9, "coverage": 0.8},
        "order": [] if kept else [float(order), 1.0],
    }


@st.composite
def units(draw):
    rows = [line(number, draw(names), draw(st.integers(0, 2))) for number in range(draw(st.integers(0, 12)))]
    heads = [row["conversation_id"] for row in rows]
    count = draw(st.integers(0, 8)) if heads else 0
    return rows + [line(number, draw(names), kept=draw(st.sampled_from(heads))) for number in range(count)]


def told(rows, prompt=2, template=3, is_best=False):
    batch = pa.RecordBatch.from_pylist(rows, FIELDS)
    levels = [
        Cap(PROMPT, "family", "similarity", prompt, is_best),
        Cap(TEMPLATE, "template", "coverage", template, is_best),
    ]
    return [found for batch in cap([batch], *levels) for found in batch.to_pylist()]


def removals(found):
    lost = [row for row in found if row["is_removed"]]
    assert len({row["conversation_id"] for row in lost}) == len(lost)
    return {row["conversation_id"]: (row["level"], row["kept_id"]) for row in lost}


def judged(rows, keeps, is_best):
    """Level and kept row of each removal, one row after the other."""
    found, facts = {}, {row["conversation_id"]: dict(row) for row in rows}
    for level, group in ((PROMPT, "family"), (TEMPLATE, "template")):
        standing = [row for row in facts.values() if row["kept_id"] is None and row[group]]
        standing.sort(key=lambda row: (row["order"] if is_best else [], row["digest"], row["conversation_id"]))
        for name in sorted({row[group] for row in standing}):
            members = [row for row in standing if row[group] == name]
            strange = {row["kept_id"] for row in facts.values() if row[group] != name}
            safe = [row for row in members if row is members[0] or row["conversation_id"] in strange]
            others = [row for row in members if row not in safe]
            for row in others[max(0, keeps[level] - len(safe)) :]:
                moved = [each for each in facts.values() if each["kept_id"] == row["conversation_id"]]
                for each in [row, *moved]:
                    each["kept_id"] = members[0]["conversation_id"]
                    found[each["conversation_id"]] = (level, each["kept_id"])
    return found


@given(units(), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_units_are_judged_as_they_would_be_one_row_after_the_other(rows, prompt, template, is_best):
    lines = told(rows, prompt, template, is_best)
    found = removals(lines)
    assert found == judged(rows, {PROMPT: prompt, TEMPLATE: template}, is_best)
    assert {kept for _, kept in found.values()}.isdisjoint(found)
    members = {row["conversation_id"] for row in rows if row["family"] and row["kept_id"] is None}
    assert members <= {line["conversation_id"] for line in lines if line["level"] == PROMPT}


@given(units(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_units_beside_do_not_matter(rows, random):
    shuffled = random.sample(rows, len(rows))
    key = lambda row: (row["conversation_id"], row["level"])  # noqa: E731
    assert sorted(told(shuffled), key=key) == sorted(told(rows), key=key)


@given(units())
def test_every_member_of_a_family_is_told_of_and_says_how_like_it_is(rows):
    found = told(rows, prompt=None, template=None)
    assert removals(found) == {}
    expected = {
        (row["conversation_id"], level, row[group], likeness)
        for row in rows
        for level, group, likeness in ((PROMPT, "family", 0.9), (TEMPLATE, "template", 0.8))
        if row[group] and row["kept_id"] is None
    }
    assert {(row["conversation_id"], row["level"], row["family"], row["similarity"]) for row in found} == expected
    assert all(row["kept_id"] is None for row in found)


def test_nothing_in_nothing_out():
    assert told([]) == []


@pytest.mark.parametrize("keep", [1, 100])
def test_a_family_of_a_hundred_thousand_is_one_unit(keep):
    count = 100_000
    ids = pa.array([f"row{number:06}" for number in range(count)])
    texts = {"conversation_id": ids, "digest": ids, "family": pa.repeat("f", count), "template": pa.nulls(count)}
    numbers = {"similarity": pa.array(np.ones(count)), "coverage": pa.nulls(count), "kept_id": pa.nulls(count)}
    order = pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, np.int32)), pa.array([], pa.float64()))
    columns = {**texts, **numbers, "order": order}
    batch = pa.RecordBatch.from_arrays([columns[field.name].cast(field.type) for field in FIELDS], schema=FIELDS)
    found = pa.Table.from_batches(
        cap([batch], Cap(PROMPT, "family", "similarity", keep, False), Cap(TEMPLATE, "template", "coverage", 1, False)),
        FOUND,
    )
    assert found.column("is_removed").to_pylist() == [False] * keep + [True] * (count - keep)
    assert set(found.column("kept_id").to_pylist()[keep:]) == {"row000000"}
