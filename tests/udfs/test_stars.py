import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.dedup import stars

pairs = st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), max_size=60)


def least_rows(edges) -> dict[int, int]:
    """Each row with an edge to another, and the least row of its component: labels handed on until none changes."""
    least = {row: row for edge in edges if edge[0] != edge[1] for row in edge}
    changed = True
    while changed:
        changed = False
        for a, b in edges:
            lower = min(least.get(a, a), least.get(b, b))
            for row in {a, b} & least.keys():
                changed |= least[row] != lower
                least[row] = lower
    return least


def rows_of(edges) -> pa.RecordBatch:
    ends = np.array(edges, np.int64).reshape(-1, 2)
    columns = [pa.array(ends[:, 0]), pa.array(ends[:, 1]), pa.array(np.zeros(len(ends), bool))]
    return pa.RecordBatch.from_arrays(columns, ["a", "b", "is_equal"])


def exchange(batches, parts):
    """What a shuffle does: the batches of each part."""
    table = pa.Table.from_batches(list(batches))
    found = (table.filter(pc.equal(table["part"], part)).to_batches() for part in range(parts))
    return [batches for batches in found if batches]


def settle(edges, partitions, parts):
    """Rounds of stars until nothing moves; the rows with their component, and how many rounds it took."""
    blocks = [b for start in range(partitions) for b in stars.contract([rows_of(edges[start::partitions])])]
    rounds, unsettled = 0, 1
    while unsettled:
        met = exchange(stars.route(blocks, parts, False), parts) if blocks else []
        blocks = [block for batches in met for block in stars.small_stars(batches)]
        met = exchange(stars.route(blocks, parts, True), parts) if blocks else []
        blocks = [block for batches in met for block in stars.large_stars(batches)]
        rounds, unsettled = rounds + 1, sum(block.column("unsettled")[0].as_py() for block in blocks)
    child, parent = stars.read(value.as_buffer() for block in blocks for value in block.column("edges"))
    assert len(np.unique(child)) == len(child)
    return dict(zip(child.tolist(), parent.tolist(), strict=True)), rounds


@given(pairs, st.integers(1, 4), st.integers(1, 5))
def test_stars_name_every_row_after_the_least_of_its_component(edges, partitions, parts):
    assert settle(edges, partitions, parts)[0] == least_rows(edges)


@given(pairs, st.integers(1, 4), st.integers(1, 5))
def test_no_round_makes_more_edges_than_there_were(edges, partitions, parts):
    blocks = [b for start in range(partitions) for b in stars.contract([rows_of(edges[start::partitions])])]
    if blocks:
        before = sum(block.column("count")[0].as_py() for block in blocks)
        met = exchange(stars.route(blocks, parts, False), parts)
        after = [block for batches in met for block in stars.small_stars(batches)]
        assert sum(block.column("count")[0].as_py() for block in after) <= before <= len(edges)


@pytest.mark.parametrize("length", [100, 1_000, 10_000])
def test_a_chain_in_random_order_takes_rounds_by_the_logarithm_of_its_length(length):
    rows = np.random.default_rng(1).permutation(length)
    members, rounds = settle(np.stack([rows[:-1], rows[1:]], axis=1), 4, 4)
    assert set(members.values()) == {0}
    assert len(members) == length
    assert rounds <= np.log2(length)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=300), st.integers(1, 4))
def test_heavy_components_are_spread_by_size_and_every_component_is_in_one_part(component, parts):
    component = np.array(component)
    heavy = stars.balance(*stars.large_ones(component, 2), parts)
    part = stars.spread(component, heavy, parts)
    assert set(part) <= set(range(parts))
    assert len({(c, p) for c, p in zip(component, part, strict=True)}) == len(np.unique(component))
    loads = np.bincount(part[np.isin(component, heavy.component)], minlength=parts)
    largest = max(np.unique(component, return_counts=True)[1])
    assert loads.max() - loads.min() <= largest


def test_blocks_are_cut_at_a_million_edges():
    edges = np.stack([np.arange(1, 2_500_001), np.zeros(2_500_000, np.int64)], axis=1)
    blocks = list(stars.contract([rows_of(edges)]))
    assert [block.column("count")[0].as_py() for block in blocks] == [1 << 20, 1 << 20, 2_500_000 - (2 << 20)]


@given(pairs.filter(len), st.randoms())
def test_the_digest_tells_edges_apart_whatever_their_order_and_partitions(edges, random):
    def digest(edges, partitions):
        blocks = [b for start in range(partitions) for b in stars.contract([rows_of(edges[start::partitions])])]
        return sum(block.column("digest")[0].as_py() for block in blocks) % 2**40

    shuffled = random.sample(edges, len(edges))
    assert digest(edges, 1) == digest(shuffled, 3)
    assert digest(edges, 1) != digest(edges[1:], 1)
    assert digest(edges, 1) != digest([(edges[0][0], edges[0][1] + 1), *edges[1:]], 1)


def test_edges_of_equal_messages_are_part_of_the_forest_and_told_once_more():
    columns = {"a": [1, 1, 1, 4], "b": [1, 3, 9, 5], "is_equal": [True, True, True, False]}
    told = list(stars.contract([pa.RecordBatch.from_pydict(columns)]))
    forest, equal = ([block for block in told if block["is_equal"][0].as_py() is kind] for kind in (False, True))
    child, parent = stars.read(block["edges"][0].as_buffer() for block in forest)
    assert sorted(zip(child.tolist(), parent.tolist(), strict=True)) == [(3, 1), (5, 4), (9, 1)]
    (copies,) = stars.copies(equal)
    assert copies.to_pydict() == {"row": [1, 3, 9], "is_copy": [False, True, True]}
    edges = stars.read(block["edges"][0].as_buffer() for block in equal)
    assert stars.are_copies(np.array([9, 5, 1]), edges).to_pylist() == [True, None, False]
    assert stars.are_copies(np.array([9]), stars.read([])).to_pylist() == [None]
