"""Which near copies go, and which rows stay for them: exact Jaccard similarity against the rows that are kept.

A row is compared with kept rows only, never along a chain: where A is like B and B like C but A unlike C, C is not
removed for A.
"""

from typing import Any, NamedTuple

import numpy as np

from udfs.compiled import compiled, freeze
from udfs.minhash import NO_KEY
from udfs.shingles import Shingles


class Thinned(NamedTuple):
    """What :func:`thin` found for n rows.

    - ``kept_of`` int64: the kept row a row was removed for, -1 for kept rows.
    - ``related_to`` int64: for a kept row, the most similar row kept before it if ``related`` <= J < ``threshold``,
      else -1.
    - ``similarity`` float64 and ``bands_shared`` int16: exact Jaccard and number of equal band keys with that row
      (``kept_of`` or ``related_to``), 0 where there is none.
    - ``compared``: pairs whose sets were read; ``rejected``: pairs with a common bucket and J < ``threshold``;
      ``hot_buckets``: buckets that turned kept rows away.
    """

    kept_of: np.ndarray
    similarity: np.ndarray
    bands_shared: np.ndarray
    related_to: np.ndarray
    rejected: int
    compared: int
    hot_buckets: int


class Buckets(NamedTuple):
    """Rows by band key: ``rows[i, band]`` is the number of the bucket of row i, -1 where it is alone there.

    Bucket q lists its kept rows in ``starts[q]`` to ``starts[q + 1]``. The last column is for rows equal in all bands.
    """

    rows: np.ndarray
    starts: np.ndarray


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Jaccard similarity of two sets given as ascending distinct uint32 arrays: exact; 0.0 if both are empty."""
    a, b = freeze(a, np.uint32), freeze(b, np.uint32)
    common = _count_common(a, b, 0)
    return common / max(1, len(a) + len(b) - common)


def thin(
    shingles: Shingles,
    keys: np.ndarray,
    component: np.ndarray,
    rank: np.ndarray,
    threshold: float,
    related: float,
    bucket_limit: int,
) -> Thinned:
    """Remove every row with Jaccard >= ``threshold`` to a kept row of its component that shares a band key with it.

    Rows are taken in the order of ``rank`` (least first, distinct within a ``component``), so the result does not
    depend on the order of the arrays. A row goes for its most similar kept row, of equals the one first in rank; if
    there is none it is kept, and is listed in its buckets. A bucket lists its first ``bucket_limit`` kept rows, but rows
    with equal shingle sets always find each other. Hence a row is compared with ``bands * bucket_limit`` others at
    most, and copies cost one comparison each. Rows without shingles are kept and have no relations.

    ``keys`` are int64 (n, bands) of :func:`udfs.minhash.band_keys`; a key has one band. ``related`` <= ``threshold``.
    """
    _check(shingles, keys, component, rank, (related, threshold))
    order = np.lexsort((rank, component))
    if ((np.diff(rank[order]) == 0) & (np.diff(component[order]) == 0)).any():
        raise ValueError("rank: expected a total order, found rows of one component with equal rank")
    sets = Shingles(freeze(shingles.hashes, np.uint32), freeze(shingles.offsets, np.int64), freeze([], np.int32))
    buckets = _bucket(keys, component, bucket_limit)
    kept_of, similarity, shared, related_to, counts = _thin(sets, buckets, freeze(order, np.int64), (related, threshold))
    return Thinned(kept_of, similarity, shared, related_to, *counts.tolist())


def union_find(a: np.ndarray, b: np.ndarray, n: int) -> np.ndarray:
    """The connected component of each of ``n`` nodes, named by its least member (int64), for edges ``a[i]``-``b[i]``.

    Raises ValueError for nodes outside 0..n-1.
    """
    a, b = freeze(a, np.int64), freeze(b, np.int64)
    if len(a) != len(b) or (len(a) and (min(a.min(), b.min()) < 0 or max(a.max(), b.max()) >= n)):
        raise ValueError(f"expected pairs of nodes in 0..{n - 1}, found {len(a)} and {len(b)} ends, some outside")
    return _unite(a, b, n)


def _check(shingles: Shingles, keys: np.ndarray, component: np.ndarray, rank: np.ndarray, bounds: Any) -> None:
    lengths = {
        "shingles": len(shingles.offsets) - 1, "keys": len(keys), "component": len(component), "rank": len(rank)
    }  # fmt: skip
    if len(set(lengths.values())) > 1:
        raise ValueError(f"expected as many rows everywhere, found {lengths}")
    if not 0 < bounds[0] <= bounds[1] <= 1:
        raise ValueError(f"expected 0 < related <= threshold <= 1, found related {bounds[0]}, threshold {bounds[1]}")


def _bucket(keys: np.ndarray, component: np.ndarray, limit: int) -> Buckets:
    """Number the buckets of each component: rows of one component with one key, in one band or (last) in all."""
    n, bands = keys.shape
    rows = np.full((n, bands + 1), -1, np.int32)
    room = [np.zeros(1, np.int64)]
    first = 0
    # Multiplying by an odd number keeps components apart; two keys that still meet are told apart by _thin.
    salt = component.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    every = np.bitwise_xor.reduce(keys, axis=1)
    for band in range(bands + 1):
        column = (keys[:, band] if band < bands else every).astype(np.uint64) + salt
        _, inverse, counts = np.unique(column, return_inverse=True, return_counts=True)
        several = counts > 1
        numbers = np.where(several, np.cumsum(several) - 1 + first, -1)
        rows[:, band] = np.where(keys[:, 0] == NO_KEY, -1, numbers[inverse])
        room.append(np.minimum(counts[several], limit))
        first += int(several.sum())
    return Buckets(freeze(rows, np.int32), freeze(np.cumsum(np.concatenate(room)), np.int64))


@compiled
def _count_common(a: Any, b: Any, least: int) -> int:
    """How many values two ascending sets share, or -1 as soon as it is sure to be fewer than ``least``."""
    i, j, common = 0, 0, 0
    while i < len(a) and j < len(b):
        if common + min(len(a) - i, len(b) - j) < least:
            return -1
        x, y = a[i], b[j]  # no branches below: which is less cannot be predicted
        common += x == y
        i += x <= y
        j += y <= x
    return common


@compiled
def _compare(sets: Any, row: int, other: int, least: float) -> float:
    """Jaccard of two sets if it is at least ``least``, else any number below; -1 if their sizes rule it out."""
    a = sets.hashes[sets.offsets[row] : sets.offsets[row + 1]]
    b = sets.hashes[sets.offsets[other] : sets.offsets[other + 1]]
    if min(len(a), len(b)) < least * max(len(a), len(b)):
        return -1.0
    common = _count_common(a, b, int(least / (1 + least) * (len(a) + len(b))))
    return common / (len(a) + len(b) - common) if common > 0 else 0.0
