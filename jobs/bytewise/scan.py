"""Where do records begin and end in a block of bytes, and is one record's structure sound?

Kernels over raw bytes, because no fast parser tells: ``elements`` finds the members of one huge array or object
without parsing it, ``csv_rows`` the rows of a CSV (the state of both carries over block borders), ``inspect`` finds
what orjson accepts silently: duplicate keys, deep nesting, numbers too wide for it.
"""

import numpy as np

from udfs.compiled import compiled, find_byte

DEPTH, IN_STRING, ESCAPED, POSITION, START, CLOSED, FILLED, MEMBERS = range(8)
"""Slots of the JSON scanner's state (int64): nesting depth, inside a string, after a backslash, bytes consumed, where
the current member began, where the outermost value ended (-1: not yet), has the current member any bytes but white
space, and how many members ended so far."""

QUOTING, CSV_POSITION, CSV_START, SEPARATOR = range(4)
"""Slots of the CSV scanner's state: 0 at a field's start, 1 in a bare field, 2 in a quoted one, 3 after a quote in a
quoted one; bytes consumed; where the current row began; the byte between two fields."""

SUSPECT_KEYS = 1
TOO_DEEP = 2
WIDE_NUMBER = 4


def start_state() -> np.ndarray:
    """The state of :func:`elements` before the first byte."""
    return np.array([0, 0, 0, 0, 0, -1, 0, 0], dtype=np.int64)


@compiled
def line_feeds(data):
    """How many line feeds there are."""
    address, end, one = np.uint64(data.ctypes.data), np.uint64(len(data)), np.uint64(1)
    count, at = 0, find_byte(address, np.uint64(0), end, 10)
    while at < end:
        count, at = count + 1, find_byte(address, at + one, end, 10)
    return count


@compiled
def line_ends(data, ends):
    """Where the line feeds are, into ``ends``, which is as long as the data; returns how many."""
    address, end, one = np.uint64(data.ctypes.data), np.uint64(len(data)), np.uint64(1)
    count, at = 0, find_byte(address, np.uint64(0), end, 10)
    while at < end:
        ends[count] = np.int64(at)
        count, at = count + 1, find_byte(address, at + one, end, 10)
    return count


@compiled
def elements(block: np.ndarray, state: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> int:
    """Members of the outermost array or object that end in ``block``, as byte positions in the whole stream.

    Fills ``starts`` and ``ends`` (each longer than the block) and returns how many. ``state`` moves on to the block's
    end; once the outermost value closes, ``state[CLOSED]`` is the position after its bracket and the rest of the block
    is left alone. An empty value has no members; a comma with nothing before or after it bounds a blank one.
    """
    depth, in_string, escaped = state[0], state[1], state[2]
    base, start, filled, members = state[3], state[4], state[6], state[7]
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
            in_string, filled = 1, 1
        elif byte == 91 or byte == 123:
            depth += 1
            filled = 1
            if depth == 1:
                start, filled = base + position, 0
        elif byte == 93 or byte == 125 or (byte == 44 and depth == 1):
            if depth == 1 and (byte == 44 or filled or members + found > 0):
                starts[found] = start
                ends[found] = base + position - 1
                found += 1
                start, filled = base + position, 0
            if byte != 44:
                depth -= 1
                if depth == 0:
                    state[5] = base + position
        elif byte > 32:
            filled = 1
    state[0], state[1], state[2] = depth, in_string, escaped
    state[3], state[4], state[6], state[7] = base + position, start, filled, members + found
    return found


@compiled
def csv_rows(block: np.ndarray, state: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> int:
    """CSV rows that end in ``block``: line feeds outside quotes, where a quote opens only at a field's start, as
    Python's csv module has it. Otherwise like :func:`elements`."""
    quoting, base, start, separator = state[0], state[1], state[2], state[3]
    found = 0
    for position in range(len(block)):
        byte = block[position]
        if byte == 34:
            quoting = (2, 1, 3, 2)[quoting]
        elif quoting == 2:
            continue
        elif byte == 10:
            starts[found] = start
            ends[found] = base + position
            found += 1
            start = base + position + 1
            quoting = 0
        elif byte == separator:
            quoting = 0
        elif byte != 13 or quoting == 0:
            quoting = 1
    state[0], state[1], state[2] = quoting, base + len(block), start
    return found


@compiled
def _has_twins(hashes: np.ndarray) -> bool:
    """Do two of these hashes agree?"""
    if len(hashes) > 16:
        ordered = np.sort(hashes)
        return bool(np.any(ordered[1:] == ordered[:-1]))
    for i in range(len(hashes)):
        for j in range(i):
            if hashes[i] == hashes[j]:
                return True
    return False


@compiled
def _string_end(data, position, end):
    """Where the string that began before ``position`` ends (its closing quote, or ``end``), and has it a backslash?

    Unsigned positions are a third faster: numba checks signed ones for Python's counting from the end."""
    is_escaped = False
    at, stop, one = np.uint64(position), np.uint64(end), np.uint64(1)
    while at < stop and data[at] != 34:
        if data[at] == 92:
            is_escaped = True
            at += one
        at += one
    return min(np.int64(at), end), is_escaped


@compiled
def _hash(data, start, end):
    """FNV-1a of the bytes."""
    value = np.uint64(0xCBF29CE484222325)
    for i in range(start, end):
        value = (value ^ np.uint64(data[i])) * np.uint64(0x100000001B3)
    return value


@compiled
def _inspect_one(data, start, end, deepest, keys, opened):
    """Flags of the record ``data[start:end]``; ``keys`` and ``opened`` are scratch space."""
    depth, count, flags, digits = 0, 0, 0, 0
    text_start, text_end, is_escaped = start, start, False
    position = start
    while position < end:
        byte = data[position]
        position += 1
        if 48 <= byte <= 57:
            digits += 1
            if digits >= 19:
                flags |= 4
            continue
        digits = 0
        if byte == 34:
            text_start = position
            text_end, is_escaped = _string_end(data, position, end)
            position = text_end + 1
        elif byte == 58:
            if depth > 0 and count < len(keys):
                keys[count] = _hash(data, text_start, text_end)
                count += 1
            if is_escaped:
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
    return flags


@compiled
def inspect(data: np.ndarray, starts: np.ndarray, ends: np.ndarray, deepest: int) -> np.ndarray:
    """Per record ``data[starts[i]:ends[i]]``, as int64 flags: ``SUSPECT_KEYS`` (two keys of one object look equal, or a
    key is escaped: parse again, slowly and surely), ``TOO_DEEP`` (more than ``deepest`` levels) and ``WIDE_NUMBER``
    (19 digits in a row outside strings: orjson rounds integers past 64 bits)."""
    flags = np.zeros(len(starts), dtype=np.int64)
    widest = 0
    for i in range(len(starts)):
        widest = max(widest, ends[i] - starts[i])
    keys = np.empty(widest // 3 + 2, dtype=np.uint64)
    opened = np.empty(deepest + 1, dtype=np.int64)
    for i in range(len(starts)):
        flags[i] = _inspect_one(data, starts[i], ends[i], deepest, keys, opened)
    return flags
