"""Is a row a duplicate of a kept row? The compiled loops of :mod:`udfs.dedup.thinning`: who is met, what is compared.

Named tuples of arrays come in as :mod:`thinning` defines them; ``result``, ``met`` and buckets are written to.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import uint32, uint64

from udfs.compiled import compiled, freeze, mix

KEPT, SNAPSHOT, NEAR, CONTAINED = range(4)
"""The level of a row in :class:`udfs.dedup.thinning.Thinned`."""
CLOSING_SHARE = 0.75
"""Share of a last message's shingles that make it part of another text: a cut in the middle of a word breaks one."""

HEAD = 2
"""Cells before the rows of a bucket (:class:`udfs.dedup.thinning._Buckets`)."""
MARKS = 1024
"""Words of 64 bits that tell which last 16 bits the values of a set have."""
COUNTS = COMPARED, REJECTED, SEARCHES = range(3)
"""What is counted: pairs whose sets were read, pairs below what was asked, rows whose buckets were looked up."""


class Limits(NamedTuple):
    """From which exact similarity on: ``threshold``, a row is a copy (Jaccard); ``related``, a kept row is worth
    telling (Jaccard, at most ``threshold``); ``containment``, a row is contained (share of its set); ``apart``, rows
    are level near's, which keeps several, and not contained in each other (Jaccard)."""

    threshold: float
    related: float
    containment: float
    apart: float


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Jaccard similarity of two sets given as ascending distinct uint32 arrays: exact; 0.0 if both are empty."""
    a, b = freeze(a, np.uint32), freeze(b, np.uint32)
    common = _count_common(a, b, 0)
    return common / max(1, len(a) + len(b) - common)


@compiled
def count_shared(keys: Any, offsets: Any, rows: Any, others: Any) -> Any:
    """How many of its band keys each row shares, band by band, with its other."""
    shared = np.zeros(len(rows), np.int16)
    for place, row in enumerate(rows):
        start, other = offsets[row], offsets[others[row]]
        for band in range(min(offsets[row + 1] - start, offsets[others[row] + 1] - other)):
            shared[place] += keys[start + band] == keys[other + band]
    return shared


@compiled
def digest(sets: Any) -> Any:
    """64 bits that are equal for equal sets."""
    digests = np.zeros(len(sets.ends), np.uint64)
    for row in range(len(digests)):
        for place in range(sets.starts[row], sets.ends[row]):
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
def _mark(marks: Any, values: Any) -> None:
    """Note which last 16 bits the values of a set have, one bit each, and of no other set."""
    marks[:] = 0
    for value in values:
        marks[(value >> uint32(6)) & uint32(MARKS - 1)] |= uint64(1) << uint64(value & uint32(63))


@compiled
def _count_marked(marks: Any, values: Any) -> int:
    """How many of the values end like one that is marked: never fewer than the two sets share, and a tenth of the work
    of counting those, for what comes next never depends on what was found."""
    count = 0
    for value in values:
        count += (marks[(value >> uint32(6)) & uint32(MARKS - 1)] >> uint64(value & uint32(63))) & uint64(1)
    return count


@compiled
def _has_no(lists: Any, row: int) -> bool:
    return lists.offsets[row] == lists.offsets[row + 1]


@compiled
def _is_empty(sets: Any, row: int) -> bool:
    return sets.starts[row] == sets.ends[row]


@compiled
def _set(sets: Any, row: int) -> Any:
    return sets.hashes[sets.starts[row] : sets.ends[row]]


@compiled
def _compare(sets: Any, row: int, other: int, least: float, marks: Any) -> float:
    """Jaccard of two sets, the row's being marked, if it is at least ``least``, else any number below; -1 if their
    sizes rule it out."""
    a, b = _set(sets, row), _set(sets, other)
    if min(len(a), len(b)) / max(len(a), len(b)) < least:
        return -1.0
    wanted = int(least / (1 + least) * (len(a) + len(b)))
    common = _count_common(a, b, wanted) if _count_marked(marks, b) >= wanted else 0
    return common / (len(a) + len(b) - common) if common > 0 else 0.0


@compiled
def _contain(sets: Any, closing: Any, row: int, other: int, least: float, marks: Any) -> float:
    """The share of a row's set, which is marked, that is in the other's, if that is at least ``least`` and its last
    message is there too, else any number below; -1 if the other's set is smaller."""
    a, b = _set(sets, row), _set(sets, other)
    if len(a) > len(b):
        return -1.0
    wanted = int(least * len(a))
    if _count_marked(marks, b) < wanted or not _has_most(b, closing[row]):
        return 0.0
    common = _count_common(a, b, wanted)
    return common / len(a) if common > 0 else 0.0


