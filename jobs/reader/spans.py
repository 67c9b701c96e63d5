"""What do spans of bytes say? Strings of JSON without their escapes, and members of objects as new objects.

Spans are those that :mod:`jobs.reader.walk` accepted: nothing is checked again.
"""

import numpy as np

from udfs.compiled import byte_at, compiled, has_zero_byte, word_at


@compiled
def _plain_end(data, at, end):
    """Up to where whole words hold no backslash and no byte over 127; at least one byte on."""
    begin, eight = at, np.uint64(8)
    while at + eight <= end:
        word = word_at(data, at)
        if word & np.uint64(0x8080808080808080) or has_zero_byte(word ^ np.uint64(0x5C5C5C5C5C5C5C5C)):
            break
        at += eight
    return max(at, begin + np.uint64(1))


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
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at], out[at + 1] = 0xC0 | code >> 6, 0x80 | code & 63
        return at + 2
    if code < 0x10000:
        out[at], out[at + 1], out[at + 2] = 0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63
        return at + 3
    out[at], out[at + 1] = 0xF0 | code >> 18, 0x80 | code >> 12 & 63
    out[at + 2], out[at + 3] = 0x80 | code >> 6 & 63, 0x80 | code & 63
    return at + 4


@compiled
def _put_escape(data, at, out, filled):
    """What the escape at ``at`` stands for; returns the positions after both."""
    byte = byte_at(data, at + np.uint64(1))
    if byte != 117:
        out[filled] = (
            10
            if byte == 110
            else 9
            if byte == 116
            else 13
            if byte == 114
            else 8
            if byte == 98
            else 12
            if byte == 102
            else byte
        )
        return at + np.uint64(2), filled + 1
    code = _code(data, at + np.uint64(2))
    at += np.uint64(6)
    if 0xD800 <= code <= 0xDBFF:
        code = 0x10000 + ((code - 0xD800) << 10) + _code(data, at + np.uint64(2)) - 0xDC00
        at += np.uint64(6)
    return at, _put_utf8(out, filled, code)


@compiled
def unescape(data, begins, ends, escaped, out):
    """The texts of strings, unescaped where they are ``escaped``, end to end in ``out``; returns their n+1 offsets."""
    offsets = np.zeros(len(begins) + 1, np.int32)
    filled, address = np.int64(0), np.uint64(data.ctypes.data)
    for text in range(len(begins)):
        at, end = np.uint64(begins[text]), np.uint64(ends[text])
        if escaped[text]:
            while at < end:
                byte = byte_at(address, at)
                if byte == 92:
                    at, filled = _put_escape(address, at, out, filled)
                    continue
                end_of_run = _plain_end(address, at, end) if byte < 128 else at + np.uint64(1)
                for i in range(np.int64(end_of_run - at)):
                    out[filled + i] = byte_at(address, at + np.uint64(i))
                at, filled = end_of_run, filled + np.int64(end_of_run - at)
        else:
            size = np.int64(end - at)
            out[filled : filled + size] = data[at:end]
            filled += size
        offsets[text + 1] = filled
    return offsets


@compiled
def gather_objects(data, begins, ends, owners, count, out):
    """``[{...}, ...]``, an object for each of ``count`` owners, of the members ``data[begins[i]:ends[i]]``, whose
    owners ascend; returns the size."""
    filled, member = 1, 0
    out[0] = 91
    for owner in range(count):
        out[filled] = 123
        filled += 1
        while member < len(owners) and owners[member] == owner:
            size = ends[member] - begins[member]
            out[filled : filled + size] = data[begins[member] : ends[member]]
            out[filled + size] = 44
            filled, member = filled + size + 1, member + 1
        filled -= out[filled - 1] == 44
        out[filled], out[filled + 1] = 125, 44
        filled += 2
    out[filled - 1] = 93
    return filled
