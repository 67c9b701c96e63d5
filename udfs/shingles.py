"""Which shingles does a conversation have: hashes of every k consecutive tokens, right for every script of Unicode.

The text of a conversation is its messages' contents in order; roles are no part of it. Two texts have the same shingles
if they differ only in case, Unicode normal form, punctuation, symbols, spaces, line breaks, joiners and where a message
ends. Digits, accents, vowel signs and word order count.
"""

import unicodedata
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import uint8, uint32, uint64

from udfs.compiled import compiled, freeze, mix

SPACE, SEPARATOR, IGNORED, MARK, LETTER, SIGN = range(6)
"""What a character is to the tokens. A LETTER (or digit) and its neighbours make a word; a SIGN is a token by itself;
a MARK belongs to the token before it; IGNORED characters (joiners, variation selectors) are as if not there."""

UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F),  # Thai, Lao, Myanmar, Khmer
    (0x1950, 0x19DF), (0x1A20, 0x1AAF), (0xAA80, 0xAADF),  # Tai Le, New Tai Lue, Tai Tham, Tai Viet
    (0x1B00, 0x1B7F), (0xA980, 0xA9DF),  # Balinese, Javanese
    (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x302F), (0x3038, 0x303B),  # Han: radicals, iteration marks, numerals
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),  # Han
    (0x3040, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F), (0x1AFF0, 0x1B16F),  # kana, Bopomofo
    (0xA000, 0xA4CF), (0x17000, 0x18D8F), (0x1B170, 0x1B2FF),  # Yi, Tangut, Khitan, Nushu
)  # fmt: skip
"""Blocks of scripts without spaces between words, as inclusive ranges: their letters are SIGNs, their digits are not.
Tibetan is not among them: its syllables are divided by the tsheg, which is punctuation, and count as words."""

_FOLDED = 0x1FFFFF
_CLASS_SHIFT = 24
_UNSTABLE = 1 << 31
_CODE_POINTS = 0x110000
_CASED_OR_JOINED = 0x30000
_MULTIPLIER = 0x9E3779B97F4A7C15


class Shingles(NamedTuple):
    """Shingle sets of n conversations: set i is ``hashes[offsets[i]:offsets[i + 1]]``, distinct and ascending.

    ``hashes`` uint32, ``offsets`` int64 (n + 1), ``tokens`` int32 (n), the tokens of each conversation.

    Two different shingles have the same hash once in 2**32 (4.3e9) pairs. Among sets of 300 shingles, one pair in
    48,000 shares one shingle too many, which moves its Jaccard by 0.003 at most; that such accidents carry two
    unrelated texts over a threshold needs several at once, but for sets of one or two shingles: compare those exactly.
    """

    hashes: np.ndarray
    offsets: np.ndarray
    tokens: np.ndarray


def shingle_sets(contents: pa.Array, offsets: np.ndarray, size: int) -> Shingles:
    """The shingles of ``size`` tokens of each conversation i, whose messages are ``contents[offsets[i]:offsets[i+1]]``.

    - NFC, then Unicode simple case folding (so ß is not SS, nor İ i̇, nor ﬁ fi; ẞ is ß, ς is σ).
    - A token is a word (letters, digits, marks), or one letter with its marks in :data:`UNSPACED`. Everything else
      separates, as the end of a message does; shingles run across.
    - Fewer tokens than ``size``: one shingle of all of them. No token, but something else than white space: one
      shingle of all those characters. Otherwise the set is empty.

    Hashes depend on the text, ``size`` and the Unicode version of Python (``unicodedata.unidata_version``, for
    characters newer than it) alone. ``contents`` is a string or large_string array, sliced or not; null counts as
    empty. Raises TypeError for other arrays, ValueError for ``offsets`` out of range or ``size`` below 1.

    """
    _check(contents, offsets, size)
    starts, data = _buffers(_normalise(contents))
    hashes, ends, tokens = _shingle(data, starts, freeze(offsets, np.int64), table(), size)
    return Shingles(hashes, ends, tokens)


@cache
def table() -> np.ndarray:
    """A uint32 per code point: its folded code point, its class << 24, and bit 31 where it may be unstable under NFC."""
    characters = [chr(code) for code in range(_CODE_POINTS)]
    cells = np.arange(_CODE_POINTS, dtype=np.uint32)
    for character in characters[:_CASED_OR_JOINED]:
        folded = character.casefold()
        if folded != character:
            folded = folded if len(folded) == 1 else character.lower()
            cells[ord(character)] = ord(folded) if len(folded) == 1 else ord(character)
    cells |= _classes(characters).astype(np.uint32) << _CLASS_SHIFT
    cells[_unstable(characters)] |= _UNSTABLE
    return freeze(cells, np.uint32)