@compiled
def _has_most(values: Any, some: Any) -> bool:
    """Is ``CLOSING_SHARE`` of some values in an ascending set?"""
    known = 0
    for place, value in enumerate(some):
        at = np.searchsorted(values, value)
        known += at < len(values) and values[at] == value
        if known + len(some) - place - 1 < CLOSING_SHARE * len(some):
            return False
    return True


@compiled
def thin_near(sets: Any, buckets: Any, order: Any, limits: Any, met: Any, result: Any) -> None:
    """Level near: take the rows in order; each goes for a kept row, if ``keep`` of them or a fixed one are like it, or
    is entered into its buckets."""
    near, copies = buckets
    rows, is_fixed, keep = order
    for row in rows:
        if result.kept_of[row] >= 0 or _has_no(near, row) or _is_empty(sets, row):
            continue
        if not is_fixed[row]:
            best, similarity, alike = -1, 1.0, keep
            if keep == 1:
                best = _find_copy(sets, copies, row, met)
            if best < 0:
                best, similarity, alike = _find_near(sets, near, row, limits, (is_fixed, keep), met, result)
            if best >= 0:
                result.similarity[row] = similarity
            if alike >= keep:
                result.kept_of[row], result.level[row] = best, NEAR
                continue
            result.nearest[row] = best
            if best >= 0:  # of those from related on, the nearest is not all
                _tie_related(sets, near, row, limits.related, met, result)
        _enter(near, row)
        _enter(copies, row)


@compiled
def thin_contained(texts: Any, parts: Any, order: Any, limits: Any, met: Any, result: Any) -> None:
    """Level contained, likewise."""
    rows, is_fixed = order
    for row in rows:
        if result.kept_of[row] >= 0 or _has_no(parts, row) or _is_empty(texts[0], row):
            continue
        if not is_fixed[row]:
            best, share = _find_whole(texts, parts, row, (limits, is_fixed), met, result)
            if best >= 0:
                result.kept_of[row], result.level[row], result.similarity[row] = best, CONTAINED, share
                result.nearest[row] = -1
                continue
        _enter(parts, row)


@compiled
def judge_again(texts: Any, buckets: Any, order: Any, limits: Any, met: Any, result: Any) -> None:
    """Find another kept row for each row whose kept row was removed after it, or keep it. Before a row those are judged
    that begin with all its messages, longest first: if one of them stays, the row goes for it."""
    rows, holders, first, last, fixed = order
    for row in rows:
        if _is_orphan(result, row):
            for place in range(first[row], last[row]):
                holder = holders[place]
                if _is_orphan(result, holder):
                    longer = holders[first[holder] : last[holder]]
                    _judge(texts, buckets, holder, longer, (limits, fixed), met, result)
        if _is_orphan(result, row):
            _judge(texts, buckets, row, holders[first[row] : last[row]], (limits, fixed), met, result)


@compiled
def _is_orphan(result: Any, row: int) -> bool:
    """Was the kept row that a row was removed for removed after it?"""
    return result.kept_of[row] >= 0 and result.kept_of[result.kept_of[row]] >= 0


@compiled
def _judge(texts: Any, buckets: Any, row: int, holders: Any, how: Any, met: Any, result: Any) -> None:
    near, parts = buckets
    limits, fixed = how
    strict = Limits(limits.threshold, limits.threshold, limits.containment, limits.apart)
    result.kept_of[row], result.level[row], result.similarity[row] = -1, KEPT, 0.0
    best, level, share = -1, KEPT, 0.0
    for holder in holders:
        if best < 0 and result.kept_of[holder] < 0:
            best, level, share = holder, SNAPSHOT, 1.0
    if best < 0 and not _has_no(near, row):
        best, share, alike = _find_near(texts[0], near, row, strict, fixed, met, result)
        best, level = best if alike >= fixed[1] else -1, NEAR
    if best < 0 and not _has_no(parts, row):
        best, share = _find_whole(texts, parts, row, (limits, fixed[0]), met, result)
        level = CONTAINED
    if best >= 0:
        result.kept_of[row], result.level[row], result.similarity[row] = best, level, share
    else:
        _tie_related(texts[0], near, row, limits.related, met, result)
        _enter(near, row)
        _enter(parts, row)


