"""Is a record plainly sound JSON, and if so, which values does it hold where? One pass over its bytes, no objects.

``walk`` accepts a part of what RFC 8259 does: one object a record, no repeated or escaped key, valid UTF-8, paired
surrogates, numbers a double or an int64 surely holds. What it does not accept is only *odd*, never refused here:
:mod:`jobs.reader.strict_json` reads it again.
"""

import numpy as np

from udfs.compiled import byte_at, compiled, has_zero_byte, trailing_zeros, word_at

KIND, KEY, PARENT, BEGIN, END, KEY_BEGIN = map(np.uint64, range(6))
"""Columns of the table of values (int32), one row a value: its kind (its first byte; '0' for any number, a backslash
for a string with escapes), its key in the vocabulary (-1 another, -2 none: an item or a record), the row of the
value it is in (-1: none), the bytes it spans (a string's without quotes), and where its key's quote is."""

OBJECT, ARRAY, STRING, ESCAPED, NUMBER, TRUE, FALSE, NULL = b'{["\\0tfn'

_KEYS = 64
"""Objects with more keys are odd: every key is compared with those before it."""
_DIGITS, _EXPONENT = 18, 2


@compiled
def _digit_end(data, at, end):
    while at < end and 48 <= byte_at(data, at) <= 57:
        at += np.uint64(1)
    return at


@compiled
def _number_end(data, at, end):
    """Where the number at ``at`` ends; ``at`` itself if it is none, or one with many digits or a long exponent."""
    begin, one = at, np.uint64(1)
    if byte_at(data, at) == 45:
        at += one
    whole = at
    at = _digit_end(data, at, end)
    if at == whole or (byte_at(data, whole) == 48 and at > whole + one):
        return begin
    if at < end and byte_at(data, at) == 46:
        fraction = at + one
        at = _digit_end(data, fraction, end)
        if at == fraction:
            return begin
    if at - whole > np.uint64(_DIGITS):
        return begin
    if at < end and (byte_at(data, at) == 101 or byte_at(data, at) == 69):
        at += one
        if at < end and (byte_at(data, at) == 43 or byte_at(data, at) == 45):
            at += one
        exponent = at
        at = _digit_end(data, exponent, end)
        if at == exponent or at - exponent > np.uint64(_EXPONENT):
            return begin
    return at


@compiled
def _hex4(data, at, end):
    """The code of four hexadecimal digits, or -1."""
    if at + np.uint64(4) > end:
        return -1
    code = np.int64(0)
    for i in range(4):
        byte = np.int64(byte_at(data, at + np.uint64(i)))
        if not (48 <= byte <= 57 or 97 <= byte <= 102 or 65 <= byte <= 70):
            return -1
        code = code * 16 + (byte & 15) + 9 * (byte >> 6)
    return code


@compiled
def _escape_size(data, at, end):
    """Bytes of the escape at ``at`` (two \\u for a pair), or 0 if it is none or a lone surrogate."""
    if at + np.uint64(1) >= end:
        return 0
    byte = byte_at(data, at + np.uint64(1))
    if byte != 117:
        return 2 if byte in (34, 92, 47, 98, 102, 110, 114, 116) else 0
    code, low = _hex4(data, at + np.uint64(2), end), at + np.uint64(6)
    if code < 0xD800 or code > 0xDFFF:
        return 6 if code >= 0 else 0
    if (
        code > 0xDBFF
        or low + np.uint64(2) > end
        or byte_at(data, low) != 92
        or byte_at(data, low + np.uint64(1)) != 117
    ):
        return 0
    return 12 if 0xDC00 <= _hex4(data, low + np.uint64(2), end) <= 0xDFFF else 0


@compiled
def _utf8_size(data, at, end):
    """Bytes of the UTF-8 sequence that begins at ``at`` with a byte over 127, or 0 if it is not valid."""
    lead = byte_at(data, at)
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if lead < 0xC2 or lead > 0xF4 or at + np.uint64(size) > end:
        return 0
    for i in range(1, size):
        if byte_at(data, at + np.uint64(i)) & 0xC0 != 0x80:
            return 0
    second = byte_at(data, at + np.uint64(1))
    is_odd = (lead == 0xE0 and second < 0xA0) or (lead == 0xED and second > 0x9F)
    is_odd |= (lead == 0xF0 and second < 0x90) or (lead == 0xF4 and second > 0x8F)
    return 0 if is_odd else size


