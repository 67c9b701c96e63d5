"""What is a text up to case, composition and spacing? Equal folded texts are one text to the exact levels of dedup."""

from typing import Any

import numpy as np
import pyarrow as pa
from numba import uint8, uint32, uint64

from udfs.compiled import compiled, decode, put_byte, put_word, word_at
from udfs.tokens import SPACE, table, text_buffers

_CODE = 0x1FFFFF
_CLASS = 24
_EACH = 0x0101010101010101
"""One in each byte of a word."""


def fold(texts: pa.Array) -> pa.Array:
    """Texts in Unicode simple case folding, each run of white space as one space, none at the ends.

    Nothing else changes: punctuation, digits and joiners stay. ``texts`` are those that :func:`udfs.tokens.compose`
    gives, in NFC; the result is a string array. Folding twice gives the same.
    """
    starts, data = text_buffers(texts)
    folded, ends = _fold(data, starts, table(), SPACE)
    return pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(folded)]
    )


@compiled
def _fold(data: Any, starts: Any, cells: Any, space: int) -> tuple[Any, Any]:
    count, one = len(starts) - 1, uint64(1)
    ends = np.zeros(count + 1, np.int64)
    # Case folding makes a character of two bytes at most one byte longer; words are written whole.
    folded = np.empty((starts[count] - starts[0]) * 3 // 2 + 16, np.uint8)
    source, target = uint64(data.ctypes.data), uint64(folded.ctypes.data)
    for row in range(count):
        first = at = uint64(ends[row])
        place, end, is_spaced = uint64(starts[row]), uint64(starts[row + 1]), True  # is_spaced: no space here
        while place < end:
            while place + uint64(8) <= end:  # the short way for ASCII, eight characters at a time
                word = word_at(source, place)
                spaces = _spaces(word)
                if not _is_plain(word, spaces, is_spaced):
                    break
                put_word(target, at, _lower(word))
                place, at, is_spaced = place + uint64(8), at + uint64(8), spaces >> uint64(63) != 0
            if place == end:
                break
            code, place = decode(source, place, end)
            cell = cells[code]
            if (cell >> uint32(_CLASS)) & uint32(7) != space:
                at, is_spaced = _encode(target, at, cell & uint32(_CODE)), False
            elif not is_spaced:
                put_byte(target, at, uint8(32))
                at, is_spaced = at + one, True
        ends[row + 1] = at - one if is_spaced and at > first else at
    return folded[: ends[count]].copy(), ends


@compiled
def _spaces(word: Any) -> Any:
    """The high bit of each of eight ASCII characters that is a space."""
    differs = (word ^ uint64(0x20 * _EACH)) + uint64(0x7F * _EACH)
    return ~differs & uint64(0x80 * _EACH)


@compiled
def _is_plain(word: Any, spaces: Any, is_spaced: Any) -> Any:
    """Are these eight ASCII characters, no control characters, and is no space of them next to another?"""
    controls = (word - uint64(0x20 * _EACH)) & ~word  # the high bit of the first one below a space, maybe of later ones
    before = (spaces << uint64(8)) | (uint64(0x80) if is_spaced else uint64(0))
    return (word | controls) & uint64(0x80 * _EACH) | spaces & before == 0


@compiled
def _lower(word: Any) -> Any:
    """Eight ASCII characters in lower case."""
    from_a, after_z = word + uint64((0x80 - 0x41) * _EACH), word + uint64((0x80 - 0x5B) * _EACH)
    return word | (from_a & ~after_z & uint64(0x80 * _EACH)) >> uint64(2)


@compiled
def _encode(target: Any, at: Any, code: Any) -> Any:
    """Write a code point as UTF-8; returns the place after it."""
    if code < 0x80:
        put_byte(target, at, uint8(code))
        return at + uint64(1)
    width = uint32(2) if code < 0x800 else uint32(3) if code < 0x10000 else uint32(4)
    lead = (uint32(0xF00) >> width) & uint32(0xFF)
    put_byte(target, at, uint8(lead | (code >> (uint32(6) * (width - uint32(1))))))
    for place in range(uint32(1), width):
        rest = code >> (uint32(6) * (width - uint32(1) - place))
        put_byte(target, at + place, uint8(uint32(0x80) | rest & uint32(0x3F)))
    return at + width
