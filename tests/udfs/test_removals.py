"""Verdicts as rows of tables: which are told of, under which rule, and with which scores."""

import pyarrow as pa

from udfs.dedup import removals
from udfs.dedup.candidates import JUDGED

KEPT = {"conversation_id": "k", "compared": 3, "rejected": 1, "hot_buckets": 2}
ALONE = {"conversation_id": "a"}
NEAR = {
    "conversation_id": "n",
    "level": "near",
    "kept_id": "k",
    "similarity": 0.8,
    "bands_shared": 9,
    "cluster_id": "c",
}
COPY = {"conversation_id": "e", "level": "exact", "kept_id": "k", "copy_of": "n", "similarity": 1.0, "cluster_id": "c"}
MISSED = {"conversation_id": "m", "nearest_id": "k", "similarity": 0.6, "bands_shared": 4, "cluster_id": "c"}
ROWS = [KEPT, ALONE, NEAR, COPY, MISSED]


def batches(*rows: dict) -> list[pa.RecordBatch]:
    zeros = {"compared": 0, "rejected": 0, "hot_buckets": 0}
    return [pa.RecordBatch.from_pylist([zeros | row for row in rows], JUDGED)]


def listed(found) -> list[dict]:
    return [
        {key: value for key, value in row.items() if value is not None} for each in found for row in each.to_pylist()
    ]


def test_removed_rows_have_the_rule_of_their_level():
    found = removals.duplicates(batches(*ROWS), {"near": "w5j0.7", "contained": "w5c0.9"})
    assert listed(found) == [NEAR | {"rule": "w5j0.7"}, COPY | {"rule": removals.FOLDED}]


def test_a_kept_row_is_told_with_its_score_and_a_removed_one_without():
    told = {"conversation_id": "n", "cluster_id": "c"}, {"conversation_id": "e", "cluster_id": "c"}, MISSED
    assert listed(removals.clusters(batches(*ROWS))) == list(told)


def test_levels_are_counted_and_counters_summed():
    found = listed(removals.tally(batches(KEPT, NEAR, NEAR, MISSED)))
    totals = {"compared_sum": 3, "rejected_sum": 1, "hot_buckets_sum": 2}
    nothing = dict.fromkeys(totals, 0)
    assert found == [{"count_all": 2} | totals, {"level": "near", "count_all": 2} | nothing]


def test_of_no_rows_nothing_is_told():
    for kernel in (lambda rows: removals.duplicates(rows, {}), removals.clusters, removals.tally):
        assert listed(kernel(batches())) == [] and list(kernel([])) == []
