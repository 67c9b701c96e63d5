"""Which nodes of a graph hang together? Exact union-find in memory."""

from typing import Any

import numpy as np
from numba import uint64

from udfs.compiled import compiled, freeze, mix


def union_find(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    """The connected component of each of ``n`` nodes, named by its least member (int64), for edges ``a[i]``-``b[i]``.

    Raises ValueError for nodes outside 0..n-1.
    """
    a, b = freeze(a, np.int64), freeze(b, np.int64)
    if len(a) != len(b) or (len(a) and (min(a.min(), b.min()) < 0 or max(a.max(), b.max()) >= n)):
        raise ValueError(f"expected pairs of nodes in 0..{n - 1}, found {len(a)} and {len(b)} ends, some outside")
    return _unite(a, b, n)


def numbered(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values of an int64 array, in the order of their first places, and which of them each value is
    (int64). For values that occur many times each: 3 times as fast as sorting them."""
    return _number(freeze(rows, np.int64))


@compiled
def _number(rows: Any) -> tuple[Any, Any]:
    """A hash table with linear probing, made larger when it is half full. A slot holds a number, or -1."""
    slots, distinct = np.full(1 << 10, -1), np.empty(1 << 9, np.int64)
    numbers, count = np.empty(len(rows), np.int64), 0
    for place in range(len(rows)):
        slot = _find_slot(slots, distinct, rows[place])
        if slots[slot] < 0:
            if count == len(distinct):
                slots, distinct = _grow(distinct)
                slot = _find_slot(slots, distinct, rows[place])
            slots[slot], distinct[count] = count, rows[place]
            count += 1
        numbers[place] = slots[slot]
    return distinct[:count].copy(), numbers


@compiled
def _find_slot(slots: Any, distinct: Any, row: Any) -> Any:
    """Where a value's number is, or would be."""
    last = uint64(len(slots) - 1)
    slot = mix(uint64(row)) & last
    while slots[slot] >= 0 and distinct[slots[slot]] != row:
        slot = (slot + uint64(1)) & last
    return slot


@compiled
def _grow(distinct: Any) -> tuple[Any, Any]:
    """A table with four times the room for these values, all different."""
    slots, larger = np.full(8 * len(distinct), -1), np.empty(4 * len(distinct), np.int64)
    for number in range(len(distinct)):
        larger[number] = distinct[number]
        slots[_find_slot(slots, larger, distinct[number])] = number
    return slots, larger


@compiled
def _unite(a: Any, b: Any, n: int) -> Any:
    """Union-find with path halving; the lesser root becomes the root, so a root is its component's least node."""
    parent = np.arange(n)
    for edge in range(len(a)):
        first, second = _find_root(parent, a[edge]), _find_root(parent, b[edge])
        parent[max(first, second)] = min(first, second)
    for node in range(n):  # a parent is less than its child, so it has its root already
        parent[node] = parent[parent[node]]
    return parent


@compiled
def _find_root(parent: Any, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
