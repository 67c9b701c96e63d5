"""SHA-256 (FIPS 180-4) of many texts at once: a block of each of eight texts side by side in the processor's vectors.

A call of hashlib takes half a microsecond, whatever the text. With two a conversation they were a third of what reading
cost (0083).
"""

import hashlib
from functools import cache, reduce
from itertools import pairwise
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from udfs.compiled import compiled, freeze, put_byte, put_bytes

LANES = 8
NEXT, LEFT, PADDED, TEXT = range(4)
"""Rows of the lanes' table (uint64): the address of the lane's next block, how many blocks of its text are left, how
many of them are in its pad (the end of the text, filled up), and which text it is."""

_PRIMES = [number for number in range(2, 312) if all(number % divisor for divisor in range(2, number))]
_FIRST = np.array([int(prime ** (1 / 2) % 1 * 2**32) for prime in _PRIMES[:8]], np.uint32)
_CONSTANTS = [int(prime ** (1 / 3) % 1 * 2**32) for prime in _PRIMES]
"""The first 32 bits of the fractional parts of the square roots of 8 primes, of the cube roots of 64."""

_WORD = ir.IntType(32)
_WORDS = ir.VectorType(_WORD, LANES)
_intrinsic: Any = intrinsic


def digests(data: memoryview, cuts: np.ndarray) -> np.ndarray:
    """SHA-256 of each ``data[cuts[i]:cuts[i+1]]``: a row of 32 bytes each. Raises RuntimeError where this machine's
    code for it is wrong."""
    _require_sound()
    return _digests(data, cuts)


@cache
def _require_sound() -> None:
    """Wrong digests would be wrong ids in a lake: each process compares some with hashlib's before it gives any."""
    data, cuts = bytes(range(256)) * 40, np.cumsum([0, *range(140)])
    expected = [hashlib.sha256(data[begin:end]).digest() for begin, end in pairwise(cuts.tolist())]
    if _digests(memoryview(data), cuts).tobytes() != b"".join(expected):
        raise RuntimeError("SHA-256 of many texts at once is not hashlib's here: numba or LLVM errs on this processor")


def _digests(data: memoryview, cuts: np.ndarray) -> np.ndarray:
    found = np.empty((len(cuts) - 1, 8), np.uint32)
    scratch = np.empty((8, LANES), np.uint32), np.zeros((4, LANES), np.uint64), np.zeros((LANES, 128), np.uint8)
    _hash(freeze(np.frombuffer(data, np.uint8), np.uint8), freeze(cuts, np.int64), _FIRST, scratch, found)
    return found.astype(">u4").view(np.uint8)


@compiled
def _hash(data, cuts, first, scratch, found):
    """Each text's state after its last block into a row of ``found``. A lane that is done begins the next text."""
    states, lanes, pads = scratch
    source, states_at = np.uint64(data.ctypes.data), np.uint64(states.ctypes.data)
    lanes_at, pads_at = np.uint64(lanes.ctypes.data), np.uint64(pads.ctypes.data)
    count, begun, ended = len(cuts) - 1, 0, 0
    while ended < count:
        for lane in range(LANES):
            if lanes[LEFT, lane] == 0:
                lanes[NEXT, lane] = pads_at + np.uint64(128 * lane)
                if begun < count:
                    begin, end = np.uint64(cuts[begun]), np.uint64(cuts[begun + 1])
                    _begin(source + begin, end - begin, lane, lanes)
                    for row in range(8):
                        states[row, lane] = first[row]
                    lanes[TEXT, lane] = begun
                    begun += 1
        _compress(states_at, lanes_at)
        for lane in range(LANES):
            if lanes[LEFT, lane] > 0:
                lanes[LEFT, lane] -= np.uint64(1)
                lanes[NEXT, lane] += np.uint64(64)
                if lanes[LEFT, lane] == lanes[PADDED, lane]:
                    lanes[NEXT, lane] = pads_at + np.uint64(128 * lane)
                if lanes[LEFT, lane] == 0:
                    for row in range(8):
                        found[lanes[TEXT, lane], np.uint64(row)] = states[row, lane]
                    ended += 1


@compiled
def _begin(address, size, lane, lanes):
    """A text of this size at this address is the lane's, whose next block is its pad."""
    padded = _pad(address, size, lanes[NEXT, lane])
    lanes[PADDED, lane], lanes[LEFT, lane] = padded, size // np.uint64(64) + padded
    if lanes[LEFT, lane] > padded:
        lanes[NEXT, lane] = address