@compiled
def _plain_end(data, at, end):
    """Where the first byte is that is not plain (ASCII but quotes, backslashes and control characters), or ``end``."""
    eight = np.uint64(8)
    while at + eight <= end:
        word = word_at(data, at)
        odd = (word | (word - np.uint64(0x2020202020202020))) & np.uint64(0x8080808080808080)
        odd |= has_zero_byte(word ^ np.uint64(0x2222222222222222)) | has_zero_byte(word ^ np.uint64(0x5C5C5C5C5C5C5C5C))
        if odd:
            return at + (trailing_zeros(odd) >> np.uint64(3))
        at += eight
    while at < end:
        byte = byte_at(data, at)
        if byte < 32 or byte > 127 or byte == 34 or byte == 92:
            break
        at += np.uint64(1)
    return at


@compiled
def _string_end(data, at, end):
    """Where the string's closing quote is (``end``: it is not sound), and has it escapes?"""
    is_escaped = False
    at = _plain_end(data, at, end)
    while at < end and byte_at(data, at) != 34:
        if byte_at(data, at) > 127:
            while at < end and (
                byte_at(data, at) > 127 or byte_at(data, at) == 32
            ):  # words, too short for steps of eight
                size = 1 if byte_at(data, at) == 32 else _utf8_size(data, at, end)
                if size == 0:
                    return end, is_escaped
                at += np.uint64(size)
        else:
            size = _escape_size(data, at, end) if byte_at(data, at) == 92 else 0
            if size == 0:
                return end, is_escaped
            at, is_escaped = at + np.uint64(size), True
        at = _plain_end(data, at, end)
    return at, is_escaped


@compiled
def _after_space(data, at, end):
    while at < end and byte_at(data, at) in (32, 10, 13, 9):
        at += np.uint64(1)
    return at


@compiled
def _hash(data, at, end):
    """FNV-1a of the bytes."""
    value = np.uint64(0xCBF29CE484222325)
    while at < end:
        value = (value ^ np.uint64(byte_at(data, at))) * np.uint64(0x100000001B3)
        at += np.uint64(1)
    return value


@compiled
def hashes(words, bounds):
    """FNV-1a of each ``words[bounds[i]:bounds[i + 1]]``."""
    found = np.empty(len(bounds) - 1, np.uint64)
    for i in range(len(found)):
        found[i] = _hash(np.uint64(words.ctypes.data), np.uint64(bounds[i]), np.uint64(bounds[i + 1]))
    return found


@compiled
def _word(data, at, end, value, words, bounds, known):
    """Which word of the vocabulary the key is; -1: none, -3: another with its hash."""
    for i in range(len(known)):
        if known[i] == value:
            begin, size = bounds[i], np.int64(end - at)
            for j in range(size):
                if size != bounds[i + 1] - begin or words[begin + j] != byte_at(data, at + np.uint64(j)):
                    return -3
            return i
    return -1


@compiled
def _literal_end(data, at, end):
    """Where true, false or null ends; ``at`` if none of them stands there."""
    literal = b"true" if byte_at(data, at) == 116 else b"false" if byte_at(data, at) == 102 else b"null"
    if at + np.uint64(len(literal)) > end:
        return at
    for i in range(len(literal)):
        if byte_at(data, at + np.uint64(i)) != literal[i]:
            return at
    return at + np.uint64(len(literal))


@compiled
def _scalar_end(data, at, end):
    """Kind, begin and end of the string, number or literal at ``at``, and where to go on; ``at`` itself if odd."""
    byte, one = np.int64(byte_at(data, at)), np.uint64(1)
    if byte == 34:
        stop, is_escaped = _string_end(data, at + one, end)
        return 92 if is_escaped else 34, at + one, stop, stop + one if stop < end else at
    if byte == 116 or byte == 102 or byte == 110:
        stop = _literal_end(data, at, end)
        return byte, at, stop, stop
    stop = _number_end(data, at, end)
    return 48, at, stop, stop


