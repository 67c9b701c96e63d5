import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import dedup_quality as quality
from benchmarks.dedup_quality import Left, Text


def text(*shingles: str, script: str = "Latin") -> Text:
    return Text(frozenset((shingle,) for shingle in shingles), script)


TEXTS = {"a": text(*"123456789"), "b": text(*"12345678"), "c": text(*"123456", script="Han"), "d": text(*"xyz")}
"""a and b are alike by 8/9, b and c by 6/8, a and c by 6/9."""
PAIRS = [("a", "b"), ("a", "c"), ("b", "c"), ("a", "gone")]


@pytest.mark.parametrize(
    ("removed", "expected"),
    [
        (set(), {"all": Left(2, 2), "Latin": Left(2, 2)}),
        ({"b"}, {"all": Left(2, 0), "Latin": Left(2, 0)}),
        ({"c"}, {"all": Left(2, 2), "Latin": Left(2, 2)}),
    ],
)
def test_a_row_is_left_over_when_it_and_its_partner_are_kept(removed, expected):
    found = quality.similarities(PAIRS, TEXTS)
    assert quality.left_over(found, removed, TEXTS, (0.8, 1.01)) == expected


def test_a_row_counts_in_the_band_of_its_best_partner_alone():
    found = quality.similarities(PAIRS, TEXTS)
    assert quality.left_over(found, set(), TEXTS, (0.7, 0.8)) == {"all": Left(1, 1), "Han": Left(1, 1)}
    assert quality.left_over(found, {"b"}, TEXTS, (0.7, 0.8)) == {"all": Left(1, 0), "Han": Left(1, 0)}


def test_a_pair_is_hit_when_one_of_it_is_removed():
    found = quality.similarities(PAIRS, TEXTS)
    assert quality.pairs_hit(found, {"c"}, (0.8, 1.01)) == 0.0
    assert quality.pairs_hit(found, {"a", "d"}, (0.8, 1.01)) == 1.0


def test_removals_below_the_threshold_are_counted():
    assert quality.check_removals([("b", "a"), ("c", "a"), ("d", "a")], TEXTS, 0.7) == (3, 2, 0.0)


def test_pairs_of_each_kind_of_truth_are_read_once_each(tmp_path):
    exact = {"id_a": ["b", "a"], "id_b": ["a", "c"], "jaccard": [0.9, 0.55]}
    planted = {"conversation_id": ["a", "d"], "source_id": ["b", "d"], "root_id": ["e", "f"]}
    scores = {"jaccard_w5": [0.9, 1.0], "jaccard_w5_root": [0.7, 0.2]}
    pq.write_table(pa.table(exact), tmp_path / "exact_pairs_norm_0.5.parquet")
    pq.write_table(pa.table(planted | scores), tmp_path / "planted.parquet")
    pq.write_table(pa.table({"conversation_id": ["g"], "root_id": ["h"], "edit": ["case"]}), tmp_path / "truth.parquet")
    pq.write_table(pa.table({"conversation_id": ["a"], "origin": ["real"]}), tmp_path / "provenance.parquet")
    assert quality.known_pairs(str(tmp_path)) == [("a", "b"), ("a", "e"), ("g", "h")]
