import os
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.shingling import sets_of
from udfs.minhash import band_keys
from udfs.shingles import Shingles, shingle_sets
from udfs.similarity import Thinned, jaccard, thin, union_find

REAL = os.environ.get("WINNOW_REAL_DATA", "")
numbers = st.sets(st.integers(0, 14), max_size=9)


def exact(a, b) -> float:
    return len(set(a) & set(b)) / max(1, len(set(a) | set(b)))


def pack(rows) -> Shingles:
    """Python sets of numbers as Shingles."""
    flat = np.array([number for row in rows for number in sorted(row)], np.uint32)
    return Shingles(flat, np.cumsum([0] + [len(row) for row in rows]), np.array([len(row) for row in rows], np.int32))


def thin_sets(rows, threshold=0.7, related=0.5, limit=64, component=None, rank=None, bands=(25, 2)) -> Thinned:
    component = np.zeros(len(rows), np.int64) if component is None else np.array(component)
    rank = np.arange(len(rows)) if rank is None else np.array(rank)
    return thin(pack(rows), band_keys(pack(rows), *bands, seed=1), component, rank, threshold, related, limit)


@given(numbers, numbers)
@settings(deadline=None)
def test_jaccard_is_that_of_python_sets_and_symmetric(a, b):
    first, second = (np.array(sorted(each), np.uint32) for each in (a, b))
    assert jaccard(first, second) == jaccard(second, first) == exact(a, b)


def thin_slowly(rows, keys, component, rank, bounds, limit):
    """The rules of thin() on dictionaries: kept_of, related_to, similarity, bands_shared, rejected, hot buckets."""
    buckets, copies, hot, rejected = defaultdict(list), {}, set(), 0
    result = [(-1, -1, 0.0, 0)] * len(rows)
    for row in sorted(range(len(rows)), key=lambda row: (component[row], rank[row])):
        names = [(component[row], band, key) for band, key in enumerate(keys[row])]
        copy = copies.get((component[row], frozenset(rows[row])))
        met = [copy] if copy is not None else {other: None for name in names for other in buckets[name][:limit]}
        if not rows[row]:
            continue
        rejected += sum(exact(rows[row], rows[other]) < bounds[1] for other in met)
        best = max(met, key=lambda other: (exact(rows[row], rows[other]), -rank[other]), default=None)
        similarity = 0.0 if best is None else exact(rows[row], rows[best])
        if similarity >= bounds[0]:
            shared = int((keys[row] == keys[best]).sum())
            is_near = similarity >= bounds[1]
            result[row] = (best if is_near else -1, -1 if is_near else best, similarity, shared)
        if similarity < bounds[1]:
            copies[component[row], frozenset(rows[row])] = row
            for name in names:
                buckets[name].append(row)
                if len(buckets[name]) > limit:
                    hot.add(name)
    return result, rejected, len(hot)


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_thin_does_what_a_slow_reference_does(data):
    rows = data.draw(st.lists(numbers, max_size=14))
    component = np.array(data.draw(st.lists(st.integers(-1, 1), min_size=len(rows), max_size=len(rows))), np.int64)
    rank = np.array(data.draw(st.permutations(range(len(rows)))), np.int64)
    related, threshold = sorted(data.draw(st.lists(st.sampled_from([0.3, 0.5, 0.6, 0.7, 1.0]), min_size=2, max_size=2)))
    limit = data.draw(st.sampled_from([1, 2, 64]))
    keys = band_keys(pack(rows), 4, 1, seed=1)
    found = thin(pack(rows), keys, component, rank, threshold, related, limit)
    expected, rejected, hot = thin_slowly(rows, keys, component, rank, (related, threshold), limit)
    columns = found.kept_of, found.related_to, found.similarity, found.bands_shared
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
    assert (found.rejected, found.hot_buckets) == (rejected, hot)
    for row, kept in enumerate(found.kept_of.tolist()):
        assert kept == -1 or (found.kept_of[kept] == -1 and exact(rows[row], rows[kept]) >= threshold)


@given(st.lists(numbers, max_size=12), st.randoms())
@settings(deadline=None)
def test_the_order_of_rows_does_not_matter(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)
    plain = thin_sets(rows, limit=2)
    mixed = thin_sets([rows[row] for row in order], limit=2, rank=order)
    for one, other in ((plain.kept_of, mixed.kept_of), (plain.related_to, mixed.related_to)):
        assert {(row, kept) for row, kept in enumerate(one.tolist())} == {
            (order[row], order[kept] if kept >= 0 else -1) for row, kept in enumerate(other.tolist())
        }
    assert plain[4:] == mixed[4:]


def test_a_row_is_not_removed_along_a_chain():
    a, b, c = range(0, 20), range(2, 22), range(4, 24)  # J(a, b) = J(b, c) = .82, J(a, c) = .67
    found = thin_sets([a, b, c])
    assert found.kept_of.tolist() == [-1, 0, -1]
    assert found.related_to.tolist() == [-1, -1, 0]
    assert found.similarity.tolist() == pytest.approx([0, 18 / 22, 16 / 24])


def test_a_row_goes_for_its_most_similar_kept_row_and_of_equals_for_the_first():
    low, high, row = range(0, 16), range(8, 24), range(2, 18)
    assert thin_sets([low, high, row], 0.6).kept_of.tolist() == [-1, -1, 0]
    assert thin_sets([high, low, row], 0.6).kept_of.tolist() == [-1, -1, 1]
    middle = range(4, 20)  # as near to low as to high
    assert thin_sets([low, high, middle], 0.6).kept_of.tolist() == [-1, -1, 0]
    assert thin_sets([low, high, middle], 0.6, rank=[1, 0, 2]).kept_of.tolist() == [-1, -1, 1]


