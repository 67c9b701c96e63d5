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
from udfs.dedup.thinning import Bounds, Candidates, Ragged, Sets, Thinned, thin
from udfs.dedup.unions import union_find
from udfs.dedup.verifying import CLOSING_SHARE, CONTAINED, KEPT, NEAR, SNAPSHOT, jaccard
from udfs.minhash import band_keys
from udfs.shingles import CLOSING, Shingles, shingle_sets

REAL = os.environ.get("WINNOW_REAL_DATA", "")
numbers = st.sets(st.sampled_from([*range(8), *range(1 << 16, (1 << 16) + 7)]), max_size=9)
"""Sets, some of whose values end in the same 16 bits."""


def exact(a, b) -> float:
    return len(set(a) & set(b)) / max(1, len(set(a) | set(b)))


def pack(rows) -> Shingles:
    """Python sets of numbers as Shingles."""
    flat = np.array([number for row in rows for number in sorted(row)], np.uint32)
    return Shingles(flat, np.cumsum([0] + [len(row) for row in rows]), np.array([len(row) for row in rows], np.int32))


def ragged(keys) -> Ragged:
    flat = np.array([key for row in keys for key in row], np.int64).view(np.uint64)
    return Ragged(flat, np.cumsum([0] + [len(row) for row in keys]))


def dense(keys: np.ndarray) -> Ragged:
    return Ragged(keys.view(np.uint64).ravel(), np.arange(len(keys) + 1) * keys.shape[1])


def candidates(rows, bands=None, anchors=None, closing=None, talks=None, component=None, rank=None, fixed=()):
    """Rows as what thin() takes: sets of numbers, keys, and the messages of each as letters."""
    count, shingles = len(rows), rows if isinstance(rows, Shingles) else pack(rows)
    count = len(shingles.offsets) - 1
    talks = talks or [""] * count
    beginnings = [(hash(talk[:end]) % 2**64, end) for talk in talks for end in range(1, len(talk) + 1)]
    is_fixed = np.zeros(count, bool)
    is_fixed[list(fixed)] = True
    return Candidates(
        np.zeros(count, np.int64) if component is None else np.array(component),
        np.arange(count) if rank is None else np.array(rank),
        is_fixed,
        Sets(shingles.hashes, shingles.offsets[:-1], shingles.offsets[1:]),
        np.zeros((count, CLOSING), np.uint32) if closing is None else closing,
        bands or ragged([[]] * count),
        anchors or ragged([[]] * count),
        np.array(beginnings, np.uint64).reshape(-1, 2),
        np.repeat(np.arange(count), [len(talk) for talk in talks]),
    )


def thin_near(rows, threshold=0.7, related=0.5, limit=64, shape=(25, 2), **others) -> Thinned:
    shingles = rows if isinstance(rows, Shingles) else pack(rows)
    keys = dense(band_keys(shingles, *shape, seed=1))
    return thin(candidates(shingles, keys, **others), Bounds(threshold, related, 1.0, limit))


@given(numbers, numbers)
@settings(deadline=None)
def test_jaccard_is_that_of_python_sets_and_symmetric(a, b):
    first, second = (np.array(sorted(each), np.uint32) for each in (a, b))
    assert jaccard(first, second) == jaccard(second, first) == exact(a, b)


def thin_slowly(rows, keys, component, rank, bounds, limit, keep, fixed):
    """The rules of level near on dictionaries: kept_of, nearest, similarity, bands_shared, rejected, hot buckets."""
    buckets, copies, hot, rejected = defaultdict(list), {}, set(), 0
    result = [(-1, -1, 0.0, 0)] * len(rows)
    for row in sorted(range(len(rows)), key=lambda row: (component[row], row not in fixed, rank[row])):
        names = [(component[row], band, key) for band, key in enumerate(keys[row])]
        copy = copies.get((component[row], frozenset(rows[row]))) if keep == 1 else None
        met = [copy] if copy is not None else {other: None for name in names for other in buckets[name][:limit]}
        if not rows[row]:
            continue
        met = {} if row in fixed else met
        rejected += sum(exact(rows[row], rows[other]) < bounds[1] for other in met)
        best = max(met, key=lambda other: (exact(rows[row], rows[other]), other in fixed, -rank[other]), default=None)
        similarity = 0.0 if best is None else exact(rows[row], rows[best])
        alike = [other for other in met if exact(rows[row], rows[other]) >= bounds[1]]
        is_near = len(alike) >= keep or any(other in fixed for other in alike)
        if similarity >= bounds[0]:
            shared = int((keys[row] == keys[best]).sum())
            result[row] = (best if is_near else -1, -1 if is_near else best, similarity, shared)
        if not is_near:
            copies.setdefault((component[row], frozenset(rows[row])), row)
            for name in names:
                buckets[name].append(row)
                if len(buckets[name]) > limit:
                    hot.add(name)
    return result, rejected, len(hot)


