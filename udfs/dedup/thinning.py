"""Which duplicates go, and which row stays for each? Every removal is verified, exactly, against a row that stays.

Three levels, each over the rows that the ones before left:

- ``snapshot``: all messages of a row, normalised, are the first ones of a longer row. The longest stays.
- ``near``: the exact Jaccard similarity of two shingle sets reaches a threshold. The one first in rank stays, or as
  many as asked for: a row goes once so many kept rows are like it.
- ``contained``: nearly all shingles of a row are in a larger row's set, and so is its last message (an answer of its
  own to a question that others asked too is no part of theirs). The larger stays.

A row is compared with kept rows only, never along a chain: where A is like B and B like C but A unlike C, C is not
removed for A. A row whose kept row was removed at a later level is judged again, against all rows that stay, and stays
itself if none of them will do. So in the end every removed row names a row that is kept.
"""

from typing import NamedTuple

import numpy as np

from udfs.compiled import freeze
from udfs.dedup import verifying
from udfs.dedup.buckets import is_whole, wanted
from udfs.dedup.grouping import firsts, group
from udfs.dedup.verifying import COMPARED, COUNTS, NEAR, REJECTED, SNAPSHOT, Limits
from udfs.shingles import Shingles

_NEVER = 2.0
"""A similarity that no two rows have."""


class Sets(NamedTuple):
    """Shingle sets of n rows: set i is ``hashes[starts[i]:ends[i]]``, uint32, distinct and ascending. Between the sets
    there may be others."""

    hashes: np.ndarray
    starts: np.ndarray
    ends: np.ndarray


class Ragged(NamedTuple):
    """Keys (uint64) of n rows: those of row i are ``keys[offsets[i]:offsets[i + 1]]`` (int64)."""

    keys: np.ndarray
    offsets: np.ndarray


class Candidates(NamedTuple):
    """n rows of whole components, in any order.

    ``component`` int64; ``rank`` int64, least first, distinct within a component; ``is_fixed`` bool: never removed,
    and before all others. ``closing`` uint32 (n, ``CLOSING``) of :func:`udfs.shingles.closings`. ``beginnings`` are the
    digests of the first 1, 2, ... all messages, uint64 (m, 2), of the rows ``owners`` (ascending). A level whose keys
    are all missing finds nothing.
    """

    component: np.ndarray
    rank: np.ndarray
    is_fixed: np.ndarray
    sets: Sets
    closing: np.ndarray
    bands: Ragged
    anchors: Ragged
    beginnings: np.ndarray
    owners: np.ndarray


class Bounds(NamedTuple):
    """From which exact similarity on: ``threshold`` (Jaccard, level near), ``related`` <= it (Jaccard of kept rows that
    are worth telling), ``containment`` (share of the lesser set, level contained). ``limit`` kept rows of a bucket are
    compared. ``keep`` of the rows like one stay at level near."""

    threshold: float
    related: float
    containment: float
    limit: int
    keep: int = 1


class Thinned(NamedTuple):
    """What :func:`thin` found for n rows.

    - ``kept_of`` int64: the kept row a row was removed for, -1 for kept rows; ``level`` int8: at which level.
    - ``similarity`` float64: exact Jaccard with that row (near), share of the shingles in it (contained), 1 (snapshot).
    - ``nearest`` int64: for a kept row, the most similar row that level near kept before it, from ``related`` on (and
      below ``threshold``, where one of a kind is kept), else -1; its Jaccard is in ``similarity``.
    - ``bands_shared`` int16: number of equal band keys with ``kept_of`` or ``nearest``.
    - ``tied`` int64: a row that this one is tied with, maybe itself: kept rows by Jaccard >= ``related`` and, where
      several of a kind are kept, all rows by Jaccard >= ``threshold``.
    - ``compared``: pairs whose sets were read; ``rejected``: pairs with a common bucket that were below the bound;
      ``hot_buckets``: buckets that turned kept rows away.
    """

    kept_of: np.ndarray
    level: np.ndarray
    similarity: np.ndarray
    nearest: np.ndarray
    bands_shared: np.ndarray
    tied: np.ndarray
    compared: int
    rejected: int
    hot_buckets: int


class _Buckets(NamedTuple):
    """Kept rows by key, filled while rows are taken.

    ``ids`` int32: where in ``cells`` the bucket of each key of each row is (``offsets`` as in :class:`Ragged`), -1
    where the row is alone. From there on ``cells`` (int32) has: how many kept rows came, with or without room; for how
    many there is room; these, in order. ``first``: where each bucket is.
    """

    ids: np.ndarray
    offsets: np.ndarray
    cells: np.ndarray
    first: np.ndarray


