"""Whole components in, what became of each conversation out: with the messages of others, bare or not, in any order."""

from collections.abc import Iterable
from itertools import pairwise
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from udfs.dedup import signatures
from udfs.dedup.blocks import Block
from udfs.dedup.buckets import Levels
from udfs.dedup.candidates import COUNTERS, Policy, judge, judge_blocks
from udfs.dedup.members import Places, pack
from udfs.dedup.thinning import Bounds

SCHEMA = pa.schema(
    [
        ("conversation_id", pa.string()),
        ("row", pa.int64()),
        ("part", pa.int32()),
        ("digest", pa.string()),
        *((name, pa.binary()) for name in ("prefixes", "sets", "closing", "bands", "anchors")),
        ("component", pa.int64()),
        ("order", pa.list_(pa.float64())),
        ("is_fixed", pa.bool_()),
    ]
)
SHARED = ("sets", "closing", "bands", "anchors")
HOW = signatures.Signing(5, 6, 25, 5, 1)
ALL, NONE, BOUNDS = Levels(True, True, True, True), Levels(False, False, False, False), Bounds(0.7, 0.4, 0.9, 64)
DROPPING = Policy(ALL, NONE)
WORDS = [f"{a}{b}{c}" for a in "bdfgk" for b in "aeiou" for c in "lmnpr"]


def facts(name: str, number: int) -> dict[str, object]:
    return {"conversation_id": name, "order": [float(number)], "is_fixed": number == 1, "part": 0}


