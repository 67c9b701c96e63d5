"""Where in many texts does a run of tokens stand that an index knows: hashes of runs, looked up while they roll by.

Hashes have 64 bits: that of 100 million tokens of turns and two million known runs any two agree by accident happens
in less than one of ten thousand such scans.
What a token is: :mod:`udfs.tokens`.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import uint64

from udfs.compiled import compiled, freeze, mix

_MULTIPLIER = 0x9E3779B97F4A7C15
_LENGTH = 0xD6E8FEB86659FD93


class Keys(NamedTuple):
    """Runs to look for, as hashes. ``values`` uint64, ascending and distinct; those whose first bits are ``i`` stand
    at ``heads[i]:heads[i + 1]`` (int32), so that a look-up reads one place and mostly finds nothing there.
    ``lengths`` int64: of the runs, to be tried at every token. ``whole``: up to how many tokens a text is looked up as
    a whole as well."""

    values: np.ndarray
    heads: np.ndarray
    lengths: np.ndarray
    whole: int


def index(values: np.ndarray, lengths: np.ndarray, whole: int) -> Keys:
    """Keys to look for, from hashes that :func:`runs` gave, in any order and as often as they come."""
    values = np.unique(values.astype(np.uint64))
    bits = max(len(values) - 1, 1).bit_length() + 1
    places = (values >> np.uint64(64 - bits)).astype(np.int64)
    heads = np.searchsorted(places, np.arange((1 << bits) + 1)).astype(np.int32)
    return Keys(values, heads, np.unique(lengths).astype(np.int64), whole)


def runs(tokens: np.ndarray, ends: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The hashes of the runs of each text i, ``tokens[ends[i]:ends[i + 1]]``: of every ``sizes[i]`` tokens in a row.

    Size 0 gives none; a negative one gives the hash of the whole text, equal only to that of another whole text.
    Returns hashes (uint64) and the text of each (int64).
    """
    return _runs(freeze(tokens, np.uint64), freeze(ends, np.int64), freeze(sizes, np.int64))


def find(tokens: np.ndarray, ends: np.ndarray, offsets: np.ndarray, keys: Keys) -> tuple[np.ndarray, np.ndarray]:
    """Every known run in the texts i, ``tokens[ends[i]:ends[i + 1]]``: the token it starts at, and its place in
    ``keys.values`` (both int64, in no order).

    Group j is texts ``offsets[j]:offsets[j + 1]``; runs go across the texts of a group, whole texts stand alone.
    """
    values, heads = freeze(keys.values, np.uint64), freeze(keys.heads, np.int32)
    lengths = freeze(keys.lengths, np.int64)
    tokens, ends = freeze(tokens, np.uint64), freeze(ends, np.int64)
    groups = freeze(ends[np.asarray(offsets)], np.int64)
    inside = [_find(tokens, groups, int(length), values, heads) for length in lengths]
    found = [*inside, _find_whole(tokens, ends, keys.whole, values, heads)]
    return np.concatenate([places for places, _ in found]), np.concatenate([slots for _, slots in found])


@compiled
def _runs(tokens: Any, ends: Any, sizes: Any) -> tuple[Any, Any]:
    room = len(tokens) + len(sizes)
    hashes, owners, count = np.empty(room, np.uint64), np.empty(room, np.int64), 0
    for text in range(len(sizes)):
        first, last, size = ends[text], ends[text + 1], sizes[text]
        if size < 0 and last > first:
            hashes[count], owners[count] = _whole(tokens, first, last), text
            count += 1
        elif size > 0:
            found = _roll(tokens, first, last, size, hashes[count:])
            owners[count : count + found] = text
            count += found
    return hashes[:count].copy(), owners[:count].copy()


@compiled
def _roll(tokens: Any, first: int, last: int, size: int, hashes: Any) -> int:
    """Hash every ``size`` tokens in a row of one text; returns how many hashes there are.

    A polynomial of the tokens, rolled on (Karp and Rabin 1987), mixed with its length.
    """
    power, rolled = uint64(1), uint64(0)
    for place in range(first, last):
        rolled = rolled * uint64(_MULTIPLIER) + tokens[place]
        if place < first + size:
            power *= uint64(_MULTIPLIER)
        else:
            rolled -= tokens[place - size] * power
        if place >= first + size - 1:
            hashes[place - first - size + 1] = mix(rolled + uint64(size) * uint64(_LENGTH))
    return max(last - first - size + 1, 0)


@compiled
def _whole(tokens: Any, first: int, last: int) -> Any:
    rolled = uint64(0)
    for place in range(first, last):
        rolled = rolled * uint64(_MULTIPLIER) + tokens[place]
    return mix(~(rolled + uint64(last - first) * uint64(_LENGTH)))


@compiled
def _slot(key: Any, values: Any, heads: Any, shift: Any) -> int:
    """The place of a key among the known ones, -1 for an unknown one."""
    bucket = key >> shift
    for place in range(heads[bucket], heads[bucket + uint64(1)]):
        if values[place] == key:
            return place
    return -1


@compiled
def _shift(heads: Any) -> Any:
    bits = 0
    while (1 << bits) < len(heads) - 1:
        bits += 1
    return uint64(64 - bits)


@compiled
def _find(tokens: Any, groups: Any, size: int, values: Any, heads: Any) -> tuple[Any, Any]:
    longest, shift = 0, _shift(heads)
    for group in range(len(groups) - 1):
        longest = max(longest, groups[group + 1] - groups[group])
    hashes = np.empty(longest, np.uint64)
    places, slots, count = np.empty(256, np.int64), np.empty(256, np.int64), 0
    for group in range(len(groups) - 1):
        first = groups[group]
        for place in range(_roll(tokens, first, groups[group + 1], size, hashes)):
            slot = _slot(hashes[place], values, heads, shift)
            if slot >= 0:
                if count == len(places):
                    places, slots = np.append(places, places), np.append(slots, slots)  # twice the room
                places[count], slots[count] = first + place, slot
                count += 1
    return places[:count].copy(), slots[:count].copy()


@compiled
def _find_whole(tokens: Any, ends: Any, most: int, values: Any, heads: Any) -> tuple[Any, Any]:
    places, slots, count, shift = np.empty(len(ends), np.int64), np.empty(len(ends), np.int64), 0, _shift(heads)
    for text in range(len(ends) - 1):
        if 0 < ends[text + 1] - ends[text] <= most:
            slot = _slot(_whole(tokens, ends[text], ends[text + 1]), values, heads, shift)
            if slot >= 0:
                places[count], slots[count] = ends[text], slot
                count += 1
    return places[:count].copy(), slots[:count].copy()
