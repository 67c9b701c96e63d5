import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.dedup.unions import union_find


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