def signed(talks: list[list[str]]) -> list[dict[str, object]]:
    """Signatures of whole talks, all one component."""
    count = len(talks)
    batch = pa.RecordBatch.from_pydict(
        {
            "conversation_id": [f"c{place}" for place in range(count)],
            "row": pa.array(range(count), pa.int64()),
            "digest": [f"{place * 7 % count:064}" for place in range(count)],
            "roles": [["user", "assistant"] * (len(talk) // 2) for talk in talks],
            "contents": talks,
        }
    )
    return [row | {"component": 0} for row in next(iter(signatures.sign([batch], HOW))).to_pylist()]


def said(seed: int, edits: list[int]) -> list[str]:
    words = np.random.default_rng(seed).choice(WORDS, 40).tolist()
    for place in edits:
        words[place] = "edited"
    return ["Ask.", " ".join(words)]


talks = st.builds(said, st.integers(0, 2), st.lists(st.integers(0, 39), max_size=3))


@given(st.lists(talks, min_size=1, max_size=12), st.data())
def test_bare_copies_in_any_order_and_batches_are_judged_as_whole_ones(found, data):
    whole = signed(found)
    first = {row["prefixes"]: row["row"] for row in reversed(whole)}
    bare = [row if first[row["prefixes"]] == row["row"] else row | dict.fromkeys(SHARED) for row in whole]
    numbers = data.draw(st.lists(st.integers(0, 3), min_size=len(whole), max_size=len(whole)))
    told = [facts(row["conversation_id"], number) for row, number in zip(whole, numbers, strict=True)]
    expected = verdicts([whole, told])
    mixed = data.draw(st.permutations([*bare, *told]))
    cuts = sorted({0, len(mixed), *data.draw(st.lists(st.integers(0, len(mixed)), max_size=3))})
    assert verdicts([mixed[start:end] for start, end in pairwise(cuts)]) == expected
    check(expected, whole, told)


@given(st.lists(talks, min_size=1, max_size=12), st.integers(1, 3))
def test_signatures_in_blocks_are_judged_as_rows_are(found, cut):
    whole = signed(found)
    first = {row["prefixes"]: row["row"] for row in reversed(whole)}
    told = [facts(row["conversation_id"], row["row"] % 3) for row in whole]
    rows = np.arange(len(whole))
    is_copy = np.array([first[row["prefixes"]] != row["row"] for row in whole])
    places = Places(rows, np.zeros_like(rows), (rows % 2).astype(np.int32), is_copy)  # a component in two parts
    batches = [pa.RecordBatch.from_pylist(whole[at::cut], SCHEMA) for at in range(cut)]
    blocks: dict[int, list[Block]] = {}
    with TemporaryDirectory() as folder:
        for batch in pack([*batches, batches[0][:0]], places, folder):
            for block in batch.to_pylist():
                blocks.setdefault(block["part"], []).append(Block(**block))
        for part in (0, 1):
            ours = [fact | {"part": part} for fact in told[part::2]]
            ones = [row | dict.fromkeys(SHARED) if is_copy[row["row"]] else row for row in whole[part::2]]
            in_blocks = judge_blocks([pa.RecordBatch.from_pylist(ours, SCHEMA)], blocks, DROPPING, BOUNDS)
            assert table_of(in_blocks) == verdicts([ones, ours])


def verdicts(batches: list[list[dict[str, object]]]) -> dict[str, dict]:
    return table_of(judge([pa.RecordBatch.from_pylist(batch, SCHEMA) for batch in batches], DROPPING, BOUNDS))


def table_of(found: Iterable[pa.RecordBatch]) -> dict[str, dict]:
    table = [row for batch in found for row in batch.to_pylist()]
    counters = {name: [row.pop(name) for row in table] for name in COUNTERS}
    assert not any(any(counts[1:]) for counts in counters.values())
    totals = {name: sum(counts) for name, counts in counters.items()}
    return {row["conversation_id"]: row | totals for row in table}


def check(found: dict[str, dict], whole: list[dict], told: list[dict]) -> None:
    """Of those with the same messages the best one stands for the others, which go where it goes."""
    best: dict[bytes, tuple] = {}
    known = list(zip(whole, told, strict=True))
    for row, fact in known:
        place = (not fact["is_fixed"], -fact["order"][0], row["conversation_id"])
        best[row["prefixes"]] = min(best.get(row["prefixes"], place), place)
    assert set(found) == {row["conversation_id"] for row, fact in known if not fact["is_fixed"]}
    for row, _ in known:
        verdict, head = found.get(row["conversation_id"]), best[row["prefixes"]][2]
        if verdict and head != verdict["conversation_id"]:
            of_head = found.get(head, {"kept_id": None, "level": None})
            assert verdict["copy_of"] == head and verdict["nearest_id"] is None
            assert (verdict["kept_id"], verdict["level"]) == (of_head["kept_id"] or head, of_head["level"] or "exact")
        elif verdict:
            assert verdict["copy_of"] is None and verdict["level"] != "exact"


def test_copies_of_a_row_that_goes_go_with_it_and_the_cluster_is_the_least_digest_of_what_is_linked():
    base, near = said(0, []), said(0, [20])
    whole = signed([base, near, near, said(1, []), said(1, []), said(2, [])])
    told = [facts(f"c{place}", number) for place, number in enumerate([9, 8, 7, 5, 6, 0])]
    found = verdicts([whole, told])
    columns = ("level", "kept_id", "copy_of", "similarity", "cluster_id")
    similar = found["c1"]["similarity"]
    assert 0.7 < similar < 1
    assert [tuple(found[f"c{place}"][name] for name in columns) for place in range(6)] == [
        (None, None, None, None, f"{0:032}"),
        ("near", "c0", None, similar, f"{0:032}"),
        ("near", "c0", "c1", similar, f"{0:032}"),
        ("exact", "c4", "c4", 1.0, f"{0:032}"),
        (None, None, None, None, f"{0:032}"),
        (None, None, None, None, None),
    ]


POLICIES = st.tuples(*[st.sampled_from(["drop", "tag", "off"])] * 4)


@given(st.lists(talks, min_size=1, max_size=12), POLICIES)
def test_levels_that_tag_change_nothing_that_others_drop(found, policies):
    """And what they tell of is kept, names a kept row, and stands in its cluster."""
    whole = signed(found)
    told = [facts(row["conversation_id"], row["row"] % 3) for row in whole]
    dropping, tagging = (Levels(*(each == wanted for each in policies)) for wanted in ("drop", "tag"))
    batches = [pa.RecordBatch.from_pylist(rows, SCHEMA) for rows in (whole, told)]
    alone = {
        row["conversation_id"]: row
        for batch in judge(batches, Policy(dropping, NONE), BOUNDS)
        for row in batch.to_pylist()
    }
    both = {
        row["conversation_id"]: row
        for batch in judge(batches, Policy(dropping, tagging), BOUNDS)
        for row in batch.to_pylist()
    }
    levels = dict(zip(("snapshot", "exact", "near", "contained"), policies, strict=True))
    free = {row["conversation_id"] for row in whole} - set(both)
    kept = free | {name for name, row in alone.items() if row["kept_id"] is None}
    for name, row in both.items():
        if name not in kept:
            assert all(row[key] == alone[name][key] for key in ("level", "kept_id", "copy_of", "similarity"))
        elif row["kept_id"] is not None:
            assert levels[row["level"]] == "tag" and row["kept_id"] in kept
        other = both.get(row["kept_id"] or row["nearest_id"])
        assert other is None or row["cluster_id"] == other["cluster_id"] is not None


def test_near_that_only_tags_keeps_nothing_that_contained_drops():
    whole = signed([said(0, []), ["Ask.", " ".join(said(0, [])[1].split()[:35])]])
    told = [facts(f"c{place}", 2 + place) for place in range(2)]
    batches = [pa.RecordBatch.from_pylist(rows, SCHEMA) for rows in (whole, told)]
    near, contained = Levels(False, False, True, False), Levels(False, False, False, True)
    several = BOUNDS._replace(keep=2)
    found = table_of(judge(batches, Policy(contained, near), several))
    assert (found["c1"]["level"], found["c1"]["kept_id"]) == ("contained", "c0")
    both = Levels(False, False, True, True)
    assert table_of(judge(batches, Policy(both, NONE), several))["c1"]["level"] is None
