"""Which conversations share a key, and so have to be looked at together? Buckets and their edges, as Arrow batches.

A key is 64 bits. Its lowest bit says what a row in the bucket ``key >> 1`` is to it: 1, it may be removed for another
row there; 0, others may be removed for it. Beginnings of a conversation are keys with 0, whole conversations keys with
1, so a beginning that nobody has as a whole makes no edges. Band and anchor keys work both ways and have 1. The bit
above says whether all rows of the bucket have the same messages; such keys find exact copies.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numba import uint64

from udfs.compiled import compiled, freeze
from udfs.dedup import blocks
from udfs.dedup.grouping import firsts, group

DIGEST_BYTES = 16
"""Bytes kept of the SHA-256 of each beginning of a conversation."""

_ONE, _EQUAL = np.uint64(1), np.uint64(2)


class Levels(NamedTuple):
    """Which keys of a signature are used."""

    snapshot: bool
    exact: bool
    near: bool
    contained: bool


def keys(batch: pa.RecordBatch, levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """The keys of the signatures of a batch (uint64) and the batch row of each (int64), in no particular order."""
    found = []
    if levels.snapshot:
        found.append(_beginnings(batch.column("prefixes")))
    if levels.exact:
        found.append(_wholes(batch.column("prefixes")))
    if levels.near:
        found.append(_listed_both_ways(batch.column("bands")))
    if levels.contained:
        found.append(_listed_both_ways(batch.column("anchors")))
    if not found:
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    return np.concatenate([key for key, _ in found]), np.concatenate([row for _, row in found])


def digests(prefixes: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The digests in a column ``prefixes`` as pairs of uint64 (n, 2), and the row of each (int64)."""
    words, ends = listed(prefixes)
    return words.reshape(-1, 2), np.repeat(np.arange(len(prefixes)), np.diff(ends) * 8 // DIGEST_BYTES)


def is_whole(rows: np.ndarray) -> np.ndarray:
    """Of the rows that :func:`digests` gives: is it the last of its conversation, the digest of all messages?"""
    return np.append(rows[1:] != rows[:-1], True) if len(rows) else np.zeros(0, bool)


def _beginnings(prefixes: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    words, rows = digests(prefixes)
    return (words[:, 0] & ~(_ONE | _EQUAL)) | is_whole(rows).astype(np.uint64), rows


def _wholes(prefixes: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    words, rows = digests(prefixes)
    last = is_whole(rows)
    return words[last, 0] | _ONE | _EQUAL, rows[last]


def listed(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """The keys (uint64) in a binary column of keys, end to end, and the n + 1 places (int64) where a row's begin."""
    if not len(column):  # Arrow may leave out the buffers of an empty column
        return np.empty(0, np.uint64), np.zeros(1, np.int64)
    _, starts, data = column.buffers()
    ends = np.frombuffer(starts, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    values = np.frombuffer(data or b"", np.uint64, (ends[-1] - ends[0]) // 8, ends[0])
    return values, (ends - ends[0]) // 8


def both_ways(hashes: np.ndarray) -> np.ndarray:
    """Keys (uint64) of these hashes whose rows may each be removed for the others."""
    return (hashes & ~_EQUAL) | _ONE


def _listed_both_ways(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    values, ends = listed(column)
    return both_ways(values), np.repeat(np.arange(len(column)), np.diff(ends))


def pack(batches: Iterable[pa.RecordBatch], levels: Levels, parts: int) -> Iterator[pa.RecordBatch]:
    """Signatures (``row``, ``prefixes``, ``bands``, ``anchors``) -> their keys and rows as :func:`blocks.pack`
    gives them."""
    for batch in batches:
        found, rows = keys(batch, levels)
        yield blocks.pack(found, batch.column("row").to_numpy()[rows], parts)


class Wanted(NamedTuple):
    """Buckets that are looked for, told by the first ``bits`` bits of a key: which of these beginnings there are, 8 in
    a byte (uint8, 2**``bits`` / 8). Of others at most one in 16 begins so, where up to 16 million are looked for."""

    beginnings: np.ndarray
    bits: int

    def may_have(self, found: np.ndarray) -> np.ndarray:
        """Which of these buckets are looked for, or begin like one that is? bool."""
        begins = found >> np.uint64(63 - self.bits)
        return self.beginnings[begins >> np.uint64(3)] >> (begins & np.uint64(7)).astype(np.uint8) & 1 > 0


def wanted(found: np.ndarray) -> Wanted:
    """These buckets (``key >> 1``, uint64, in any order, any of them more than once)."""
    bits = min(4 + max(len(found), 8).bit_length(), 28)  # 32 MB at most
    is_there = np.zeros(1 << bits, bool)
    is_there[found >> np.uint64(63 - bits)] = True
    return Wanted(np.packbits(is_there, bitorder="little"), bits)


class Groups(NamedTuple):
    """Rows (int64, ascending), and the ``component`` (int64) that each is known to be in."""

    row: np.ndarray
    component: np.ndarray

    def of(self, rows: np.ndarray) -> np.ndarray:
        """The components of these rows; itself for a row that is in none."""
        if not len(self.row):
            return rows
        place = np.minimum(np.searchsorted(self.row, rows), len(self.row) - 1)
        return np.where(self.row[place] == rows, self.component[place], rows)


def pack_known(
    batches: Iterable[pa.RecordBatch], levels: Levels, parts: int, wanted: Wanted, groups: Groups
) -> Iterator[pa.RecordBatch]:
    """The same, of those keys alone whose bucket is wanted, and few others. For a row stands its component, so that
    rows which are known to hang together make no edges; but where it counts which rows have equal messages."""
    for batch in batches:
        found, at = keys(batch, levels)
        is_known = wanted.may_have(found >> _ONE)
        found, at, rows = found[is_known], at[is_known], batch.column("row").to_numpy()
        yield blocks.pack(found, np.where(found & _EQUAL > 0, rows[at], groups.of(rows)[at]), parts)


def distinct(batches: Iterable[pa.RecordBatch], levels: Levels) -> Iterator[pa.RecordBatch]:
    """The buckets of these signatures: ``bucket`` (``key >> 1`` as int64), each once a batch."""
    for batch in batches:
        found = np.sort(keys(batch, levels)[0] >> _ONE)  # np.unique of one array takes ten times that
        yield pa.RecordBatch.from_arrays([pa.array(found[firsts(found)].view(np.int64))], ["bucket"])


def edges(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Packed blocks of one or more whole parts -> edges (``a`` < ``b``): every bucket a star to its least row, never
    all pairs. An edge of two buckets is there twice.

    ``is_equal``: the rows have the same messages. All rows with the messages of another are there as ``b`` of such an
    edge, the least of them with itself.
    """
    least, member, is_equal = _stars(*blocks.unpack(batches))
    if len(least):
        columns = [pa.array(least), pa.array(member), pa.array(is_equal)]
        yield pa.RecordBatch.from_arrays(columns, ["a", "b", "is_equal"])


def _stars(found: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found, rows = group(found, rows, 1)
    return _tied(freeze(found, np.uint64), freeze(rows, np.int64))


@compiled
def _tied(found: Any, rows: Any) -> tuple[Any, Any, Any]:
    """Keys by bucket, each with its row -> the stars: least row, row, and whether they have the same messages."""
    least, member = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    is_equal = np.empty(len(rows), np.bool_)
    count = start = 0
    while start < len(found):
        end = _end_of_bucket(found, start)
        if _is_live(found, start, end):
            centre, equal = rows[start:end].min(), found[start] & uint64(2) != 0
            for row in rows[start:end]:
                if row != centre or equal:
                    least[count], member[count], is_equal[count] = centre, row, equal
                    count += 1
        start = end
    return least[:count].copy(), member[:count].copy(), is_equal[:count].copy()


@compiled
def _end_of_bucket(found: Any, start: Any) -> Any:
    end = start + 1
    while end < len(found) and found[end] >> uint64(1) == found[start] >> uint64(1):
        end += 1
    return end


@compiled
def _is_live(found: Any, start: Any, end: Any) -> Any:
    """Has the bucket several rows, one of which may be removed for another?"""
    if end - start > 1:
        for place in range(start, end):
            if found[place] & uint64(1) != 0:
                return True
    return False