@given(st.data())
@settings(deadline=None, max_examples=300)
def test_near_does_what_a_slow_reference_does(data):
    rows = data.draw(st.lists(numbers, max_size=14))
    component = np.array(data.draw(st.lists(st.integers(-1, 1), min_size=len(rows), max_size=len(rows))), np.int64)
    rank = np.array(data.draw(st.permutations(range(len(rows)))), np.int64)
    related, threshold = sorted(data.draw(st.lists(st.sampled_from([0.3, 0.5, 0.6, 0.7, 1.0]), min_size=2, max_size=2)))
    limit, keep = data.draw(st.sampled_from([(1, 1), (2, 1), (64, 1), (2, 2), (64, 2), (64, 3)]))
    fixed = data.draw(st.sets(st.integers(0, max(len(rows) - 1, 0)), max_size=2)) if rows else set()
    keys = band_keys(pack(rows), 4, 1, seed=1)
    given_keys = ragged([list(keys[row]) if rows[row] else [] for row in range(len(rows))])
    given = candidates(rows, given_keys, component=component, rank=rank, fixed=fixed)
    found = thin(given, Bounds(threshold, related, 1.0, limit, keep))
    expected, rejected, hot = thin_slowly(rows, keys, component, rank, (related, threshold), limit, keep, fixed)
    columns = found.kept_of, found.nearest, found.similarity, found.bands_shared
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
    assert (found.rejected, found.hot_buckets) == (rejected, hot)


talks = st.text(alphabet="ab", max_size=5)


@given(st.data())
@settings(deadline=None, max_examples=400)
def test_every_removed_row_names_one_level_and_a_kept_row_that_meets_its_bound(data):
    rows = data.draw(st.lists(st.tuples(numbers, talks), max_size=14))
    sets, said = [row[0] for row in rows], [row[1] for row in rows]
    rank = np.array(data.draw(st.permutations(range(len(rows)))), np.int64)
    fixed = data.draw(st.sets(st.integers(0, max(len(rows) - 1, 0)), max_size=2)) if rows else set()
    anchors = ragged([[min(row), max(row) + 100] if row else [] for row in sets])
    bands = ragged([[min(row), max(row) + 100] if row else [] for row in sets])
    closing = np.array([[min(row) if row else 0] * CLOSING for row in sets], np.uint32).reshape(-1, CLOSING)
    limit, keep = data.draw(st.sampled_from([(1, 1), (64, 1), (64, 2)]))
    bounds = Bounds(0.7, 0.5, data.draw(st.sampled_from([0.6, 0.9, 1.0])), limit, keep)
    found = thin(candidates(sets, bands, anchors, closing, said, rank=rank, fixed=fixed), bounds)
    for row, kept in enumerate(found.kept_of.tolist()):
        level, score = found.level[row], found.similarity[row]
        assert (kept >= 0) == (level != KEPT)
        if kept < 0:
            continue
        assert row not in fixed and found.kept_of[kept] == -1
        if level == SNAPSHOT:
            assert said[kept].startswith(said[row]) and len(said[kept]) > len(said[row]) and score == 1
        elif level == NEAR:
            assert score == exact(sets[row], sets[kept]) >= bounds.threshold
        else:
            assert level == CONTAINED and len(sets[row]) <= len(sets[kept])
            assert score == len(sets[row] & sets[kept]) / len(sets[row]) >= bounds.containment
            assert np.isin(closing[row], list(sets[kept])).mean() >= CLOSING_SHARE
    kept = [row for row, to in enumerate(found.kept_of.tolist()) if to < 0]
    assert not any(
        said[a] and said[b].startswith(said[a])
        for a in kept
        for b in kept
        if len(said[a]) < len(said[b]) and a not in fixed
    )


