"""How much of a text does it say over and over?

The share in n-grams that it had before is one of the measures that Rae et al. 2021 (Gopher, table A1) filter web pages
by, counted in tokens (:mod:`udfs.tokens`), so that it is right in scripts without spaces.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numba import uint64

from udfs import tokens
from udfs.compiled import compiled, freeze, mix

NGRAM = 5
"""Tokens of an n-gram: the least of Gopher's duplicate n-grams; a loop of any sentence repeats its 5-grams."""
LEAST_TOKENS = 30
"""A message of fewer tokens may well be a chorus, a chant or a joke."""
WIDEST = 4
"""Bytes of the longest character in UTF-8."""


def repeated(texts: pa.Array) -> np.ndarray:
    """Of each text the share of tokens (float64, 0..1) in a 5-gram that came before in it; 0 below 30 tokens."""
    hashes, ends = tokens.tokenise(texts, np.arange(len(texts) + 1))
    return _repeated(hashes, ends)


def longest_run(texts: pa.Array) -> np.ndarray:
    """Of each text how often the most repeated group of one to four bytes stands in a row (int64); spaces and the
    characters that rules and tables are drawn with do not count."""
    starts, data = tokens.text_buffers(texts)
    return _longest_run(data, starts, _drawing())


def _drawing() -> np.ndarray:
    """Bytes that lines are drawn with, and the white space between (booleans)."""
    drawing = np.zeros(256, np.uint8)
    drawing[list(b" \t\r\n\0-=_*#~.+|")] = 1
    return freeze(drawing, np.uint8)


@compiled
def _repeated(hashes: Any, ends: Any) -> Any:
    shares = np.zeros(len(ends) - 1)
    room = 1
    for row in range(len(shares)):
        while room < 2 * (ends[row + 1] - ends[row]):
            room *= 2
    seen, owner = np.zeros(room, np.uint64), np.full(room, -1, np.int64)
    for row in range(len(shares)):
        first, last = ends[row], ends[row + 1]
        if last - first < LEAST_TOKENS:
            continue
        mask = 1
        while mask < 2 * (last - first):
            mask *= 2
        covered, until = 0, first
        for at in range(first, last - NGRAM + 1):
            gram = uint64(0)
            for place in range(at, at + NGRAM):
                gram = mix(gram ^ hashes[place]) + uint64(1)
            slot = gram & uint64(mask - 1)
            while owner[slot] == row and seen[slot] != gram:
                slot = (slot + uint64(1)) & uint64(mask - 1)
            if owner[slot] == row:
                covered += at + NGRAM - max(at, until)
                until = at + NGRAM
            owner[slot], seen[slot] = row, gram
        shares[row] = covered / (last - first)
    return shares


@compiled
def _longest_run(data: Any, starts: Any, drawing: Any) -> Any:
    longest = np.zeros(len(starts) - 1, np.int64)
    for row in range(len(longest)):
        first, last = starts[row], starts[row + 1]
        for width in range(1, WIDEST + 1):
            same = 0
            for at in range(first + width, last):
                if data[at] == data[at - width] and drawing[data[at]] == 0:
                    same += 1
                else:
                    longest[row] = max(longest[row], same // width + 1)
                    same = 0
            longest[row] = max(longest[row], same // width + 1)
    return longest