def test_components_and_empty_rows_stay_apart():
    found = thin_sets([{1, 2}, {1, 2}, {1, 2}, set(), set()], component=[0, 1, 1, 0, 0])
    assert found.kept_of.tolist() == [-1, -1, 1, -1, -1]


def test_a_hundred_thousand_copies_cost_one_comparison_each():
    count = 100_000
    copy = np.arange(0, 3000, 10, dtype=np.uint32)
    found = Shingles(np.tile(copy, count), np.arange(count + 1) * len(copy), np.full(count, 300, np.int32))
    keys = np.repeat(band_keys(pack([copy]), 25, 5, seed=1), count, axis=0)
    started = time.perf_counter()
    result = thin(found, keys, np.zeros(count, np.int64), np.arange(count), 0.7, 0.5, 64)
    assert time.perf_counter() - started < 20
    assert (result.kept_of[1:] == 0).all() and (result.compared, result.rejected) == (count - 1, 0)
    assert (result.bands_shared[1:] == 25).all()


def test_a_hot_bucket_bounds_the_comparisons_and_copies_are_still_found():
    family = [{*range(4), *range(100 + 8 * row, 108 + 8 * row)} for row in range(400)]  # J of any two: .2
    rows = [*family, *family]
    found = thin_sets(rows, limit=5, bands=(4, 1))
    assert found.kept_of.tolist() == [-1] * 400 + list(range(400))
    assert found.hot_buckets > 0
    assert found.compared <= 400 * 4 * 5 + 400


def test_what_cannot_be_thinned_is_refused():
    with pytest.raises(ValueError, match="equal rank"):
        thin_sets([{1}, {2}], rank=[7, 7])
    with pytest.raises(ValueError, match=r"related 0\.8, threshold 0\.7"):
        thin_sets([{1}, {2}], related=0.8)
    with pytest.raises(ValueError, match="as many rows everywhere"):
        thin_sets([{1}, {2}], rank=[1])


def components_slowly(edges, count):
    labels = list(range(count))
    for _ in range(count):
        for a, b in edges:
            labels[a] = labels[b] = min(labels[a], labels[b])
    return labels


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
@settings(deadline=None)
def test_components_are_named_by_their_least_member(graph):
    count, edges = graph
    ends = np.array(edges, np.int64).reshape(-1, 2)
    assert union_find(ends[:, 0], ends[:, 1], count).tolist() == components_slowly(edges, count)


@pytest.mark.parametrize("seed", range(3))
def test_long_chains_and_large_stars_are_one_component_in_any_edge_order(seed):
    shuffle = np.random.default_rng(seed).permutation
    names, edges = shuffle(50_000), shuffle(49_999)
    assert (union_find(names[:-1][edges], names[1:][edges], 50_000) == 0).all()
    leaves = shuffle(200_000)
    centre = leaves[0]
    assert (union_find(np.full(200_000, centre), leaves, 200_001) == [*[0] * 200_000, 200_000]).all()


@pytest.mark.parametrize(("a", "b"), [([0], [3]), ([-1], [0]), ([0, 1], [1])])
def test_edges_outside_the_graph_are_refused(a, b):
    with pytest.raises(ValueError, match=r"pairs of nodes in 0\.\.2"):
        union_find(np.array(a), np.array(b), 3)


def test_texts_go_through_all_kernels():
    story = "Once upon a time there was a fox who lived in a deep green forest and was afraid of nothing at all."
    shingles = sets_of(
        [[story], [story.upper(), "!"], [story + " The end."], ["Something else entirely, as it were."], [" "]]
    )
    keys = band_keys(shingles, 25, 5, seed=1)
    found = thin(shingles, keys, np.zeros(5, np.int64), np.arange(5), 0.7, 0.5, 64)
    assert found.kept_of.tolist() == [-1, 0, 0, -1, -1]


@pytest.mark.skipif(not REAL, reason="WINNOW_REAL_DATA is not set")
def test_no_real_row_is_left_with_a_kept_near_copy():
    """Truth: every pair with Jaccard >= .5 by word 5-grams. It counts Hangul by syllable, hence the tolerance."""
    files = sorted(Path(REAL, "corpus_10k/data").glob("*.parquet"))
    table = pa.concat_tables([pq.read_table(file, columns=["conversation_id", "conversation"]) for file in files])
    table = table.combine_chunks()
    messages = table["conversation"].chunk(0)
    shingles = shingle_sets(messages.values.field("content"), messages.offsets.to_numpy(), 5)
    keys = band_keys(shingles, 25, 5, seed=1)
    place = {name: row for row, name in enumerate(table["conversation_id"].to_pylist())}
    truth = pq.read_table(Path(REAL, "corpus_10k/truth/exact_pairs_norm_0.5.parquet")).to_pydict()
    a, b = (np.array([place[name] for name in truth[column]]) for column in ("id_a", "id_b"))
    near = np.array(truth["jaccard"]) >= 0.8
    shares_band = (keys[a] == keys[b]).any(axis=1)
    assert shares_band[near].mean() > 0.999
    count = len(place)
    found = thin(shingles, keys, union_find(a[shares_band], b[shares_band], count), np.arange(count), 0.8, 0.5, 64)
    is_kept = found.kept_of < 0
    left = np.union1d(a[near & is_kept[a] & is_kept[b]], b[near & is_kept[a] & is_kept[b]])
    assert len(left) / len(np.union1d(a[near], b[near])) < 0.02
