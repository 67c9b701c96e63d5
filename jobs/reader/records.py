"""Where does each record of a byte stream begin and end? Lines, members of one array or object, a whole document.

Nothing is parsed here and nothing is held but one block and the record that crosses its border, so a file of any size
and a record of any size are safe: a record past the limit is digested, sampled and dropped while it streams by.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

import numpy as np

from jobs.reader import scan

BLOCK = 4 << 20
SAMPLE = 2048
"""How much of a refused record is kept."""


class Giant(NamedTuple):
    """A record past the size limit: its number, where it began, its size in bytes, its head and its digest."""

    number: int
    offset: int
    size: int
    sample: bytes
    digest: str


class Block(NamedTuple):
    """Records that end in one block: ``data[starts[i]:ends[i]]`` is record ``first + i``; ``data`` begins at byte
    ``offset`` of the stream. ``giants`` are the over-long records among them, absent from ``starts``."""

    data: bytes
    starts: np.ndarray
    ends: np.ndarray
    numbers: np.ndarray
    offset: int
    giants: list[Giant]


class Cut(NamedTuple):
    """Record borders found in one block, as positions in the stream; ``open_at`` is where the unfinished one began."""

    starts: np.ndarray
    ends: np.ndarray
    open_at: int


Borders = Callable[[bytes], Cut]


def line_borders(offset: int) -> Borders:
    """Records are lines, ended by LF alone (a CR before it is JSON white space; elsewhere it is an error)."""
    position = offset
    open_at = offset

    def find(block: bytes) -> Cut:
        nonlocal position, open_at
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == 10).astype(np.int64) + position
        starts = np.concatenate([[open_at], ends[:-1] + 1]) if len(ends) else ends
        position += len(block)
        open_at = int(ends[-1]) + 1 if len(ends) else open_at
        return Cut(starts, ends, open_at)

    return find


def member_borders(offset: int) -> Borders:
    """Records are the members of the outermost JSON array or object; what follows its end is one more record."""
    state = scan.start_state()
    state[scan.POSITION] = offset

    def find(block: bytes) -> Cut:
        data = np.frombuffer(block, np.uint8)
        starts, ends = np.empty(len(data) + 1, np.int64), np.empty(len(data) + 1, np.int64)
        found = scan.elements(data, state, starts, ends)
        open_at = state[scan.CLOSED] if state[scan.CLOSED] >= 0 else state[scan.START]
        return Cut(starts[:found].copy(), ends[:found].copy(), int(open_at))

    return find


def whole(offset: int) -> Borders:
    """The whole stream is one record."""
    return lambda block: Cut(np.empty(0, np.int64), np.empty(0, np.int64), offset)


def cut(stream: IO[bytes], borders: Borders, offset: int, first: int, limit: int) -> Iterator[Block]:
    """The records of ``stream``, which starts at byte ``offset`` with record ``first``; the unfinished one last."""
    held, held_at, number = b"", offset, first
    giant: _Growing | None = None
    while block := stream.read(BLOCK):
        found = borders(block)
        data, giants = held + block, []
        starts, ends = found.starts, found.ends
        if giant and len(ends):
            giants.append(giant.finish(data[: ends[0] - held_at]))
            starts, ends, number, giant = starts[1:], ends[1:], number + 1, None
        yield from _block(data, starts, ends, number, held_at, giants, limit)
        number += len(ends)
        held = data if giant else data[found.open_at - held_at :]
        held_at += len(data) - len(held)
        if giant or len(held) > limit:
            giant = (giant or _Growing(number, held_at)).grow(held)
            held, held_at = b"", held_at + len(held)
    yield _last(held, held_at, number, giant)


def _block(data, starts, ends, number, at, giants, limit) -> Iterator[Block]:
    if not len(ends) and not giants:
        return
    numbers = np.arange(number, number + len(ends))
    fits = ends - starts <= limit
    for i in np.flatnonzero(~fits):
        giants.append(_Growing(int(numbers[i]), int(starts[i])).finish(data[starts[i] - at : ends[i] - at]))
    yield Block(data, starts[fits] - at, ends[fits] - at, numbers[fits], at, giants)


def _last(held: bytes, at: int, number: int, giant: "_Growing | None") -> Block:
    none = np.empty(0, np.int64)
    if giant:
        return Block(b"", none, none, none, at, [giant.finish(held)])
    if not held.strip():
        return Block(b"", none, none, none, at, [])
    return Block(held, np.array([0]), np.array([len(held)]), np.array([number]), at, [])


class _Growing:
    """An over-long record while it streams by."""

    def __init__(self, number: int, offset: int):
        self._number, self._offset, self._size, self._sample = number, offset, 0, b""
        self._hash = hashlib.sha256()

    def grow(self, data: bytes) -> "_Growing":
        self._size += len(data)
        self._sample = self._sample or data[:SAMPLE]
        self._hash.update(data)
        return self

    def finish(self, data: bytes) -> Giant:
        self.grow(data)
        return Giant(self._number, self._offset, self._size, self._sample, self._hash.hexdigest())
