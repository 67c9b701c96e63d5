"""Is a record plainly sound JSON, and if so, which values does it hold where? One pass over its bytes, no objects.

``walk`` accepts a part of what RFC 8259 does: one object a record, no repeated or escaped key, valid UTF-8, paired
surrogates, numbers a double or an int64 surely holds. Whatever it does not accept is only *odd*, never refused here:
:mod:`jobs.reader.strict_json` reads it again and says what it is. ``unescape`` gives the texts of strings.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from udfs.compiled import compiled

KIND, KEY, PARENT, RECORD, BEGIN, END, KEY_BEGIN = range(7)
"""Rows of the table of values (int32), one column a value: its kind (its first byte; '0' for any number, a backslash for
a string with escapes), its key in the vocabulary (-1 another, -2 none: an item or a record), the column of the value it
is in (-1: none), its record, the bytes it spans (a string's without quotes), and where its key's quote is."""

OBJECT, ARRAY, STRING, ESCAPED, NUMBER, TRUE, FALSE, NULL = b'{["\\0tfn'

_KEYS = 64
"""Objects with more keys are odd: every key is compared with those before it."""
_DIGITS = 18
_EXPONENT = 2


@intrinsic
def _byte(typing: Any, data: Any, at: Any) -> Any:
    """The byte at place ``at`` of the data at an address. An array that is handed on costs a count of its users, which
    took a third of the time."""

    def load(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = builder.inttoptr(builder.add(*arguments), ir.IntType(8).as_pointer())
        return builder.load(address)

    return types.uint8(types.uint64, types.uint64), load


@compiled
def _digit_end(data, at, end):
    one = np.uint64(1)
    while at < end and 48 <= _byte(data, at) <= 57:
        at += one
    return at


@compiled
def _number_end(data, at, end):
    """Where the number at ``at`` ends; ``at`` itself if it is none, or one with many digits or a long exponent."""
    begin, one = at, np.uint64(1)
    if _byte(data, at) == 45:
        at += one
    whole = at
    at = _digit_end(data, at, end)
    if at == whole or (_byte(data, whole) == 48 and at > whole + one):
        return begin
    if at < end and _byte(data, at) == 46:
        fraction = at + one
        at = _digit_end(data, fraction, end)
        if at == fraction:
            return begin
    if at - whole > np.uint64(_DIGITS):
        return begin
    if at < end and (_byte(data, at) == 101 or _byte(data, at) == 69):
        at += one
        if at < end and (_byte(data, at) == 43 or _byte(data, at) == 45):
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
    code = 0
    for i in range(4):
        byte = _byte(data, at + np.uint64(i))
        if 48 <= byte <= 57:
            code = code * 16 + byte - 48
        elif 97 <= byte <= 102 or 65 <= byte <= 70:
            code = code * 16 + (byte | 32) - 87
        else:
            return -1
    return code


@compiled
def _escape_size(data, at, end):
    """Bytes of the escape at ``at`` (two \\u for a pair), or 0 if it is none or a lone surrogate."""
    if at + np.uint64(1) >= end:
        return 0
    byte = _byte(data, at + np.uint64(1))
    if byte != 117:
        return 2 if byte in (34, 92, 47, 98, 102, 110, 114, 116) else 0
    code = _hex4(data, at + np.uint64(2), end)
    if code < 0xD800 or code > 0xDFFF:
        return 6 if code >= 0 else 0
    low = at + np.uint64(6)
    if code > 0xDBFF or low + np.uint64(2) > end or _byte(data, low) != 92 or _byte(data, low + np.uint64(1)) != 117:
        return 0
    return 12 if 0xDC00 <= _hex4(data, low + np.uint64(2), end) <= 0xDFFF else 0


@compiled
def _utf8_size(data, at, end):
    """Bytes of the UTF-8 sequence that begins at ``at`` with a byte over 127, or 0 if it is not valid."""
    lead = _byte(data, at)
    size = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if lead < 0xC2 or lead > 0xF4 or at + np.uint64(size) > end:
        return 0
    for i in range(1, size):
        if _byte(data, at + np.uint64(i)) & 0xC0 != 0x80:
            return 0
    second = _byte(data, at + np.uint64(1))
    if (lead == 0xE0 and second < 0xA0) or (lead == 0xED and second > 0x9F):
        return 0
    if (lead == 0xF0 and second < 0x90) or (lead == 0xF4 and second > 0x8F):
        return 0
    return size


@intrinsic
def _eight(typing: Any, data: Any, at: Any) -> Any:
    """Eight bytes as one word, wherever they stand."""

    def load(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = builder.inttoptr(builder.add(*arguments), ir.IntType(64).as_pointer())
        return builder.load(address, align=1)

    return types.uint64(types.uint64, types.uint64), load


@compiled
def _has_zero(word):
    """Is a byte of the word zero? The high bits of the first such byte, and maybe of later ones."""
    return (word - np.uint64(0x0101010101010101)) & ~word & np.uint64(0x8080808080808080)


@intrinsic
def _zeros(typing: Any, word: Any) -> Any:
    """The number of zero bits below the lowest one bit of a word that has one."""

    def count(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), count


@compiled
def _plain_end(data, at, end):
    """Where the first byte stands that is not plain (ASCII but quotes, backslashes and control characters), or ``end``."""
    eight = np.uint64(8)
    while at + eight <= end:
        word = _eight(data, at)
        odd = (word | (word - np.uint64(0x2020202020202020))) & np.uint64(0x8080808080808080)
        odd |= _has_zero(word ^ np.uint64(0x2222222222222222)) | _has_zero(word ^ np.uint64(0x5C5C5C5C5C5C5C5C))
        if odd:
            return at + (_zeros(odd) >> np.uint64(3))
        at += eight
    while at < end:
        byte = _byte(data, at)
        if byte < 32 or byte > 127 or byte == 34 or byte == 92:
            break
        at += np.uint64(1)
    return at


@compiled
def _string_end(data, at, end):
    """Where the string's closing quote is (``end``: it is not sound), and has it escapes?"""
    is_escaped = False
    at = _plain_end(data, at, end)
    while at < end and _byte(data, at) != 34:
        if _byte(data, at) > 127:
            while at < end and (_byte(data, at) > 127 or _byte(data, at) == 32):  # words, too short for steps of eight
                size = 1 if _byte(data, at) == 32 else _utf8_size(data, at, end)
                if size == 0:
                    return end, is_escaped
                at += np.uint64(size)
        else:
            size = _escape_size(data, at, end) if _byte(data, at) == 92 else 0
            if size == 0:
                return end, is_escaped
            at, is_escaped = at + np.uint64(size), True
        at = _plain_end(data, at, end)
    return at, is_escaped


@compiled
def _after_space(data, at, end):
    one = np.uint64(1)
    while at < end and (
        _byte(data, at) == 32 or _byte(data, at) == 10 or _byte(data, at) == 13 or _byte(data, at) == 9
    ):
        at += one
    return at


@compiled
def _hash(data, at, end):
    """FNV-1a of the bytes."""
    value, one = np.uint64(0xCBF29CE484222325), np.uint64(1)
    while at < end:
        value = (value ^ np.uint64(_byte(data, at))) * np.uint64(0x100000001B3)
        at += one
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
    """Which word of the vocabulary the key is; -1: none, -3: another with the hash of one."""
    for i in range(len(known)):
        if known[i] == value:
            size = bounds[i + 1] - bounds[i]
            if np.int64(end - at) != size:
                return -3
            for j in range(size):
                if words[bounds[i] + j] != _byte(data, at + np.uint64(j)):
                    return -3
            return i
    return -1


@compiled
def _literal_end(data, at, end):
    """Where true, false or null ends; ``at`` if none of them stands there."""
    literal = b"true" if _byte(data, at) == 116 else b"false" if _byte(data, at) == 102 else b"null"
    if at + np.uint64(len(literal)) > end:
        return at
    for i in range(len(literal)):
        if _byte(data, at + np.uint64(i)) != literal[i]:
            return at
    return at + np.uint64(len(literal))


@compiled
def _scalar_end(data, at, end):
    """Kind, begin and end of the string, number or literal at ``at``, and where to go on; ``at`` itself if odd."""
    byte, one = np.int64(_byte(data, at)), np.uint64(1)
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
    ``level`` of ``seen`` holds the hashes of the keys before it, and their number first."""
    stop, is_escaped = _string_end(data, at + np.uint64(1), end)
    count = seen[level, np.uint64(0)]
    if _byte(data, at) != 34 or stop >= end or is_escaped or count >= np.uint64(_KEYS):
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
def _walk_one(data, at, end, record, count, table, words, bounds, known, seen):
    """The values of one record into ``table`` from column ``count``. Returns the next free column, or -1: it is odd."""
    one, zero, level, parent, kind_of_parent = np.uint64(1), np.uint64(0), np.uint64(0), -1, 0
    is_open, is_after, is_valued, key, key_at = False, False, True, -2, at
    at = _after_space(data, at, end)
    if at >= end or _byte(data, at) != 123:
        return -1
    while at < end:
        byte = np.int64(_byte(data, at))
        if (is_after or is_open) and level > zero and byte == kind_of_parent + 2:  # ] and } are two after [ and {
            at += one
            column = np.uint64(parent)
            table[np.uint64(5), column] = np.int64(at)
            parent, level, is_after, is_open = np.int64(table[np.uint64(2), column]), level - one, True, False
            kind_of_parent = np.int64(table[zero, np.uint64(parent)]) if parent >= 0 else 0
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
            if key == -3 or at >= end or _byte(data, at) != 58:
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
            column = np.uint64(count)
            table[zero, column], table[one, column] = kind, key
            table[np.uint64(2), column], table[np.uint64(3), column] = parent, record
            table[np.uint64(4), column], table[np.uint64(5), column] = np.int64(begin), np.int64(stop)
            table[np.uint64(6), column] = np.int64(key_at)
            at, is_after = after, not is_open
            if is_open:
                parent, level, is_valued, kind_of_parent, key = count, level + one, byte == 91, byte, -2
                seen[level, zero] = zero
            count += 1
        at = _after_space(data, at, end)
    return count if is_after and level == zero else -1


@compiled
def walk(data, spans, table, vocabulary, seen):
    """The values of the records ``data[spans[0, i]:spans[1, i]]`` into ``table``: how many, and the column of each
    record, -1 for an odd one. ``seen`` is scratch space, a row a level of nesting: what is deeper is odd."""
    words, bounds, known = vocabulary
    address = np.uint64(data.ctypes.data)
    roots = np.empty(spans.shape[1], np.int32)
    count = 0
    for record in range(len(roots)):
        begin, end = np.uint64(spans[0, record]), np.uint64(spans[1, record])
        found = _walk_one(address, begin, end, record, count, table, words, bounds, known, seen)
        roots[record] = count if found >= 0 else -1
        count = max(count, found)
    return count, roots


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
def _put_escape(data, at, end, out, filled):
    """What the escape at ``at`` stands for; returns the positions after both."""
    byte = _byte(data, at + np.uint64(1))
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
    code = _hex4(data, at + np.uint64(2), end)
    at += np.uint64(6)
    if 0xD800 <= code <= 0xDBFF:
        code = 0x10000 + ((code - 0xD800) << 10) + _hex4(data, at + np.uint64(2), end) - 0xDC00
        at += np.uint64(6)
    return at, _put_utf8(out, filled, code)


@compiled
def unescape(data, begins, ends, escaped, out):
    """The texts of strings :func:`walk` accepted, end to end in ``out``; returns their n+1 offsets in it."""
    offsets = np.zeros(len(begins) + 1, np.int32)
    filled, address = 0, np.uint64(data.ctypes.data)
    for text in range(len(begins)):
        at, end = np.uint64(begins[text]), np.uint64(ends[text])
        if escaped[text]:
            while at < end:
                byte = _byte(address, at)
                if byte == 92:
                    at, filled = _put_escape(address, at, end, out, filled)
                    continue
                run = np.int64(_plain_end(address, at, end) - at) if byte < 128 else 1
                for i in range(run):
                    out[filled + i] = _byte(address, at + np.uint64(i))
                at, filled = at + np.uint64(run), filled + run
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


@compiled
def _speaker_end(data, at, end, speakers):
    """The speaker whose name, colon and maybe blank stand at ``at``, and where they end; ``at`` itself if none."""
    names, bounds = speakers
    for speaker in range(2):
        size = np.uint64(bounds[speaker + 1] - bounds[speaker])
        if at + size >= end or _byte(data, at + size) != 58:
            continue
        i = np.uint64(0)
        while i < size and _byte(data, at + i) == names[np.uint64(bounds[speaker]) + i]:
            i += np.uint64(1)
        if i == size:
            after = at + size + np.uint64(1)
            return speaker, after + np.uint64(after < end and _byte(data, after) == 32)
    return 0, at


@compiled
def _line_end(data, at, end):
    """Where the next LF is, or ``end``."""
    eight = np.uint64(8)
    while at + eight <= end:
        found = _has_zero(_eight(data, at) ^ np.uint64(0x0A0A0A0A0A0A0A0A))
        if found:
            return at + (_zeros(found) >> np.uint64(3))
        at += eight
    while at < end and _byte(data, at) != 10:
        at += np.uint64(1)
    return at


@compiled
def _speech_end(data, at, end, speakers, has_returns):
    """Where what is said from ``at`` on ends, who speaks next, and from where on (``end``: nobody)."""
    one = np.uint64(1)
    at = _line_end(data, at, end)
    while at < end:
        line = at + one
        if has_returns and line < end and _byte(data, line) == 13:
            line += one
        if line < end and _byte(data, line) == 10:
            speaker, after = _speaker_end(data, line + one, end, speakers)
            if after != line + one:
                return at, speaker, after
        at = _line_end(data, at + one, end)
    return end, -1, end


@compiled
def speeches(data, offsets, speakers, has_returns, table):
    """What two speakers say in each text: rows of ``table`` are text, speaker, begin and end; returns how many.

    A name with a colon begins a message at the text's start, but for line feeds, and after an empty line
    (``has_returns``: of LF, or of CR and LF); a blank after the colon is not part of it. A text that does not begin
    with one is given no message.
    """
    count, address = 0, np.uint64(data.ctypes.data)
    for text in range(len(offsets) - 1):
        at, end = np.uint64(offsets[text]), np.uint64(offsets[text + 1])
        while at < end and _byte(address, at) == 10:
            at += np.uint64(1)
        speaker, begin = _speaker_end(address, at, end, speakers)
        if begin == at:
            continue
        while speaker >= 0:
            stop, follower, after = _speech_end(address, begin, end, speakers, has_returns)
            table[0, count], table[1, count] = text, speaker
            table[2, count], table[3, count] = np.int64(begin), np.int64(stop)
            count, speaker, begin = count + 1, follower, after
    return count