def _classes(characters: list[str]) -> np.ndarray:
    """The class of every code point, from its general category and block."""
    categories = np.frombuffer("".join(map(unicodedata.category, characters)).encode(), dtype="S2")
    major = categories.astype("S1")
    classes = np.full(_CODE_POINTS, SEPARATOR, dtype=np.uint8)
    classes[np.isin(major, [b"L", b"N"])] = LETTER
    for first, last in UNSPACED:
        block = slice(first, last + 1)
        classes[block][(major[block] == b"L") | (categories[block] == b"Nl")] = SIGN
    classes[major == b"M"] = MARK
    classes[categories == b"Cf"] = IGNORED
    classes[0x200B] = SEPARATOR  # zero width space: divides words in Thai and Khmer
    classes[0xFE00:0xFE10] = classes[0xE0100:0xE01F0] = IGNORED  # variation selectors
    classes[[code for code in range(0x3001) if chr(code).isspace()]] = SPACE
    return classes


def _unstable(characters: list[str]) -> list[int]:
    """Code points without which a text is in NFC for sure: they change, move or may join the character before them."""
    unstable = [*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]  # Hangul vowels and finals
    for code, character in enumerate(characters[:_CASED_OR_JOINED]):
        if unicodedata.combining(character) or not unicodedata.is_normalized("NFC", character):
            unstable.append(code)
        parts = unicodedata.decomposition(character).split()
        if len(parts) > 1 and not parts[0].startswith("<"):
            unstable.extend(int(part, 16) for part in parts[1:])
    return unstable


def _check(contents: pa.Array, offsets: np.ndarray, size: int) -> None:
    if not isinstance(contents, pa.Array) or not (pa.types.is_string(contents.type) or _is_large(contents)):
        raise TypeError(f"contents: expected a string or large_string array, found {getattr(contents, 'type', type(contents))}")
    if size < 1:
        raise ValueError(f"size: expected at least 1 token a shingle, found {size}")
    if len(offsets) < 1 or offsets[0] < 0 or offsets[-1] > len(contents) or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets: expected ascending positions among the {len(contents)} messages, found {offsets}")


def _is_large(contents: pa.Array) -> bool:
    return pa.types.is_large_string(contents.type)


def _normalise(contents: pa.Array) -> pa.Array:
    """The messages in NFC, without nulls. Only messages that may change are given to Arrow, which is slow at it."""
    contents = pc.fill_null(contents, "")
    starts, data = _buffers(contents)
    suspects = pa.array(_find_unstable(data, starts, table()))
    if not pc.any(suspects).as_py():
        return contents
    return pc.replace_with_mask(contents, suspects, pc.utf8_normalize(contents.filter(suspects), "NFC"))


