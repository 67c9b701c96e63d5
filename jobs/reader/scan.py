"""Where do JSON values begin and end in a block of bytes, and is one record's structure sound?

Two kernels over raw bytes, because no fast parser tells: ``elements`` finds the members of one huge array or object
without parsing it (state carries over block borders), ``inspect`` finds duplicate keys and deep nesting, which orjson
accepts silently.
"""

import numpy as np

from udfs.compiled import compiled

DEPTH, IN_STRING, ESCAPED, POSITION, START, CLOSED = range(6)
"""Slots of the scanner's state (int64): nesting depth, inside a string, after a backslash, bytes consumed, where the
current member began, and where the outermost value ended (-1: not yet)."""

SUSPECT_KEYS = 1
TOO_DEEP = 2


def start_state() -> np.ndarray:
    """The state before the first byte."""
    return np.array([0, 0, 0, 0, 0, -1], dtype=np.int64)


@compiled
def elements(block: np.ndarray, state: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> int:
    """Members of the outermost array or object that end in ``block``, as byte positions in the whole stream.

    Fills ``starts`` and ``ends`` (each at least as long as the block) and returns how many. ``state`` moves on to the
    block's end; once the outermost value closes, ``state[CLOSED]`` is the position after its bracket and the rest of
    the block is left alone.
    """
    depth, in_string, escaped = state[0], state[1], state[2]
    base, start = state[3], state[4]
    found = 0
    position = 0
    while position < len(block) and state[5] < 0:
        byte = block[position]
        position += 1
        if in_string:
            if escaped:
                escaped = 0
            elif byte == 92:
                escaped = 1
            elif byte == 34:
                in_string = 0
        elif byte == 34:
            in_string = 1
        elif byte == 91 or byte == 123:
            depth += 1
            if depth == 1:
                start = base + position
        elif byte == 93 or byte == 125 or (byte == 44 and depth == 1):
            if depth == 1:
                starts[found] = start
                ends[found] = base + position - 1
                found += 1
                start = base + position
            if byte != 44:
                depth -= 1
                if depth == 0:
                    state[5] = base + position
    state[0], state[1], state[2] = depth, in_string, escaped
    state[3], state[4] = base + position, start
    return found


@compiled
def _has_twins(hashes: np.ndarray) -> bool:
    """Do two of these hashes agree?"""
    if len(hashes) > 16:
        ordered = np.sort(hashes)
        for i in range(1, len(ordered)):
            if ordered[i] == ordered[i - 1]:
                return True
        return False
    for i in range(len(hashes)):
        for j in range(i):
            if hashes[i] == hashes[j]:
                return True
    return False


@compiled
def _inspect_one(data, start, end, deepest, keys, opened):
    """Flags of the record ``data[start:end]``; ``keys`` and ``opened`` are scratch space."""
    depth, count, flags = 0, 0, 0
    in_string = False
    key = np.uint64(0)
    position = start
    while position < end:
        byte = data[position]
        position += 1
        if in_string:
            if byte == 34:
                in_string = False
                continue
            if byte == 92:
                position += 1
                key = key ^ np.uint64(0x9E3779B97F4A7C15)
                flags |= 4
            key = (key ^ np.uint64(byte)) * np.uint64(0x100000001B3)
        elif byte == 34:
            in_string = True
            key = np.uint64(0xCBF29CE484222325)
            flags &= ~4
        elif byte == 58:
            if depth > 0 and count < len(keys):
                keys[count] = key
                count += 1
            if flags & 4:
                flags |= 1
        elif byte == 123 or byte == 91:
            if depth >= deepest:
                return 2
            opened[depth] = count
            depth += 1
        elif (byte == 125 or byte == 93) and depth > 0:
            depth -= 1
            if byte == 125 and count - opened[depth] > 1 and _has_twins(keys[opened[depth] : count]):
                flags |= 1
            count = opened[depth]
    return flags & 3


@compiled
def inspect(data: np.ndarray, starts: np.ndarray, ends: np.ndarray, deepest: int) -> np.ndarray:
    """Per record ``data[starts[i]:ends[i]]``: ``SUSPECT_KEYS`` (two keys of one object look equal, or a key is
    escaped: parse again, slowly and surely) and ``TOO_DEEP`` (more than ``deepest`` levels), as int64 flags."""
    flags = np.zeros(len(starts), dtype=np.int64)
    widest = 0
    for i in range(len(starts)):
        widest = max(widest, ends[i] - starts[i])
    keys = np.empty(widest // 3 + 2, dtype=np.uint64)
    opened = np.empty(deepest + 1, dtype=np.int64)
    for i in range(len(starts)):
        flags[i] = _inspect_one(data, starts[i], ends[i], deepest, keys, opened)
    return flags