@compiled
def _pad(text, size, pad):
    """What follows a text's whole blocks: its last bytes, a one bit, zeros, its size in bits; one block or two."""
    zero, one, eight = np.uint64(0), np.uint64(1), np.uint64(8)
    rest = size % np.uint64(64)
    blocks = np.uint64(1) + np.uint64(rest >= np.uint64(56))
    end = blocks * np.uint64(64)
    put_bytes(text, size - rest, rest, pad, zero)
    put_byte(pad, rest, 0x80)
    at = rest + one
    while at < end - eight:
        put_byte(pad, at, 0)
        at += one
    while at < end:
        put_byte(pad, at, (size * eight) >> ((end - one - at) * eight) & np.uint64(0xFF))
        at += one
    return blocks


@_intrinsic
def _compress(_typing: Any, states: Any, blocks: Any) -> Any:
    """One more block into each lane's state: the addresses of 8 words of 8 lanes, and of 8 addresses of blocks."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        rows = _at(builder, arguments[0], _WORDS, 8)
        state = [builder.load(row, align=4) for row in rows]
        words = _read(builder, _at(builder, arguments[1], ir.IntType(64), LANES))
        for row, before, after in zip(rows, state, _rounds(_Math(builder), state, words), strict=True):
            builder.store(builder.add(before, after), row, align=4)

    return types.void(types.uint64, types.uint64), emit


def _at(builder: Any, address: Any, kind: ir.Type, count: int) -> list[Any]:
    """Pointers to ``count`` values in a row at an address."""
    first = builder.inttoptr(address, kind.as_pointer())
    return [builder.gep(first, [ir.Constant(_WORD, index)]) for index in range(count)]


def _read(builder: Any, blocks: list[Any]) -> list[Any]:
    """The sixteen words, big-endian in memory, of each lane's block: a vector each."""
    words = cgutils.alloca_once(builder, ir.ArrayType(_WORDS, 16))
    address = builder.ptrtoint(words, ir.IntType(64))
    places = _at(builder, address, _WORD, 16 * LANES)
    for lane, block in enumerate(blocks):
        for index, word in enumerate(_at(builder, builder.load(block), _WORD, 16)):
            builder.store(builder.load(word, align=1), places[index * LANES + lane])
    kind, name = ir.FunctionType(_WORDS, [_WORDS]), f"llvm.bswap.v{LANES}i32"
    swapped = cgutils.get_or_insert_function(builder.module, kind, name)
    return [builder.call(swapped, [builder.load(word)]) for word in _at(builder, address, _WORDS, 16)]


def _rounds(on: "_Math", state: list[Any], words: list[Any]) -> list[Any]:
    a, b, c, d, e, f, g, h = state
    for number, constant in enumerate(_CONSTANTS):
        if number >= 16:
            early, late = on.xor(words[-15], (7, 18), 3), on.xor(words[-2], (17, 19), 10)
            words.append(on.add(words[-16], early, words[-7], late))
        first = on.add(h, on.xor(e, (6, 11, 25)), on.choose(e, f, g), on.constant(constant), words[number])
        second = on.add(on.xor(a, (2, 13, 22)), on.majority(a, b, c))
        a, b, c, d, e, f, g, h = on.add(first, second), a, b, c, on.add(d, first), e, f, g
    return [a, b, c, d, e, f, g, h]


class _Math:
    """The functions of the standard, on a vector of words."""

    def __init__(self, builder: Any):
        self._builder = builder

    def constant(self, word: int) -> Any:
        return ir.Constant(_WORDS, [word] * LANES)

    def add(self, *words: Any) -> Any:
        return reduce(self._builder.add, words)

    def xor(self, word: Any, rotations: tuple[int, ...], shift: int = 0) -> Any:
        """The exclusive or of the word rotated right by each of these, and of it shifted right, if it is."""
        kind, name = ir.FunctionType(_WORDS, [_WORDS] * 3), f"llvm.fshr.v{LANES}i32"
        rotate = cgutils.get_or_insert_function(self._builder.module, kind, name)
        parts = [self._builder.call(rotate, [word, word, self.constant(by)]) for by in rotations]
        parts += [self._builder.lshr(word, self.constant(shift))] if shift else []
        return reduce(self._builder.xor, parts)

    def choose(self, e: Any, f: Any, g: Any) -> Any:
        return self._builder.xor(g, self._builder.and_(e, self._builder.xor(f, g)))

    def majority(self, a: Any, b: Any, c: Any) -> Any:
        return self._builder.or_(self._builder.and_(a, b), self._builder.and_(c, self._builder.or_(a, b)))
