"""Which rows hang together, when their edges are more than one machine holds? Alternating stars on blocks of edges.

Kiveris, Lattanzi, Mirrokni, Rastogi and Vassilvitskii 2014, "Connected components in MapReduce and beyond": large-star
and small-star in turn leave every row linked to the least row of its component, in O(log(rows)**2) rounds, with never
more edges than at the start. Here small-star is a union-find of all edges that meet in one part, which joins at least
as much.

Pure functions from Arrow to Arrow; ``jobs/duplicates/connected.py`` runs them on executors. An edge is a pair
``child`` > ``parent`` of 64-bit row numbers; a block is many edges as one binary value (all children, then all
parents), since rows of two numbers are slow to shuffle.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from udfs.dedup.blocks import dealt
from udfs.dedup.grouping import firsts
from udfs.dedup.unions import union_find

_BLOCK = 1 << 20
_COPIES = ["row", "is_copy"]
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Edges(NamedTuple):
    """Edges as two int64 arrays of one length, ``child[i] > parent[i]``; only where it says so, a row with itself."""

    child: np.ndarray
    parent: np.ndarray


def contract(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Edges as rows (``a``, ``b``, either may be less, any of them more than once) -> blocks of a forest with the same
    components: every row linked to the least row it hangs together with here. Edges of a row to itself leave nothing.

    Those that are ``is_equal`` are there once more as they came, ``b`` as child, in blocks of their own that say so.
    ``digest``, summed over all blocks modulo 2**40, tells the edges that came from others, in whatever order.
    """
    names = ("a", "b", "is_equal")
    parts = [[batch.column(name).to_numpy(False) for name in names] for batch in batches if batch.num_rows]
    if parts:
        a, b, is_equal = map(np.concatenate, zip(*parts, strict=True))
        digest = _digest(a, b)
        kinds = [(forest(a, b), False), *([(Edges(b[is_equal], a[is_equal]), True)] if is_equal.any() else [])]
        for edges, are_equal in kinds:
            for block in _blocks(edges):
                block = block.append_column("digest", pa.array([digest], pa.int64()))
                yield block.append_column("is_equal", pa.array([are_equal]))
                digest = 0


