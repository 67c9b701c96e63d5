"""Which near copies go, and which rows stay for them: exact Jaccard similarity against the rows that are kept.

A row is compared with kept rows only, never along a chain: where A is like B and B like C but A unlike C, C is not
removed for A.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import uint64

from udfs.compiled import compiled, freeze, mix
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


class Sets(NamedTuple):
    """The part of :class:`udfs.shingles.Shingles` that comparing needs."""

    hashes: np.ndarray
    offsets: np.ndarray


class Buckets(NamedTuple):
    """Kept rows by band key, filled while rows are taken: bucket q holds ``kept[starts[q]:starts[q + 1]]``, in order.

    ``rows`` int32 (n, bands + 1): the bucket of each row in each band, -1 where it is alone; the last column is for
    rows with equal sets. ``arrivals``: how many kept rows came to each bucket, with or without room.
    """

    rows: np.ndarray
    starts: np.ndarray
    kept: np.ndarray
    arrivals: np.ndarray


class Met(NamedTuple):
    """Scratch: the kept rows in the buckets of the row at hand, ``kept``, each once.

    ``met_by``: the last row that met each row. ``position`` of every row in the order they are taken.
    """

    kept: np.ndarray
    met_by: np.ndarray
    position: np.ndarray


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
    there is none it is kept, and is listed in its buckets. A bucket lists its first ``bucket_limit`` kept rows, but
    rows with equal shingle sets find each other all the same. Hence a row is compared with ``bands * bucket_limit``
    others at most, and copies cost one comparison each. Rows without shingles are kept and have no relations.

    ``keys`` are int64 (n, bands) of :func:`udfs.minhash.band_keys`; a key has one band. ``related`` <= ``threshold``.
    """
    _check(shingles, keys, component, rank, (related, threshold))
    order = np.lexsort((rank, component))
    if ((np.diff(rank[order]) == 0) & (np.diff(component[order]) == 0)).any():
        raise ValueError("rank: expected a total order, found rows of one component with equal rank")
    n = len(order)
    position = np.empty(n, np.int64)
    position[order] = np.arange(n)
    sets = Sets(freeze(shingles.hashes, np.uint32), freeze(shingles.offsets, np.int64))
    buckets = _bucket(sets, keys, component, bucket_limit)
    met = Met(np.empty(n, np.int64), np.full(n, -1), freeze(position, np.int64))
    found = Thinned(np.full(n, -1), np.zeros(n), np.zeros(n, np.int16), np.full(n, -1), 0, 0, 0)
    rejected, compared = _thin(sets, buckets, freeze(order, np.int64), (float(related), float(threshold)), met, found)
    pairs = np.flatnonzero(found.similarity)
    others = np.maximum(found.kept_of, found.related_to)[pairs]
    found.bands_shared[pairs] = (keys[pairs] == keys[others]).sum(axis=1)
    hot = np.count_nonzero(buckets.arrivals > np.diff(buckets.starts))
    return found._replace(rejected=rejected, compared=compared, hot_buckets=int(hot))


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


def _bucket(sets: Sets, keys: np.ndarray, component: np.ndarray, limit: int) -> Buckets:
    """Number the buckets of each component: rows of one component with one key in one band or (last) with one set."""
    digests = _digest(sets)
    rows = np.empty((len(keys), keys.shape[1] + 1), np.int32)
    room = [np.zeros(1, np.int64)]
    first = 0
    # An odd factor keeps the components apart: two keys meet by a chance of 2**-64, and cost one comparison if so.
    salt = component.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for band, column in enumerate([*keys.T, digests]):
        _, inverse, counts = np.unique(column.astype(np.uint64) + salt, return_inverse=True, return_counts=True)
        several = counts > 1
        rows[:, band] = np.where(several, np.cumsum(several) - 1 + first, -1)[inverse]
        room.append(np.minimum(counts[several], limit))
        first += int(several.sum())
    rows[np.diff(sets.offsets) == 0] = -1
    starts = np.cumsum(np.concatenate(room))
    kept, arrivals = np.empty(starts[-1], np.int64), np.zeros(first, np.int64)
    return Buckets(freeze(rows, np.int32), freeze(starts, np.int64), kept, arrivals)