@given(st.lists(st.tuples(numbers, talks), max_size=12), st.randoms())
@settings(deadline=None)
def test_neither_the_order_of_rows_nor_other_components_matter(rows, random):
    order = list(range(len(rows)))
    random.shuffle(order)

    def judge(places, extra=0):
        chosen = [rows[place] for place in places] + [({1, 2, 3}, "ab")] * extra
        sets, said = [row[0] for row in chosen], [row[1] for row in chosen]
        keys = ragged([[min(row), max(row) + 100] if row else [] for row in sets])
        closing = np.array([[min(row) if row else 0] * CLOSING for row in sets], np.uint32).reshape(-1, CLOSING)
        component = [0] * len(places) + [1] * extra
        rank = [*places, *range(len(places), len(places) + extra)]
        said = [*said[: len(places)], *[""] * extra]
        return thin(
            candidates(sets, keys, keys, closing, said, component=component, rank=rank), Bounds(0.7, 0.5, 0.8, 2)
        )

    def told(found, places):
        return {
            (places[row], places[kept] if kept >= 0 else -1, int(found.level[row]))
            for row, kept in enumerate(found.kept_of.tolist()[: len(places)])
        }

    plain = told(judge(range(len(rows))), list(range(len(rows))))
    assert plain == told(judge(order), order) == told(judge(order, extra=3), order)


def test_a_row_is_not_removed_along_a_chain():
    a, b, c = range(0, 20), range(2, 22), range(4, 24)  # J(a, b) = J(b, c) = .82, J(a, c) = .67
    found = thin_near([a, b, c])
    assert found.kept_of.tolist() == [-1, 0, -1]
    assert found.nearest.tolist() == [-1, -1, 0]
    assert found.similarity.tolist() == pytest.approx([0, 18 / 22, 16 / 24])


def test_a_row_goes_for_its_most_similar_kept_row_and_of_equals_for_the_first():
    low, high, row = range(0, 16), range(8, 24), range(2, 18)
    assert thin_near([low, high, row], 0.6).kept_of.tolist() == [-1, -1, 0]
    assert thin_near([high, low, row], 0.6).kept_of.tolist() == [-1, -1, 1]
    middle = range(4, 20)  # as near to low as to high
    assert thin_near([low, high, middle], 0.6).kept_of.tolist() == [-1, -1, 0]
    assert thin_near([low, high, middle], 0.6, rank=[1, 0, 2]).kept_of.tolist() == [-1, -1, 1]


def test_a_fixed_row_stays_and_comes_first():
    assert thin_near([range(20), range(1, 21)], fixed=[1]).kept_of.tolist() == [1, -1]
    assert thin_near([range(20), range(1, 21)], fixed=[0, 1]).kept_of.tolist() == [-1, -1]


def test_components_and_empty_rows_stay_apart():
    found = thin_near([{1, 2}, {1, 2}, {1, 2}, set(), set()], component=[0, 1, 1, 0, 0])
    assert found.kept_of.tolist() == [-1, -1, 1, -1, -1]


def test_the_longest_of_a_growing_conversation_stays():
    found = thin(candidates([{1}] * 4, talks=["ab", "abab", "a", "abba"]), Bounds(0.7, 0.5, 0.9, 64))
    assert found.kept_of.tolist() == [1, -1, 1, -1]
    assert found.level.tolist() == [SNAPSHOT, KEPT, SNAPSHOT, KEPT]


