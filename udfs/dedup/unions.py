"""Which nodes of a graph hang together? Exact union-find in memory."""

from typing import Any

import numpy as np

from udfs.compiled import compiled, freeze


def union_find(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    """The connected component of each of ``n`` nodes, named by its least member (int64), for edges ``a[i]``-``b[i]``.

    Raises ValueError for nodes outside 0..n-1.
    """
    a, b = freeze(a, np.int64), freeze(b, np.int64)
    if len(a) != len(b) or (len(a) and (min(a.min(), b.min()) < 0 or max(a.max(), b.max()) >= n)):
        raise ValueError(f"expected pairs of nodes in 0..{n - 1}, found {len(a)} and {len(b)} ends, some outside")
    return _unite(a, b, n)


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