@compiled
def _digest(sets: Any) -> Any:
    """64 bits that are equal for equal sets."""
    digests = np.zeros(len(sets.offsets) - 1, np.uint64)
    for row in range(len(digests)):
        for place in range(sets.offsets[row], sets.offsets[row + 1]):
            digests[row] += mix(uint64(sets.hashes[place]) + uint64(1))
    return digests


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
    if min(len(a), len(b)) / max(len(a), len(b)) < least:
        return -1.0
    common = _count_common(a, b, int(least / (1 + least) * (len(a) + len(b))))
    return common / (len(a) + len(b) - common) if common > 0 else 0.0


@compiled
def _thin(sets: Any, buckets: Any, order: Any, bounds: tuple[float, float], met: Any, found: Any) -> tuple[int, int]:
    """Fill the columns of ``found``; returns how many pairs were rejected and how many compared."""
    rejected, compared = 0, 0
    for row in order:
        if sets.offsets[row] == sets.offsets[row + 1]:
            continue
        best, similarity = _find_copy(sets, buckets, row), 1.0
        if best >= 0:
            compared += 1
        else:
            best, similarity, below, read = _find_best(sets, row, _meet(buckets, row, met), bounds, met)
            rejected, compared = rejected + below, compared + read
        if best >= 0:
            found.similarity[row] = similarity
        if best >= 0 and similarity >= bounds[1]:
            found.kept_of[row] = best
        else:
            found.related_to[row] = best
            _enter(buckets, row)
    return rejected, compared


@compiled
def _find_copy(sets: Any, buckets: Any, row: int) -> int:
    """The kept row with the same shingles, or -1."""
    bucket = buckets.rows[row, -1]
    if bucket < 0 or buckets.arrivals[bucket] == 0:
        return -1
    other = buckets.kept[buckets.starts[bucket]]
    return other if _compare(sets, row, other, 1.0) == 1.0 else -1


@compiled
def _meet(buckets: Any, row: int, met: Any) -> int:
    """Collect the kept rows in the row's buckets, each once; returns how many there are."""
    count = 0
    for band in range(buckets.rows.shape[1] - 1):
        bucket = buckets.rows[row, band]
        if bucket < 0:
            continue
        start = buckets.starts[bucket]
        for place in range(start, min(start + buckets.arrivals[bucket], buckets.starts[bucket + 1])):
            other = buckets.kept[place]
            if met.met_by[other] != row:
                met.met_by[other], met.kept[count] = row, other
                count += 1
    return count


@compiled
def _find_best(sets: Any, row: int, count: int, bounds: tuple[float, float], met: Any) -> tuple[int, float, int, int]:
    """The most similar of the kept rows that were met, of equals the one taken first; -1 below ``related``.

    Also its similarity, how many of them are below ``threshold``, and how many were compared.
    """
    best, highest, below, read = -1, 0.0, 0, 0
    for place in range(count):
        other = met.kept[place]
        similarity = _compare(sets, row, other, bounds[0])
        below += similarity < bounds[1]
        read += similarity >= 0
        if similarity < bounds[0] or similarity < highest:
            continue
        if similarity > highest or met.position[other] < met.position[best]:
            best, highest = other, similarity
    return best, highest, below, read


@compiled
def _enter(buckets: Any, row: int) -> None:
    """List a kept row in its buckets, where there is room."""
    for band in range(buckets.rows.shape[1]):
        bucket = buckets.rows[row, band]
        if bucket < 0:
            continue
        place = buckets.starts[bucket] + buckets.arrivals[bucket]
        if place < buckets.starts[bucket + 1]:
            buckets.kept[place] = row
        buckets.arrivals[bucket] += 1


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
