import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.dedup.grouping import group

FEW = st.integers(0, 20) | st.integers(0, 2**64 - 1) | st.integers(0, 20).map(lambda key: key << 44)


def grouped_slowly(keys, shift):
    """The places of each bucket's keys, in order, by bucket."""
    found = {}
    for place, key in enumerate(keys):
        found.setdefault(key >> shift, []).append(place)
    return found


@given(st.lists(FEW, max_size=60), st.sampled_from([0, 1, 44]))
@settings(deadline=None)
def test_equal_keys_stand_together_in_the_order_in_which_they_came(keys, shift):
    given = np.array(keys, np.uint64)
    found, places = group(given, np.arange(len(keys)), shift)
    assert found.tolist() == given[places].tolist()
    buckets = (found >> np.uint64(shift)).tolist()
    runs = [key for place, key in enumerate(buckets) if place == 0 or buckets[place - 1] != key]
    expected = grouped_slowly(keys, shift)
    assert sorted(runs) == sorted(expected)
    assert places.tolist() == [place for key in runs for place in expected[key]]


@pytest.mark.parametrize("distinct", [1, 1000, 400_000])
def test_many_keys_few_or_many_of_them_equal(distinct):
    """Of one key, all are in one part; of many there are as many parts as there can be."""
    rng = np.random.default_rng(distinct)
    keys = rng.integers(0, 2**64, distinct, np.uint64)[rng.integers(0, distinct, 400_000)]
    found, places = group(keys, np.arange(400_000))
    assert (found == keys[places]).all()
    assert (np.bincount(places, minlength=400_000) == 1).all()
    assert np.count_nonzero(found[1:] != found[:-1]) + 1 == len(set(keys.tolist()))


def test_the_keys_that_were_given_stay_as_they_were():
    keys, values = np.array([3, 1, 3], np.uint64), np.array([7, 8, 9])
    group(keys, values)
    assert (keys.tolist(), values.tolist()) == ([3, 1, 3], [7, 8, 9])