@compiled
def _find_near(
    sets: Any, near: Any, row: int, limits: Any, fixed: Any, met: Any, result: Any
) -> tuple[int, float, int]:
    """The most similar kept row, of equals the first in rank, and its Jaccard; -1 below ``related``. Also how many kept
    rows reach the threshold, a fixed one (``fixed``: which ones are, and ``keep``) counted as ``keep``."""
    threshold, related = limits.threshold, limits.related
    is_fixed, keep = fixed
    best, highest, alike = -1, 0.0, 0
    for place in range(_meet(near, sets, row, met)):
        other = met.rows[place]
        if result.kept_of[other] >= 0:
            continue
        worth = max(related, min(highest, threshold))  # one less like the row than the best so far changes nothing
        similarity = _compare(sets, row, other, worth, met.marks)
        met.counts[COMPARED] += similarity >= 0
        met.counts[REJECTED] += similarity < threshold
        if similarity >= threshold:
            alike += keep if is_fixed[other] else 1
            if keep > 1:
                _tie(met.tied, row, other)
        if similarity < related or similarity < highest:
            continue
        if similarity > highest or met.place[other] < met.place[best]:
            best, highest = other, similarity
    return best, highest, alike


@compiled
def _tie_related(sets: Any, near: Any, row: int, related: float, met: Any, result: Any) -> None:
    """Tie a row that stays to each kept row that it meets and is like from ``related`` on."""
    for place in range(_meet(near, sets, row, met)):
        other = met.rows[place]
        if result.kept_of[other] < 0 and _compare(sets, row, other, related, met.marks) >= related:
            _tie(met.tied, row, other)


@compiled
def _tie(tied: Any, a: int, b: int) -> None:
    """Join the groups of two rows; a row's group is named by the end of its path."""
    a, b = _end(tied, a), _end(tied, b)
    tied[max(a, b)] = min(a, b)


@compiled
def _end(tied: Any, row: int) -> int:
    while tied[row] != row:
        tied[row] = tied[tied[row]]
        row = tied[row]
    return row


@compiled
def _find_whole(texts: Any, parts: Any, row: int, how: Any, met: Any, result: Any) -> tuple[int, float]:
    """The kept row that holds the largest share of the row's shingles, of equals the first in rank; -1 below
    ``containment``. Rows that are fixed are never ``apart``. ``how``: limits, and which rows are fixed."""
    limits, is_fixed = how
    least, apart = limits.containment, limits.apart
    best, highest = -1, 0.0
    for place in range(_meet(parts, texts[0], row, met)):
        other = met.rows[place]
        if result.kept_of[other] >= 0:
            continue
        share = _contain(texts[0], texts[1], row, other, least, met.marks)
        if share > 0 and not is_fixed[other] and _compare(texts[0], row, other, apart, met.marks) >= apart:
            continue
        met.counts[COMPARED] += share >= 0
        met.counts[REJECTED] += share < least
        if share < least or share < highest:
            continue
        if share > highest or met.place[other] < met.place[best]:
            best, highest = other, share
    return best, highest


@compiled
def _find_copy(sets: Any, copies: Any, row: int, met: Any) -> int:
    """The kept row with the same shingles, or -1."""
    bucket = copies.ids[row]
    if bucket < 0 or copies.cells[bucket] == 0:
        return -1
    other = copies.cells[bucket + HEAD]
    if not np.array_equal(_set(sets, row), _set(sets, other)):
        return -1
    met.counts[COMPARED] += 1
    return other


@compiled
def _meet(buckets: Any, sets: Any, row: int, met: Any) -> int:
    """Collect the kept rows in the row's buckets, each once; returns how many there are. If any, the row's set is
    marked, to be compared with theirs."""
    count = 0
    met.counts[SEARCHES] += 1
    for key in range(buckets.offsets[row], buckets.offsets[row + 1]):
        bucket = buckets.ids[key]
        if bucket < 0:
            continue
        start = bucket + HEAD
        for other in buckets.cells[start : start + min(buckets.cells[bucket], buckets.cells[bucket + 1])]:
            if met.by[other] != met.counts[SEARCHES]:
                met.by[other], met.rows[count] = met.counts[SEARCHES], other
                count += 1
    if count:
        _mark(met.marks, _set(sets, row))
    return count


@compiled
def _enter(buckets: Any, row: int) -> None:
    """List a kept row in its buckets, where there is room."""
    for key in range(buckets.offsets[row], buckets.offsets[row + 1]):
        bucket = buckets.ids[key]
        if bucket < 0:
            continue
        arrived = buckets.cells[bucket]
        if arrived < buckets.cells[bucket + 1]:
            buckets.cells[bucket + HEAD + arrived] = row
        buckets.cells[bucket] += 1