def _buffers(contents: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Where each message starts (int64, and the end), and the bytes of all: Arrow's own memory, not a copy."""
    _, starts, data = contents.buffers()
    kind = np.int64 if _is_large(contents) else np.int32
    found = np.frombuffer(starts, kind) if starts is not None and starts.size else np.zeros(1, kind)
    found = found[contents.offset : contents.offset + len(contents) + 1]
    return freeze(found, np.int64), freeze(np.frombuffer(data or b"\0", np.uint8), np.uint8)


@compiled
def _decode(data: Any, at: int, end: int) -> tuple[int, int]:
    """The code point at a byte, and the byte after it; a broken sequence reads as U+FFFD, one byte long."""
    lead = data[at]
    if lead < 0x80:
        return uint32(lead), at + 1
    width = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if lead < 0xC2 or lead > 0xF4 or at + width > end:
        return uint32(0xFFFD), at + 1
    code = uint32(lead) & uint32(0xFF >> (width + 1))
    for place in range(at + 1, at + width):
        code = (code << uint32(6)) | uint32(data[place] & 0x3F)
    return min(code, uint32(0x10FFFF)), at + width


@compiled
def _find_unstable(data: Any, starts: Any, cells: Any) -> Any:
    """Which messages hold a character that NFC may change."""
    found = np.zeros(len(starts) - 1, np.bool_)
    for message in range(len(found)):
        at, end = starts[message], starts[message + 1]
        bits = uint8(0)
        for place in range(at, end):
            bits |= data[place]
        if bits < 0x80:  # all ASCII, seen 16 bytes at a time
            continue
        while at < end and not found[message]:
            code, at = _decode(data, at, end)
            found[message] = cells[code] >= _UNSTABLE
    return found


@compiled
def _tokenise(data: Any, starts: Any, messages: tuple[int, int], cells: Any, tokens: Any) -> int:
    """Hash the tokens of the messages from the first up to the second number; returns how many there are."""
    count, token, kind = 0, uint64(0), SEPARATOR  # kind: LETTER in a word, SIGN after a sign, SEPARATOR between tokens
    for message in range(messages[0], messages[1]):
        at, end = starts[message], starts[message + 1]
        while at < end:
            code, at = _decode(data, at, end)
            cell = cells[code]
            found = (cell >> uint32(_CLASS_SHIFT)) & uint32(7)
            if found == IGNORED:
                continue
            if kind != SEPARATOR and found != MARK and not (found == LETTER and kind == LETTER):
                tokens[count] = mix(token)
                count, token, kind = count + 1, uint64(0), SEPARATOR
            if found >= MARK:
                token = (token ^ uint64(cell & uint32(_FOLDED))) * uint64(_MULTIPLIER) + uint64(1)
                kind = SIGN if found == SIGN else LETTER if kind == SEPARATOR else kind
            while kind == LETTER and at < end and data[at] < 0x80:
                cell = cells[data[at]]
                if (cell >> uint32(_CLASS_SHIFT)) != LETTER:
                    break
                token = (token ^ uint64(cell & uint32(_FOLDED))) * uint64(_MULTIPLIER) + uint64(1)
                at += 1
        if kind != SEPARATOR:
            tokens[count] = mix(token)
            count, token, kind = count + 1, uint64(0), SEPARATOR
    return count


@compiled
def _roll(tokens: Any, count: int, size: int, hashes: Any) -> int:
    """Hash every ``size`` consecutive tokens, or all where there are fewer; returns how many hashes there are."""
    power, rolled = uint64(1), uint64(0)
    for place in range(count):
        rolled = rolled * uint64(_MULTIPLIER) + tokens[place]
        if place < size:
            power *= uint64(_MULTIPLIER)
        else:
            rolled -= tokens[place - size] * power
        if place >= size - 1:
            hashes[place - size + 1] = mix(rolled) >> uint64(32)
    if 0 < count < size:
        hashes[0] = mix(rolled) >> uint64(32)
    return min(count, max(1, count - size + 1))


@compiled
def _symbols(data: Any, at: int, end: int, cells: Any, hashes: Any) -> int:
    """Hash all characters but white space into one; returns 0 where there are none, else 1."""
    rolled = uint64(0)
    while at < end:
        code, at = _decode(data, at, end)
        cell = cells[code]
        if (cell >> uint32(_CLASS_SHIFT)) & uint32(7) != SPACE:
            rolled = (rolled ^ uint64(cell & uint32(_FOLDED))) * uint64(_MULTIPLIER) + uint64(1)
    hashes[0] = mix(rolled + uint64(_MULTIPLIER)) >> uint64(32)
    return int(rolled != 0)


@compiled
def _sort_distinct(hashes: Any, count: int, ends: Any, out: Any) -> int:
    """Put the first ``count`` hashes into ``out``, ascending, each once; returns how many there are.

    Hashes are uniform, so ``count`` buckets by value are nearly sorted, and insertion sort ends the work: linear time.
    """
    ends[: count + 1] = 0
    for place in range(count):
        ends[(uint64(hashes[place]) * uint64(count) >> uint64(32)) + uint64(1)] += 1
    for bucket in range(count):
        ends[bucket + 1] += ends[bucket]
    for place in range(count):
        bucket = uint64(hashes[place]) * uint64(count) >> uint64(32)
        out[ends[bucket]] = hashes[place]
        ends[bucket] += 1
    distinct = 0
    for place in range(count):
        value, hole = out[place], distinct
        while hole > 0 and out[hole - 1] > value:
            hole -= 1
        if hole > 0 and out[hole - 1] == value:
            continue
        for moved in range(distinct, hole, -1):
            out[moved] = out[moved - 1]
        out[hole] = value
        distinct += 1
    return distinct


@compiled
def _shingle(data: Any, starts: Any, offsets: Any, cells: Any, size: int) -> tuple[Any, Any, Any]:
    """Shingle sets (hashes, offsets, token counts) of all conversations.

    Room: a token takes 2 bytes with its separator, where a message's end counts as one; a sign takes 3 or 4.
    """
    count = len(offsets) - 1
    longest = 0
    for row in range(count):
        longest = max(longest, starts[offsets[row + 1]] - starts[offsets[row]] + offsets[row + 1] - offsets[row])
    total = starts[offsets[count]] - starts[offsets[0]] + offsets[count] - offsets[0]
    hashes, ends, counts = np.empty(total // 2 + count, np.uint32), np.zeros(count + 1, np.int64), np.zeros(count, np.int32)
    room = longest // 2 + 2
    tokens, found, buckets = np.empty(room, np.uint64), np.empty(room, np.uint32), np.empty(room, np.int64)
    for row in range(count):
        first, last = offsets[row], offsets[row + 1]
        counts[row] = _tokenise(data, starts, (first, last), cells, tokens)
        shingles = _roll(tokens, counts[row], size, found)
        if shingles == 0:
            shingles = _symbols(data, starts[first], starts[last], cells, found)
        ends[row + 1] = ends[row] + _sort_distinct(found, shingles, buckets, hashes[ends[row] :])
    return hashes[: ends[count]].copy(), ends, counts