def test_a_part_goes_for_the_whole_unless_its_last_message_is_not_there():
    whole, part = set(range(100)), set(range(30))
    keys = ragged([[7], [7]])
    inside = np.full((2, CLOSING), 29, np.uint32)
    found = thin(candidates([part, whole], None, keys, inside), Bounds(0.7, 0.5, 0.9, 64))
    assert (found.kept_of.tolist(), found.level.tolist()) == ([1, -1], [CONTAINED, KEPT])
    another_answer = np.full((2, CLOSING), 500, np.uint32)
    found = thin(candidates([part | {500}, whole], None, keys, another_answer), Bounds(0.7, 0.5, 0.9, 64))
    assert found.kept_of.tolist() == [-1, -1]


def test_of_several_kept_all_that_are_alike_are_tied_and_contained_leaves_them_alone():
    """Two that are not alike, and a third that is like both; beside them a part of the first."""
    first, second, both, part = set(range(100)), set(range(40, 140)), set(range(20, 120)), set(range(95))
    rows, keys = [first, second, both, part], ragged([[1], [1], [1], [1]])
    closing = np.zeros((4, CLOSING), np.uint32)
    found = thin(candidates(rows, keys, keys, closing), Bounds(0.6, 0.5, 0.9, 64, 3))
    assert found.kept_of.tolist() == [-1] * 4
    assert set(union_find(np.arange(4), found.tied, 4).tolist()) == {0}
    fixed = thin(candidates(rows, keys, keys, closing, fixed=[0]), Bounds(0.6, 0.5, 0.9, 64, 3))
    assert fixed.kept_of.tolist() == [-1, -1, 0, 0]
    apart = ragged([[1], [2], [3], [4]])  # level near does not see them
    fixed = thin(candidates(rows, apart, keys, closing, fixed=[0]), Bounds(0.6, 0.5, 0.9, 64, 3))
    assert fixed.kept_of.tolist() == [-1, -1, -1, 0]


def test_a_kept_row_is_tied_to_all_that_it_is_related_to_not_to_the_nearest_alone():
    first, second, both, apart = range(0, 30), range(18, 48), range(8, 38), range(90, 120)  # .2, .58, .5
    found = thin_near([first, second, both, apart], related=0.45)
    assert (found.kept_of.tolist(), found.nearest.tolist()) == ([-1] * 4, [-1, -1, 0, -1])
    assert union_find(np.arange(4), found.tied, 4).tolist() == [0, 0, 0, 3]


def test_a_row_judged_again_that_stays_is_tied_to_those_that_it_is_related_to():
    first, again, whole, related = range(0, 30), range(3, 33), range(0, 400), range(12, 42)  # .82, .54 with the second
    near, anchors = ragged([[1], [1], [], [1]]), ragged([[1], [], [1], []])
    given = candidates([first, again, whole, related], near, anchors, rank=[0, 2, 3, 1])
    found = thin(given, Bounds(0.7, 0.5, 0.9, 64))
    assert found.kept_of.tolist() == [2, -1, -1, -1]
    assert len(set(union_find(np.arange(4), found.tied, 4)[[1, 3]].tolist())) == 1


def test_a_row_judged_again_is_tied_to_those_that_it_is_like():
    alike, other, again = set(range(80)), set(range(5, 85)), set(range(2, 82))
    whole = set(range(400))
    rows, near, anchors = [alike, other, again, whole], ragged([[1], [1], [1], []]), ragged([[1], [], [], [1]])
    closing = np.zeros((4, CLOSING), np.uint32)
    found = thin(candidates(rows, near, anchors, closing), Bounds(0.7, 0.5, 0.9, 64, 2))
    assert found.kept_of.tolist() == [3, -1, -1, -1]
    assert len(set(union_find(np.arange(4), found.tied, 4)[[1, 2]].tolist())) == 1