class _Met(NamedTuple):
    """Scratch: the kept rows in the buckets of the row at hand, ``rows``, each once; ``by``: the number of the search
    that met each row last; ``marks`` of the row's set; ``place`` of every row in the order of rank; ``tied`` as in
    :class:`Thinned`; ``counts``: :data:`verifying.COUNTS`."""

    rows: np.ndarray
    by: np.ndarray
    marks: np.ndarray
    place: np.ndarray
    tied: np.ndarray
    counts: np.ndarray


def thin(found: Candidates, bounds: Bounds) -> Thinned:
    """Remove what the levels allow; the result does not depend on the order of the rows nor on what else is there.

    At near, rows are taken in the order of rank; a row goes for the most similar kept row it shares a band key with,
    of equals the first in rank. At contained, they are taken by falling size; a row goes for the kept row with the
    largest share of its shingles that shares an anchor key. A bucket lists its first ``limit`` kept rows, but rows with
    equal sets find each other all the same, unless several of a kind are kept: a row is compared with ``limit`` others
    a key at most, and copies cost one comparison each. Rows without shingles are only ever snapshots.
    """
    _check(found, bounds)
    count = len(found.rank)
    by_rank = np.lexsort((found.rank, ~found.is_fixed, found.component))
    place = np.empty(count, np.int64)
    place[by_rank] = np.arange(count)
    by_size = np.lexsort((place, found.sets.starts - found.sets.ends, ~found.is_fixed, found.component))
    starts, ends = freeze(found.sets.starts, np.int64), freeze(found.sets.ends, np.int64)
    sets = Sets(freeze(found.sets.hashes, np.uint32), starts, ends)
    closing = freeze(found.closing, np.uint32)
    nothing = np.full(count, -1), np.zeros(count, np.int8), np.zeros(count), np.full(count, -1)
    tied = np.arange(count)
    result = Thinned(*nothing, np.zeros(count, np.int16), tied, 0, 0, 0)
    marks, counts = np.zeros(verifying.MARKS, np.uint64), np.zeros(len(COUNTS), np.int64)
    met = _Met(np.empty(count, np.int64), np.full(count, -1), marks, freeze(place, np.int64), tied, counts)
    holders = _find_holders(found, place)
    _remove_snapshots(found, holders, result)
    copies = _bucket(Ragged(verifying.digest(sets), np.arange(count + 1)), found.component, 1)
    near, parts = (_bucket(keys, found.component, bounds.limit) for keys in (found.bands, found.anchors))
    is_fixed, apart = freeze(found.is_fixed, np.bool_), bounds.threshold if bounds.keep > 1 else _NEVER
    limits = Limits(bounds.threshold, bounds.related, bounds.containment, apart)
    in_order = freeze(by_rank, np.int64)
    verifying.thin_near(sets, (near, copies), (in_order, is_fixed, bounds.keep), limits, met, result)
    verifying.thin_contained((sets, closing), parts, (freeze(by_size, np.int64), is_fixed), limits, met, result)
    again = in_order, *holders, (is_fixed, bounds.keep)
    verifying.judge_again((sets, closing), (near, parts), again, limits, met, result)
    return _summed(found, result, met, (near, parts))


def thin_near(
    sets: Shingles, bands: np.ndarray, component: np.ndarray, rank: np.ndarray, threshold: float, limit: int
) -> Thinned:
    """Level near alone, for n sets and their band keys, int64 (n, bands)."""
    count, width = bands.shape
    lengths = np.where(np.diff(sets.offsets) > 0, width, 0)
    keys = Ragged(bands[lengths > 0].view(np.uint64).ravel(), np.append(0, np.cumsum(lengths)))
    none = Ragged(np.empty(0, np.uint64), np.zeros(count + 1, np.int64))
    closing, beginnings = np.empty((count, 0), np.uint32), np.empty((0, 2), np.uint64)
    found = Candidates(
        component,
        rank,
        np.zeros(count, bool),
        Sets(sets.hashes, sets.offsets[:-1], sets.offsets[1:]),
        closing,
        *(keys, none),
        beginnings,
        np.empty(0, np.int64),
    )
    return thin(found, Bounds(threshold, threshold, 1.0, limit))


def _check(found: Candidates, bounds: Bounds) -> None:
    lengths = {name: len(getattr(found, name)) for name in ("component", "rank", "is_fixed")}
    lengths |= {"sets": len(found.sets.ends)}
    lengths |= {name: len(getattr(found, name).offsets) - 1 for name in ("bands", "anchors")}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"expected as many rows everywhere, found {lengths}")
    if not 0 < bounds.related <= bounds.threshold <= 1 or not 0 < bounds.containment <= 1 or bounds.keep < 1:
        raise ValueError(f"expected 0 < related <= threshold <= 1, 0 < containment <= 1, keep >= 1, found {bounds}")
    order = np.lexsort((found.rank, found.component))
    if ((np.diff(found.rank[order]) == 0) & (np.diff(found.component[order]) == 0)).any():
        raise ValueError("rank: expected a total order, found rows of one component with equal rank")


