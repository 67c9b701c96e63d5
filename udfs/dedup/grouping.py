"""Equal keys next to each other, without sorting them: millions of 64-bit hashes, whose order nobody asks for.

Keys are dealt out by their hash to parts that the processor's cache holds, and in each part put together by a table of
its own: a sixth of the time that it takes to sort them by reference (docs/decisions/0103).
"""

from typing import Any

import numpy as np
from numba import uint64

from udfs.compiled import compiled, freeze

_SPREAD = 0x9E3779B97F4A7C15
_PART = 1 << 12
"""Keys of a part, about."""
_MOST_BITS = 12
"""Of the number of parts: more are more places to write to at once than the processor knows the addresses of."""


def group(keys: np.ndarray, values: np.ndarray, shift: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The keys (uint64) and the value (int64) of each, so that keys which are equal but for their last ``shift`` bits
    stand together, those in the order in which they came. In which order groups stand follows from their keys and
    their order alone."""
    bits = min(max(len(keys) // _PART, 1).bit_length(), _MOST_BITS)
    return _group(freeze(keys, np.uint64), freeze(values, np.int64), shift, bits)  # type: ignore[no-any-return]


def firsts(keys: np.ndarray) -> np.ndarray:
    """The place (int64) of the first of each run of equal keys."""
    return np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])


@compiled
def _group(keys: Any, values: Any, shift: int, bits: int) -> Any:
    keys, values, ends = _deal(keys, values, shift, bits)
    most = np.diff(ends).max()
    scratch = (
        np.empty(_slots(most), np.int32),
        np.empty(most, np.int32),
        np.empty(most, np.int64),
        np.empty(most, np.uint64),
        np.empty(most, np.int64),
    )
    for part in range(len(ends) - 1):
        first, last = ends[part], ends[part + 1]
        _put_together(keys[first:last], values[first:last], shift, scratch)
    return keys, values


@compiled
def _deal(keys: Any, values: Any, shift: int, bits: int) -> Any:
    """Keys and values by the first ``bits`` bits of the keys' hashes, and where each part of them begins and ends."""
    ends, down = np.zeros((1 << bits) + 1, np.int64), uint64(64 - bits)
    for key in keys:
        ends[(((key >> uint64(shift)) * uint64(_SPREAD)) >> down) + uint64(1)] += 1
    ends = np.cumsum(ends)
    at = ends[:-1].copy()
    dealt, carried = np.empty(len(keys), np.uint64), np.empty(len(keys), np.int64)
    for place in range(len(keys)):
        part = ((keys[place] >> uint64(shift)) * uint64(_SPREAD)) >> down
        dealt[at[part]], carried[at[part]] = keys[place], values[place]
        at[part] += 1
    return dealt, carried, ends


@compiled
def _slots(count: int) -> int:
    """Places of a table for so many keys: a power of two, less than half of them taken."""
    size = 16
    while size < 2 * count:
        size *= 2
    return size


@compiled
def _put_together(keys: Any, values: Any, shift: int, scratch: Any) -> None:
    """Reorder one part."""
    table, number, starts, keys_before, values_before = scratch
    _number(keys, shift, table[: _slots(len(keys))], number, starts, keys_before)
    keys_before[: len(keys)], values_before[: len(keys)] = keys, values
    for place in range(len(keys)):
        to = starts[number[place]]
        starts[number[place]] += 1
        keys[to], values[to] = keys_before[place], values_before[place]


@compiled
def _number(keys: Any, shift: int, table: Any, number: Any, starts: Any, distinct: Any) -> None:
    """The number of each key's group, by first occurrence, and where each group is to start."""
    table[:], found, last = -1, 0, uint64(len(table) - 1)
    for place in range(len(keys)):
        key = keys[place] >> uint64(shift)
        slot = (key * uint64(_SPREAD) >> uint64(20)) & last
        while table[slot] >= 0 and distinct[table[slot]] != key:
            slot = (slot + uint64(1)) & last
        if table[slot] < 0:
            table[slot], distinct[found], starts[found] = found, key, 0
            found += 1
        number[place] = table[slot]
        starts[number[place]] += 1
    total = 0
    for each in range(found):
        starts[each], total = total, total + starts[each]