def test_a_row_whose_kept_row_goes_later_is_judged_again():
    # 1 is the beginning of 0; 0 is near 2, which ranks first; 1 itself is unlike 2 and stays.
    sets = [set(range(20)), set(range(5)), set(range(1, 21))]
    bands = ragged([[1], [], [1]])
    found = thin(candidates(sets, bands, talks=["ab", "a", "cd"], rank=[1, 2, 0]), Bounds(0.7, 0.5, 0.9, 64))
    assert (found.kept_of.tolist(), found.level.tolist()) == ([2, -1, -1], [NEAR, KEPT, KEPT])
    # With an anchor in common it is part of 2.
    anchors, closing = ragged([[], [3], [3]]), np.full((3, CLOSING), 4, np.uint32)
    sets[2] = set(range(20)) | {30}
    found = thin(
        candidates(sets, bands, anchors, closing, ["ab", "a", "cd"], rank=[1, 2, 0]), Bounds(0.7, 0.5, 0.9, 64)
    )
    assert (found.kept_of.tolist(), found.level.tolist()) == ([2, 2, -1], [NEAR, CONTAINED, KEPT])


def test_a_beginning_judged_again_goes_for_a_longer_one_that_stays_after_all():
    # 0 is the beginning of 1, which is near 2, which is part of 3. 1 is not, stays, and takes 0, which ranks first.
    sets = [set(range(5)), set(range(1, 21)), set(range(20)), set(range(20)) | set(range(100, 200))]
    bands, anchors, closing = (
        ragged([[], [1], [1], []]),
        ragged([[], [], [3], [3]]),
        np.full((4, CLOSING), 4, np.uint32),
    )
    rows = candidates(sets, bands, anchors, closing, ["a", "ab", "cd", "ef"], rank=[0, 2, 1, 3])
    found = thin(rows, Bounds(0.7, 0.5, 0.9, 64))
    assert found.kept_of.tolist() == [1, -1, 3, -1]
    assert found.level.tolist() == [SNAPSHOT, KEPT, CONTAINED, KEPT]


def test_a_hundred_thousand_copies_cost_one_comparison_each():
    count = 100_000
    copy = np.arange(0, 3000, 10, dtype=np.uint32)
    found = Shingles(np.tile(copy, count), np.arange(count + 1) * len(copy), np.full(count, 300, np.int32))
    started = time.perf_counter()
    result = thin_near(found, shape=(25, 5))
    assert time.perf_counter() - started < 30
    assert (result.kept_of[1:] == 0).all() and (result.compared, result.rejected) == (count - 1, 0)
    assert (result.bands_shared[1:] == 25).all()


def test_a_hot_bucket_bounds_the_comparisons_and_copies_are_still_found():
    family = [{*range(4), *range(100 + 8 * row, 108 + 8 * row)} for row in range(400)]  # J of any two: .2
    found = thin_near([*family, *family], limit=5, shape=(4, 1))
    assert found.kept_of.tolist() == [-1] * 400 + list(range(400))
    assert found.hot_buckets > 0
    assert found.compared <= 400 * 4 * 5 + 400


def test_what_cannot_be_thinned_is_refused():
    with pytest.raises(ValueError, match="equal rank"):
        thin_near([{1}, {2}], rank=[7, 7])
    with pytest.raises(ValueError, match=r"threshold=0\.7, related=0\.8"):
        thin_near([{1}, {2}], related=0.8)
    with pytest.raises(ValueError, match="as many rows everywhere"):
        thin_near([{1}, {2}], rank=[1])


def test_texts_go_through_all_kernels():
    story = "Once upon a time there was a fox who lived in a deep green forest and was afraid of nothing at all."
    shingles = sets_of(
        [[story], [story.upper(), "!"], [story + " The end."], ["Something else entirely, as it were."], [" "]]
    )
    assert thin_near(shingles, shape=(25, 5)).kept_of.tolist() == [-1, 0, 0, -1, -1]


@pytest.mark.skipif(not REAL, reason="WINNOW_REAL_DATA is not set; .ci/run sets it")
def test_no_real_row_is_left_with_a_kept_near_copy():
    """Truth: every pair with Jaccard >= .5 by word 5-grams, an all-pairs comparison made without these kernels."""
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
    component = union_find(a[shares_band], b[shares_band], len(place))
    found = thin_near(shingles, 0.8, component=component, shape=(25, 5))
    is_kept = found.kept_of < 0
    left = np.union1d(a[near & is_kept[a] & is_kept[b]], b[near & is_kept[a] & is_kept[b]])
    assert len(left) / len(np.union1d(a[near], b[near])) < 0.005