def _bucket(found: Ragged, component: np.ndarray, limit: int) -> _Buckets:
    """Number the buckets: keys that two or more rows of one component have."""
    # An odd factor keeps the components apart: two keys meet by a chance of 2**-64, and cost one comparison if so.
    salts = component.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    salted = found.keys.astype(np.uint64, copy=False) + np.repeat(salts, np.diff(found.offsets))
    salted, order = group(salted, np.arange(len(salted)))
    sizes = np.diff(np.append(firsts(salted), len(salted)))
    where, cells = _cells(sizes, limit)
    ids = np.empty(len(order), np.int32)
    ids[order] = np.repeat(where, sizes)
    return _Buckets(freeze(ids, np.int32), freeze(found.offsets, np.int64), cells, where[where >= 0])


def _cells(sizes: np.ndarray, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the buckets of so many rows are, -1 for those of a single one; and the cells of all, empty. There are two
    cells a key at most, and an Arrow column has fewer than 2**28 keys."""
    several = sizes > 1
    room = np.minimum(sizes[several], limit)
    ends = np.cumsum(room + verifying.HEAD)
    where, cells = np.full(len(sizes), -1, np.int32), np.zeros(ends[-1] if len(ends) else 0, np.int32)
    where[several] = ends - room - verifying.HEAD
    cells[where[several] + 1] = room
    return where, cells


def _find_holders(found: Candidates, place: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who has all messages of row i as its first ones: ``holders[first[i]:last[i]]``, those with most messages first,
    of equals by rank."""
    count, owners, is_last = len(found.rank), found.owners, is_whole(found.owners)
    messages = np.bincount(owners, minlength=count)
    is_met = _may_meet(found.beginnings[:, 0], is_last)
    owners, is_last, numbers = owners[is_met], is_last[is_met], _numbered(found.beginnings[is_met])
    inner, last = owners[~is_last], owners[is_last]
    order = np.lexsort((place[inner], -messages[inner], numbers[~is_last]))
    starts = np.append(0, np.cumsum(np.bincount(numbers[~is_last], minlength=len(numbers))))
    first, behind = np.zeros(count, np.int64), np.zeros(count, np.int64)
    first[last], behind[last] = starts[numbers[is_last]], starts[numbers[is_last] + 1]
    return tuple(freeze(each, np.int64) for each in (inner[order], first, behind))  # type: ignore[return-value]


def _may_meet(words: np.ndarray, is_last: np.ndarray) -> np.ndarray:
    """All of those that are of a whole conversation and a beginning as well, and few others: hardly any are."""
    keys, is_met = words >> np.uint64(1), np.zeros(len(words), bool)
    is_met[~is_last] = wanted(keys[is_last]).may_have(keys[~is_last])
    is_met[is_last] = wanted(keys[is_met]).may_have(keys[is_last])
    return is_met


def _numbered(digests: np.ndarray) -> np.ndarray:
    """Numbers below n for n digests, equal for equal ones alone."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    differs = (digests[order][1:] != digests[order][:-1]).any(axis=1)
    numbers = np.empty(len(digests), np.int64)
    numbers[order] = np.append(0, np.cumsum(differs))[: len(digests)]
    return numbers


def _remove_snapshots(found: Candidates, holders: tuple[np.ndarray, np.ndarray, np.ndarray], result: Thinned) -> None:
    """Its first holder is the longest, hence nobody's beginning and kept."""
    owners, first, last = holders
    rows = np.flatnonzero((last > first) & ~found.is_fixed)
    result.kept_of[rows] = owners[first[rows]]
    result.level[rows] = SNAPSHOT
    result.similarity[rows] = 1.0


def _summed(found: Candidates, result: Thinned, met: _Met, buckets: tuple[_Buckets, ...]) -> Thinned:
    others = np.where(result.level == NEAR, result.kept_of, result.nearest)
    pairs = np.flatnonzero(others >= 0)
    result.bands_shared[pairs] = verifying.count_shared(*map(freeze, found.bands, (np.uint64, np.int64)), pairs, others)
    hot = sum(np.count_nonzero(each.cells[each.first] > each.cells[each.first + 1]) for each in buckets)
    return result._replace(compared=int(met.counts[COMPARED]), rejected=int(met.counts[REJECTED]), hot_buckets=int(hot))
