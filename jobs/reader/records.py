"""Where does each record of a byte stream begin and end? Lines, members of one array or object, CSV rows, a document.

Nothing is parsed here and nothing is held but one block and the record that crosses its border, so a file of any size
and a record of any size are safe: a record past the limit is digested, sampled and dropped while it streams by.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from jobs.bytewise import scan

BLOCK = 4 << 20
SAMPLE = 2048
"""How much of a refused record is kept."""

WHOLE, UNCLOSED, AFTER = "whole", "unclosed", "after"
"""What is known of the last record of a stream: nothing against it; the array or object around it never ends; it stands
after the end of the outermost value."""


class Stream(Protocol):
    """Bytes to cut: ``offset`` is where the first one stands in the file."""

    offset: int

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; none at the end."""


class Giant(NamedTuple):
    """A record past the size limit: its number, where it began, its size in bytes, its head and its digest."""

    number: int
    offset: int
    size: int
    sample: bytes
    digest: str


class Block(NamedTuple):
    """Records that end in one block: ``data[starts[i]:ends[i]]`` is record ``numbers[i]``; ``data`` begins at byte
    ``offset`` of the stream. ``giants`` are the over-long records among them, absent from ``starts``. ``standing`` is
    ``WHOLE`` but for the last record of a damaged array or object."""

    data: bytes
    starts: np.ndarray
    ends: np.ndarray
    numbers: np.ndarray
    offset: int
    giants: list[Giant]
    standing: str = WHOLE


class Cut(NamedTuple):
    """Record borders found in one block, as positions in the stream; ``open_at`` is where the unfinished one began, and
    ``standing`` what it is if nothing follows."""

    starts: np.ndarray
    ends: np.ndarray
    open_at: int
    standing: str = WHOLE


Borders = Callable[[bytes], Cut]


def line_borders(offset: int) -> Borders:
    """Records are lines, ended by LF alone (a CR before it is JSON white space; elsewhere it is an error)."""
    position = offset
    open_at = offset

    def find(block: bytes) -> Cut:
        nonlocal position, open_at
        found = np.empty(len(block), np.int64)
        ends = found[: scan.line_ends(np.frombuffer(block, np.uint8), found)] + position
        starts = np.concatenate([[open_at], ends[:-1] + 1]) if len(ends) else ends
        position += len(block)
        open_at = int(ends[-1]) + 1 if len(ends) else open_at
        return Cut(starts, ends, open_at)

    return find


def member_borders(offset: int) -> Borders:
    """Records are the members of the outermost JSON array or object; what follows its end is one more record."""
    state = scan.start_state()
    state[scan.POSITION] = offset
    state[scan.START] = offset

    def find(block: bytes) -> Cut:
        starts, ends = _scratch(block)
        found = scan.elements(np.frombuffer(block, np.uint8), state, starts, ends)
        closed = int(state[scan.CLOSED])
        open_at, standing = (closed, AFTER) if closed >= 0 else (int(state[scan.START]), UNCLOSED)
        return Cut(starts[:found].copy(), ends[:found].copy(), open_at, standing)

    return find


def csv_borders(offset: int, separator: str = ",") -> Borders:
    """Records are CSV rows: lines, but for line feeds in quoted fields."""
    state = np.array([0, offset, offset, ord(separator)], dtype=np.int64)

    def find(block: bytes) -> Cut:
        starts, ends = _scratch(block)
        found = scan.csv_rows(np.frombuffer(block, np.uint8), state, starts, ends)
        return Cut(starts[:found].copy(), ends[:found].copy(), int(state[scan.CSV_START]))

    return find


def whole(offset: int) -> Borders:
    """The whole stream is one record."""
    return lambda block: Cut(np.empty(0, np.int64), np.empty(0, np.int64), offset)


def _scratch(block: bytes) -> tuple[np.ndarray, np.ndarray]:
    return np.empty(len(block) + 1, np.int64), np.empty(len(block) + 1, np.int64)


def cut(stream: Stream, borders: Borders, first: int, limit: int, block_size: int = BLOCK) -> Iterator[Block]:
    """The records of ``stream``, numbered from ``first``; the unfinished one last. Records of more than ``limit`` bytes
    are giants."""
    held, held_at, number, standing = b"", stream.offset, first, WHOLE
    giant: _Growing | None = None
    while block := stream.read(block_size):
        starts, ends, open_at, standing = borders(block)
        data, giants = held + block, []
        if giant and len(ends):
            giants.append(giant.finish(data[: ends[0] - held_at]))
            starts, ends, number, giant = starts[1:], ends[1:], number + 1, None
        yield from _block(data, starts, ends, number, held_at, giants, limit)
        number += len(ends)
        held = data if giant else data[open_at - held_at :]
        held_at += len(data) - len(held)
        if giant or len(held) > limit:
            giant = (giant or _Growing(number, held_at)).grow(held)
            held, held_at = b"", held_at + len(held)
    yield from _last(held, held_at, number, giant, standing)


def _block(
    data: bytes, starts: np.ndarray, ends: np.ndarray, number: int, at: int, giants: list[Giant], limit: int
) -> Iterator[Block]:
    if not len(ends) and not giants:
        return
    numbers = np.arange(number, number + len(ends))
    fits = ends - starts <= limit
    for i in np.flatnonzero(~fits):
        growing = _Growing(int(numbers[i]), int(starts[i]))
        giants.append(growing.finish(data[starts[i] - at : ends[i] - at]))
    yield Block(data, starts[fits] - at, ends[fits] - at, numbers[fits], at, giants)


def _last(held: bytes, at: int, number: int, giant: "_Growing | None", standing: str) -> Iterator[Block]:
    if giant:
        none = np.empty(0, np.int64)
        yield Block(b"", none, none, none, at, [giant.finish(held)], standing)
    elif held.strip() or standing == UNCLOSED:
        yield Block(held, np.array([0]), np.array([len(held)]), np.array([number]), at, [], standing)


class _Growing:
    """An over-long record while it streams by."""

    def __init__(self, number: int, offset: int):
        self._number, self._offset, self._size, self._sample = number, offset, 0, b""
        self._hash = hashlib.sha256()

    def grow(self, data: bytes) -> "_Growing":
        self._size += len(data)
        self._sample += data[: SAMPLE - len(self._sample)]
        self._hash.update(data)
        return self

    def finish(self, data: bytes) -> Giant:
        self.grow(data)
        return Giant(self._number, self._offset, self._size, self._sample, self._hash.hexdigest())
