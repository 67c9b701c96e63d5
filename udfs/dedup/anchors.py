"""Which heads and tails does a conversation have, so that a truncated copy and its source share one?

MinHash finds sets of about equal size; a text that is a small part of another has few minima in common with it. But a
truncation keeps the head, and so does a text with something appended; a text with something put before it keeps the
tail. Therefore every conversation has a key for its first and its last 16, 32, 64, 128 ... tokens: two texts with a
head of n tokens in common share the keys of all lengths up to n, and the longest of them name the smallest buckets.

Heads of less than 64 tokens are openers that many texts share, so only conversations of less than four times as many
tokens have them: enough for a text and its half to share one (docs/decisions/0100).
"""

from typing import Any

import numpy as np
from numba import uint64

from udfs.compiled import compiled, freeze, mix

LENGTHS = (16, 32, 64, 128, 256, 512, 1024)
"""Tokens of a head or tail that has a key."""

_SHARED = 64
"""Shorter heads are of short conversations alone."""

_MULTIPLIER = 0x9E3779B97F4A7C15


def anchors(tokens: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keys (uint64, end to end) of the heads and tails of n conversations, and their n + 1 offsets (int64).

    ``tokens`` and ``offsets`` are those of :func:`udfs.tokens.tokenise`. Equal keys mean equal heads (or equal tails)
    of one length, but for a chance of 2**-64. A conversation of fewer than 16 tokens has none.
    """
    lengths = np.array(LENGTHS, np.int64)
    return _anchors(freeze(tokens, np.uint64), freeze(offsets, np.int64), freeze(lengths, np.int64))


@compiled
def _anchors(tokens: Any, offsets: Any, lengths: Any) -> tuple[Any, Any]:
    count = len(offsets) - 1
    ends = np.zeros(count + 1, np.int64)
    for row in range(count):
        first, last = _rungs(offsets[row + 1] - offsets[row], lengths)
        ends[row + 1] = ends[row] + 2 * (last - first)
    keys = np.empty(ends[count], np.uint64)
    for row in range(count):
        first, last = _rungs(offsets[row + 1] - offsets[row], lengths)
        _climb(tokens[offsets[row] : offsets[row + 1]], lengths[first:last], keys[ends[row] : ends[row + 1]])
    return keys, ends


@compiled
def _rungs(size: int, lengths: Any) -> tuple[int, int]:
    """Which of the lengths, from the first to before the last, a conversation of so many tokens has keys for."""
    first, last = 0, 0
    while last < len(lengths) and lengths[last] <= size:
        last += 1
    while first < last and lengths[first] < _SHARED and size >= 4 * lengths[first]:
        first += 1
    return first, last


@compiled
def _climb(tokens: Any, lengths: Any, keys: Any) -> None:
    """Fill in the keys of the heads, then of the tails, of these lengths."""
    head, tail, done = uint64(1), uint64(2), 0
    for rung in range(len(lengths)):
        while done < lengths[rung]:
            head = head * uint64(_MULTIPLIER) + tokens[done]
            tail = tail * uint64(_MULTIPLIER) + tokens[len(tokens) - 1 - done]
            done += 1
        keys[rung] = mix(head)
        keys[len(lengths) + rung] = mix(tail)
