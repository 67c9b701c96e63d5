"""What do spans of bytes say? Strings of JSON without their escapes, and members of objects as new objects.

Spans are those that :mod:`jobs.bytewise.walk` accepted: nothing is checked again.
"""

import numpy as np

from udfs.compiled import byte_at, compiled, find_byte, put_byte, put_bytes


@compiled
def _code(data, at):
    """The number that four hexadecimal digits write."""
    code = np.int64(0)
    for i in range(4):
        digit = np.int64(byte_at(data, at + np.uint64(i)))
        code = code * 16 + (digit & 15) + 9 * (digit >> 6)
    return code


@compiled
def _put_utf8(out, at, code):
    """The code point in UTF-8 at ``at``; returns the position after it."""
    one, size = np.uint64(1), 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
    if size == 1:
        put_byte(out, at, code)
        return at + one
    shift = 6 * (size - 1)
    put_byte(out, at, (0xF00 >> size & 0xFF) | code >> shift)
    while shift > 0:
        shift -= 6
        at += one
        put_byte(out, at, 0x80 | code >> shift & 63)
    return at + one


@compiled
def _meant(letter):
    """The character that a letter after a backslash stands for; the others stand for themselves."""
    for written, meant in ((110, 10), (116, 9), (114, 13), (98, 8), (102, 12)):
        if letter == written:
            return np.uint8(meant)
    return letter


@compiled
def _put_escape(data, at, out, filled):
    """What the escape at ``at`` stands for; returns the positions after both."""
    letter = byte_at(data, at + np.uint64(1))
    if letter != 117:
        put_byte(out, filled, _meant(letter))
        return at + np.uint64(2), filled + np.uint64(1)
    code = _code(data, at + np.uint64(2))
    at += np.uint64(6)
    if 0xD800 <= code <= 0xDBFF:
        code = 0x10000 + ((code - 0xD800) << 10) + _code(data, at + np.uint64(2)) - 0xDC00
        at += np.uint64(6)
    return at, _put_utf8(out, filled, code)


@compiled
def _put_unescaped(data, at, end, out, filled):
    """The text of a string with escapes; returns the position after it."""
    while at < end:
        stop = find_byte(data, at, end, 92)
        put_bytes(data, at, stop - at, out, filled)
        at, filled = stop, filled + (stop - at)
        if at < end:
            at, filled = _put_escape(data, at, out, filled)
    return filled


@compiled
def unescape(data, begins, ends, escaped, out):
    """The texts of strings, unescaped where they are ``escaped``, end to end in ``out``; returns their n+1 offsets."""
    offsets = np.zeros(len(begins) + 1, np.int32)
    source, target, filled = np.uint64(data.ctypes.data), np.uint64(out.ctypes.data), np.uint64(0)
    for text in range(len(begins)):
        at, end = np.uint64(begins[text]), np.uint64(ends[text])
        if escaped[text]:
            filled = _put_unescaped(source, at, end, target, filled)
        else:
            put_bytes(source, at, end - at, target, filled)
            filled += end - at
        offsets[text + 1] = np.int64(filled)
    return offsets


@compiled
def gather_objects(data, begins, ends, owners, count, out):
    """``[{...}, ...]``, an object for each of ``count`` owners, of the members ``data[begins[i]:ends[i]]``, whose
    owners ascend; returns the size."""
    source, target = np.uint64(data.ctypes.data), np.uint64(out.ctypes.data)
    filled, member, one = np.uint64(1), 0, np.uint64(1)
    put_byte(target, np.uint64(0), 91)
    for owner in range(count):
        put_byte(target, filled, 123)
        filled += one
        while member < len(owners) and owners[member] == owner:
            size = np.uint64(ends[member] - begins[member])
            put_bytes(source, np.uint64(begins[member]), size, target, filled)
            put_byte(target, filled + size, 44)
            filled, member = filled + size + one, member + 1
        filled -= np.uint64(byte_at(target, filled - one) == 44)
        put_byte(target, filled, 125)
        put_byte(target, filled + one, 44)
        filled += np.uint64(2)
    put_byte(target, filled - one, 93)
    return np.int64(filled)
