import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.shingling import sets_of
from udfs.minhash import NO_KEY, band_keys, recall
from udfs.shingles import Shingles


@pytest.mark.parametrize(("similarity", "expected"), [(0.5, 0.548), (0.6, 0.868), (0.7, 0.990), (0.8, 0.99995)])
def test_recall_is_the_curve_of_banding(similarity, expected):
    assert recall(similarity, 25, 5) == pytest.approx(expected, abs=5e-4)
    assert 1 - recall(0.9, 25, 5) == pytest.approx(2e-10, rel=0.05)


@pytest.mark.parametrize(("bands", "rows"), [(25, 5), (14, 8), (1, 1), (20, 3)])
@pytest.mark.parametrize("common", [60, 70, 80, 90])
def test_pairs_share_a_band_as_often_as_the_curve_says(bands, rows, common):
    similarity = common / (200 - common)  # two sets of 100
    words = np.random.default_rng(common).integers(0, 2**32, (1500, 200 - common), dtype=np.uint32)
    pairs = [np.sort(words[:, :100], axis=1), np.sort(words[:, -100:], axis=1)]
    first, second = (band_keys(sets(each), bands, rows, seed=4) for each in pairs)
    share = (first == second).any(axis=1).mean()
    expected = recall(similarity, bands, rows)
    assert abs(share - expected) <= 4 * np.sqrt(expected * (1 - expected) / 1500) + 0.002


def sets(rows: np.ndarray) -> Shingles:
    """Sets of equal size as Shingles."""
    count, size = rows.shape
    return Shingles(rows.ravel(), np.arange(count + 1) * size, np.full(count, size, np.int32))


def test_a_conversation_without_shingles_has_no_key():
    keys = band_keys(sets_of([["a b"], [""], ["?"], []]), 25, 5, seed=1)
    assert (keys.shape, keys.dtype) == ((4, 25), np.int64)
    assert (keys[[1, 3]] == NO_KEY).all() and (keys[[0, 2]] != NO_KEY).all()


def test_keys_depend_on_the_set_the_rows_and_the_seed_alone():
    found = sets_of([["one two three four five six"], ["x"], ["six five four three two one"]])
    keys = band_keys(found, 25, 5, seed=1)
    assert (band_keys(sets_of([["x"]]), 25, 5, seed=1)[0] == keys[1]).all()
    assert (band_keys(found, 7, 5, seed=1) == keys[:, :7]).all()
    assert not np.intersect1d(band_keys(found, 25, 5, seed=2), keys).size
    assert not np.intersect1d(band_keys(found, 25, 4, seed=1), keys).size
    assert len(np.unique(keys)) == keys.size


def test_keys_are_the_same_on_every_machine():
    keys = band_keys(Shingles(np.array([5, 77, 2**31], np.uint32), np.array([0, 3]), np.array([7])), 3, 5, seed=1)
    assert keys.tolist() == [[6882595134711513546, 5911488152683829084, 2311870795103650847]]


@given(st.lists(st.sets(st.integers(0, 2**32 - 1), max_size=9), max_size=5), st.integers(1, 9), st.integers(1, 9))
@settings(deadline=None, max_examples=60)
def test_equal_minima_and_only_they_give_equal_keys(rows, bands, size):
    flat = np.array([word for row in rows for word in sorted(row)], np.uint32)
    found = Shingles(flat, np.cumsum([0] + [len(row) for row in rows]), np.zeros(len(rows), np.int32))
    keys = band_keys(found, bands, size, seed=3)
    single = band_keys(found, bands * size, 1, seed=3).reshape(len(rows), bands, size)
    for a in range(len(rows)):
        for b in range(len(rows)):
            assert ((keys[a] == keys[b]) == (single[a] == single[b]).all(axis=1)).all()


@pytest.mark.parametrize(("bands", "rows", "seed"), [(0, 5, 1), (5, 0, 1), (5, 5, -1), (5, 5, 2**32)])
def test_no_bands_and_negative_seeds_are_refused(bands, rows, seed):
    with pytest.raises(ValueError, match="bands of rows"):
        band_keys(sets_of([["a"]]), bands, rows, seed)
