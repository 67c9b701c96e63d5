"""What is a text up to case, composition and spacing? Equal folded texts are one text to the exact levels of dedup."""

from typing import Any

import numpy as np
import pyarrow as pa
from numba import uint8, uint32

from udfs.compiled import compiled, decode
from udfs.tokens import SPACE, compose, table, text_buffers

_CODE = 0x1FFFFF
_CLASS = 24


def fold(texts: pa.Array) -> pa.Array:
    """Texts in NFC and Unicode simple case folding, each run of white space as one space, none at the ends.

    Nothing else changes: punctuation, digits and joiners stay. ``texts`` is a string or large_string array, null counts
    as empty; the result is a string array. Folding twice gives the same.
    """
    starts, data = text_buffers(compose(texts))
    folded, ends = _fold(data, starts, table(), SPACE)
    return pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(folded)]
    )


@compiled
def _fold(data: Any, starts: Any, cells: Any, space: int) -> tuple[Any, Any]:
    count = len(starts) - 1
    ends = np.zeros(count + 1, np.int64)
    # Case folding makes a character of two bytes at most one byte longer.
    folded = np.empty((starts[count] - starts[0]) * 3 // 2 + 4, np.uint8)
    for row in range(count):
        first = at = ends[row]
        place, end, is_apart = starts[row], starts[row + 1], False
        while place < end:
            if data[place] < 0x80:  # the short way for ASCII
                code, place = uint32(data[place]), place + 1
            else:
                code, place = decode(data, place, end)
            cell = cells[code]
            if (cell >> uint32(_CLASS)) & uint32(7) == space:
                is_apart = at > first
                continue
            if is_apart:
                folded[at], is_apart = uint8(32), False
                at += 1
            at = _encode(folded, at, cell & uint32(_CODE))
        ends[row + 1] = at
    return folded[: ends[count]].copy(), ends


@compiled
def _encode(out: Any, at: int, code: Any) -> int:
    """Write a code point as UTF-8; returns the place after it."""
    if code < 0x80:
        out[at] = uint8(code)
        return at + 1
    width = 2 if code < 0x800 else 3 if code < 0x10000 else 4
    lead = uint32(0xF00 >> width) & uint32(0xFF)
    out[at] = uint8(lead | (code >> uint32(6 * (width - 1))))
    for place in range(1, width):
        out[at + place] = uint8(uint32(0x80) | (code >> uint32(6 * (width - 1 - place))) & uint32(0x3F))
    return at + width