@compiled
def _key(data, at, end, seen, level):
    """Hash and closing quote of the key at ``at``; ``at`` itself for one that is not sound, or stands there twice. Row
    ``level`` of ``seen`` holds how many keys are before it, and their hashes."""
    stop, is_escaped = _string_end(data, at + np.uint64(1), end)
    count = seen[level, np.uint64(0)]
    if byte_at(data, at) != 34 or stop >= end or is_escaped or count >= np.uint64(_KEYS):
        return np.uint64(0), at
    value = _hash(data, at + np.uint64(1), stop)
    i = np.uint64(1)
    while i <= count:
        if seen[level, i] == value:
            return value, at
        i += np.uint64(1)
    seen[level, np.uint64(0)], seen[level, i] = count + np.uint64(1), value
    return value, stop


@compiled
def _walk_one(data, at, end, count, table, words, bounds, known, seen):
    """The values of one record into ``table`` from row ``count``. Returns the next free row, or -1: it is odd."""
    one, zero, level = np.uint64(1), np.uint64(0), np.uint64(0)
    parent, kind_of_parent = np.int64(-1), np.int64(0)
    is_open, is_after, is_valued, key, key_at = False, False, True, -2, at
    at = _after_space(data, at, end)
    if at >= end or byte_at(data, at) != 123:
        return -1
    while at < end:
        byte = np.int64(byte_at(data, at))
        if (is_after or is_open) and level > zero and byte == kind_of_parent + 2:  # ] and } are two after [ and {
            at += one
            row = np.uint64(parent)
            table[row, END] = np.int64(at)
            parent, level, is_after, is_open = np.int64(table[row, PARENT]), level - one, True, False
            kind_of_parent = np.int64(table[np.uint64(parent), KIND]) if parent >= 0 else np.int64(0)
        elif is_after:
            if byte != 44 or level == zero:
                return -1
            at += one
            is_after, is_valued, key = False, kind_of_parent == 91, -2
        elif not is_valued:
            value, stop = _key(data, at, end, seen, level)
            if stop == at:
                return -1
            key_at, key = at, _word(data, at + one, stop, value, words, bounds, known)
            at = _after_space(data, stop + one, end)
            if key == -3 or at >= end or byte_at(data, at) != 58:
                return -1
            at, is_open, is_valued = at + one, False, True
        else:
            is_open = byte == 123 or byte == 91
            if is_open:
                kind, begin, stop, after = byte, at, at, at + one
            else:
                kind, begin, stop, after = _scalar_end(data, at, end)
            if after == at or level + np.uint64(is_open) >= np.uint64(len(seen)):
                return -1
            row = np.uint64(count)
            table[row, KIND], table[row, KEY], table[row, PARENT] = kind, key, parent
            table[row, BEGIN], table[row, END] = np.int64(begin), np.int64(stop)
            table[row, KEY_BEGIN] = np.int64(key_at)
            at, is_after = after, not is_open
            if is_open:
                parent, level, is_valued, kind_of_parent, key = np.int64(count), level + one, byte == 91, byte, -2
                seen[level, zero] = zero
            count += 1
        at = _after_space(data, at, end)
    return count if is_after and level == zero else -1


@compiled
def walk(data, spans, table, vocabulary, seen):
    """The values of the records ``data[spans[0, i]:spans[1, i]]`` into ``table``: how many, and the row of each
    record, -1 for an odd one. ``seen`` is scratch space, a row a level of nesting: what is deeper is odd."""
    words, bounds, known = vocabulary
    address = np.uint64(data.ctypes.data)
    roots = np.empty(spans.shape[1], np.int32)
    count = 0
    for record in range(len(roots)):
        begin, end = np.uint64(spans[0, record]), np.uint64(spans[1, record])
        found = _walk_one(address, begin, end, count, table, words, bounds, known, seen)
        roots[record] = count if found >= 0 else -1
        count = max(count, found)
    return count, roots