def contract_known(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """:func:`contract` of rows (``row``, ``component``) of which it is known what they hang together with."""
    names = ["a", "b", "is_equal"]
    for batch in batches:
        columns = [batch.column("component"), batch.column("row"), pa.array(np.zeros(len(batch), bool))]
        yield from contract([pa.RecordBatch.from_arrays(columns, names)])


def _digest(a: np.ndarray, b: np.ndarray) -> int:
    hashes = a.view(np.uint64) * _SPREAD + b.view(np.uint64)
    hashes = (hashes ^ (hashes >> np.uint64(29))) * _SPREAD
    return int((~hashes >> np.uint64(24)).sum()) & (2**40 - 1)


def forest(a: np.ndarray, b: np.ndarray) -> Edges:
    """The edges ``a[i]``-``b[i]`` contracted: each row that is not the least of its component, linked to the least."""
    ends = pa.array(np.concatenate([a, b])).dictionary_encode()
    rows, places = ends.dictionary.to_numpy(), ends.indices.to_numpy().astype(np.int64)
    labels = union_find(places[: len(a)], places[len(a) :], len(rows))
    least = rows[labels]
    np.minimum.at(least, labels, rows)  # at the place of each label: a root is its component's first row, not its least
    parents = least[labels]
    children = np.flatnonzero(parents != rows)
    return Edges(rows[children], parents[children])


def route(batches: Iterable[pa.RecordBatch], parts: int, to_both: bool) -> Iterator[pa.RecordBatch]:
    """Blocks -> blocks for one part each (``part``): the part of the child (``by_child``), with ``to_both`` also a copy
    for the part of the parent. Edges of a row to itself are left out."""
    for batch in batches:
        edges = _without_loops(_read(batch.column("edges")))
        sides = [(True, edges.child), (False, edges.parent)] if to_both else [(True, edges.child)]
        for by_child, rows in sides:
            yield _routed(edges, part_of(rows, parts), by_child)


def small_stars(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Edges routed by child -> blocks: the parents of one child now hang together, by the least of them."""
    parts = [_read(batch.column("edges")) for batch in batches]
    if parts:
        yield from _blocks(forest(*joined(parts)))


def large_stars(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Edges routed to both ends -> blocks: the children of one row now hang on its least parent, where it has one, else
    on the row itself, and each such parent is there with itself.

    ``unsettled`` is the number of edges that moved or had a sibling. Once that is 0 in all blocks of all parts, the
    blocks hold every row once, with the least row of its component.
    """
    above: list[Edges] = []
    below: list[Edges] = []
    for batch in batches:
        by_child = batch.column("by_child")
        above.append(_read(batch.column("edges").filter(by_child)))
        below.append(_read(batch.column("edges").filter(pa.compute.invert(by_child))))
    if above:
        yield from _blocks(*_lift(_distinct(joined(above)), _distinct(joined(below))))


def sizes(batches: Iterable[pa.RecordBatch], least: int) -> Iterator[pa.RecordBatch]:
    """Settled blocks -> the components of at least this many rows: ``component``, ``size``; one that lies in two
    batches has a line for each piece that is as large."""
    for batch in batches:
        names, counts = large_ones(_read(batch.column("edges")).parent, least)
        yield pa.RecordBatch.from_arrays([pa.array(names), pa.array(counts)], ["component", "size"])


def label(batches: Iterable[pa.RecordBatch], heavy: "Parts", parts: int) -> Iterator[pa.RecordBatch]:
    """Settled blocks -> a line for every row: ``row``, ``component``, ``part``."""
    for batch in batches:
        edges = _read(batch.column("edges"))
        part = pa.array(spread(edges.parent, heavy, parts))
        yield pa.RecordBatch.from_arrays(
            [pa.array(edges.child), pa.array(edges.parent), part], ["row", "component", "part"]
        )


def copies(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Blocks of rows with the same messages -> ``row``, ``is_copy``: is it another row than the least of them? A row
    number of two conversations may be there twice."""
    for batch in batches:
        edges = _read(batch.column("edges"))
        yield pa.RecordBatch.from_arrays([pa.array(edges.child), pa.array(edges.child != edges.parent)], _COPIES)


def are_copies(rows: np.ndarray, equal: Edges) -> pa.Array:
    """``is_copy`` as :func:`copies` tells it, of each of these rows; null where no other has its messages."""
    order = np.lexsort((equal.child != equal.parent, equal.child))
    child, firsts = np.unique(equal.child[order], return_index=True)
    is_copy = (equal.child != equal.parent)[order][firsts]
    place = np.minimum(np.searchsorted(child, rows), max(len(child) - 1, 0))
    if not len(child):
        return pa.nulls(len(rows), pa.bool_())
    return pa.array(is_copy[place], mask=child[place] != rows)


class Parts(NamedTuple):
    """The parts chosen for the large components: ``component`` int64, ascending, and ``part`` int32."""

    component: np.ndarray
    part: np.ndarray


def large_ones(component: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """The components, of one entry a row, that have at least this many rows; and how many."""
    names, counts = np.unique(component, return_counts=True)
    large = counts >= least
    return names[large], counts[large]


def balance(component: np.ndarray, size: np.ndarray, parts: int) -> Parts:
    """A part for each of these components (each named once), the largest first, each to the lightest part so far."""
    chosen, loads = np.empty(len(component), np.int32), np.zeros(parts, np.int64)
    for place in np.lexsort((component, -size)):
        chosen[place] = loads.argmin()
        loads[chosen[place]] += size[place]
    order = np.argsort(component)
    return Parts(component[order], chosen[order])


def spread(component: np.ndarray, heavy: Parts, parts: int) -> np.ndarray:
    """The part (int32) of each component: the chosen one for the large, one by hash for the others."""
    found, place = part_of(component, parts), np.searchsorted(heavy.component, component)
    place = np.minimum(place, len(heavy.component) - 1)
    return np.where(heavy.component[place] == component, heavy.part[place], found) if len(heavy.part) else found


def part_of(rows: np.ndarray, parts: int) -> np.ndarray:
    """The part (int32, 0 to ``parts`` - 1) of each row number, by its hash."""
    hashes = rows.view(np.uint64) * _SPREAD
    return ((hashes >> np.uint64(32)) * np.uint64(parts) >> np.uint64(32)).astype(np.int32)


def read(blocks: Iterable[bytes]) -> Edges:
    """The edges of blocks, end to end."""
    pairs = [np.frombuffer(block, np.int64).reshape(2, -1) for block in blocks]
    child, parent = np.concatenate(pairs, axis=1) if pairs else np.empty((2, 0), np.int64)
    return Edges(child, parent)


def _lift(above: Edges, below: Edges) -> tuple[Edges, int]:
    """Every edge of ``below`` moved up to its parent's least parent, which ``above`` has if there is one, with the
    parents themselves; and how many edges were not settled. Both are distinct, by child and then parent."""
    heads = firsts(above.child)
    child, least = above.child[heads], above.parent[heads]
    place = np.minimum(np.searchsorted(child, below.parent), max(len(child) - 1, 0))
    moves = child[place] == below.parent if len(child) else np.zeros(len(below.parent), bool)
    parent = below.parent.copy()
    parent[moves] = least[place[moves]]
    roots = np.unique(parent)
    lifted = Edges(np.concatenate([roots, below.child]), np.concatenate([roots, parent]))
    return lifted, len(above.child) - len(child) + int(moves.sum())


def _without_loops(edges: Edges) -> Edges:
    differs = edges.child != edges.parent
    return Edges(edges.child[differs], edges.parent[differs])


def _distinct(edges: Edges) -> Edges:
    """Each edge once, by child and then parent."""
    order = np.lexsort((edges.parent, edges.child))
    child, parent = edges.child[order], edges.parent[order]
    is_new = np.append(True, (child[1:] != child[:-1]) | (parent[1:] != parent[:-1]))[: len(child)]
    return Edges(child[is_new], parent[is_new])


def joined(parts: list[Edges]) -> Edges:
    """All edges of these, end to end."""
    return Edges(*map(np.concatenate, zip(*parts, strict=True)))


def _read(blocks: pa.Array) -> Edges:
    return read(block.as_buffer() for block in blocks)


def _blocks(edges: Edges, unsettled: int = 0) -> Iterator[pa.RecordBatch]:
    """At least one block, of which the first carries ``unsettled``; none is larger than 16 MB."""
    for start in range(0, max(len(edges.child), 1), _BLOCK):
        piece = Edges(*(side[start : start + _BLOCK] for side in edges))
        columns = {
            "edges": pa.array([np.stack(piece).tobytes()], pa.binary()),
            "count": pa.array([len(piece.child)], pa.int64()),
            "unsettled": pa.array([0 if start else unsettled], pa.int64()),
        }
        yield pa.RecordBatch.from_pydict(columns)


def _routed(edges: Edges, place: np.ndarray, by_child: bool) -> pa.RecordBatch:
    order, spans = dealt(place)
    pairs = np.stack(edges)[:, order]
    columns = {
        "part": pa.array([part for part, _, _ in spans], pa.int32()),
        "by_child": pa.array([by_child] * len(spans), pa.bool_()),
        "edges": pa.array([pairs[:, start:end].tobytes() for _, start, end in spans], pa.binary()),
    }
    return pa.RecordBatch.from_pydict(columns)
