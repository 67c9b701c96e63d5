"""What are the tokens of a text: hashes of its words, or of single characters where a script has no spaces.

Classes and case come from Python's Unicode data; characters newer than ``unicodedata.unidata_version`` separate.
"""

import unicodedata
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import uint32, uint64

from udfs.compiled import compiled, decode, freeze, mix, trailing_zeros, word_at

SPACE, SEPARATOR, IGNORED, MARK, LETTER, SIGN = range(6)
"""What a character is to the tokens. A LETTER (or digit) and its neighbours make a word; a SIGN is a token by itself;
a MARK belongs to the token before it; IGNORED characters (joiners, variation selectors) are as if not there."""

UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0xA9E0, 0xA9FF),  # Thai, Lao, Burmese, Khmer
    (0xAA60, 0xAA7F), (0x1950, 0x19DF), (0x1A20, 0x1AAF), (0xAA80, 0xAADF),  # Burmese, Tai Le, Tai Lue, Tham, Viet
    (0x1B00, 0x1B7F), (0xA980, 0xA9DF),  # Balinese, Javanese
    (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x302F), (0x3038, 0x303B),  # Han: radicals, iteration marks, numerals
    (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),  # Han
    (0x3040, 0x312F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F), (0x1AFF0, 0x1B16F),  # kana, Bopomofo
    (0xA000, 0xA4CF), (0x17000, 0x18D8F), (0x1B170, 0x1B2FF),  # Yi, Tangut, Khitan, Nushu
    (0x1100, 0x11FF), (0x3131, 0x318E), (0xA960, 0xA97C), (0xAC00, 0xD7FB),  # Hangul
)  # fmt: skip
"""Blocks whose letters are SIGNs, as inclusive ranges; their digits are not. Scripts without spaces between words, and
Hangul: it has spaces, but what stands between two of them is a whole phrase of stem and endings, so that one changed
ending changes five shingles of words (docs/decisions/0011). Not among them: Tibetan, whose syllables are divided by
punctuation (the tsheg)."""
REVISION = 4
"""Counted up when the tokens of some text change, or the keys that are made of them; signatures of two revisions cannot
be compared."""

_FOLDED = 0x1FFFFF
_CLASS = 24
_UNSTABLE = 1 << 31
_CODE_POINTS = 0x110000
_ASSIGNED = range(0x40000), range(0xE0000, 0xE1000)
"""Where characters are; the planes between are empty, those after them private."""
_CASED_OR_JOINED = 0x30000
"""No character from here on has case or changes under NFC."""
_MULTIPLIER = 0x9E3779B97F4A7C15
_EACH = 0x0101010101010101
"""One in each byte of a word."""


def tokenise(contents: pa.Array, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The tokens of each conversation i, whose messages are ``contents[offsets[i]:offsets[i + 1]]``, in order.

    Returns their hashes (uint64, spread over all bits) end to end, and the n + 1 offsets of the conversations among
    them (int64). Hashes depend on the token alone.

    - Characters are brought to NFC and Unicode simple case folding (so ß is not SS, nor İ i̇, nor ﬁ fi; ẞ is ß, ς is
      σ); joiners and variation selectors are dropped.
    - A token is a word (letters, digits, marks), or one letter with its marks where :data:`UNSPACED`. Everything else
      separates tokens, as the end of a message does.
    - A conversation with no such token has one: all its characters but white space; none if there is only white space.

    ``contents`` is a string or large_string array, sliced or not; null counts as empty. Raises TypeError for other
    arrays, ValueError for offsets out of range.
    """
    _check(contents, offsets)
    return tokenise_composed(compose(contents), offsets)[:2]


def tokenise_composed(contents: pa.Array, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same of messages that :func:`compose` gave, and of each conversation the number of tokens before its last
    message (int64)."""
    _check(contents, offsets)
    starts, data = text_buffers(contents)
    return _tokenise(data, starts, freeze(offsets, np.int64), table())


@cache
def table() -> np.ndarray:
    """One uint32 a code point (4 MB): folded form, class << 24, bit 31 for :func:`_unstable`. Built once, in 0.1 s."""
    characters = [chr(code) for code in range(_CASED_OR_JOINED)]
    cells = np.arange(_CODE_POINTS, dtype=np.uint32)
    for character in characters:
        folded = character.casefold()
        if folded != character:
            folded = folded if len(folded) == 1 else character.lower()
            cells[ord(character)] = ord(folded) if len(folded) == 1 else ord(character)
    cells |= _classes().astype(np.uint32) << np.uint32(_CLASS)
    cells[_unstable(characters)] |= _UNSTABLE
    return freeze(cells, np.uint32)


def _classes() -> np.ndarray:
    """The class of every code point, from its general category and block."""
    categories = np.full(_CODE_POINTS, b"Cn")
    for codes in _ASSIGNED:
        found = "".join(map(unicodedata.category, map(chr, codes)))
        categories[codes.start : codes.stop] = np.frombuffer(found.encode(), "S2")
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
    """Every code point that changes, moves, or may join the one before it, under NFC; a text without them is in NFC."""
    unstable = [*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]  # Hangul vowels and finals
    for code, character in enumerate(characters):
        if unicodedata.combining(character) or not unicodedata.is_normalized("NFC", character):
            unstable.append(code)
        parts = unicodedata.decomposition(character).split()
        if len(parts) > 1 and not parts[0].startswith("<"):
            unstable.extend(int(part, 16) for part in parts[1:])
    return unstable


def _check(contents: pa.Array, offsets: np.ndarray) -> None:
    kind = getattr(contents, "type", None)
    if not isinstance(contents, pa.Array) or kind not in (pa.string(), pa.large_string()):
        raise TypeError(f"contents: expected a string or large_string array, found {type(contents)} of {kind}")
    if len(offsets) < 1 or offsets[0] < 0 or offsets[-1] > len(contents) or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets: expected ascending positions among the {len(contents)} messages, found {offsets}")


def compose(contents: pa.Array) -> pa.Array:
    """The messages in NFC, without nulls. Only messages that may change are given to Arrow, which is slow at it."""
    contents = pc.fill_null(contents, "")
    starts, data = text_buffers(contents)
    suspects = pa.array(_find_unstable(data, starts, table()))
    if not pc.any(suspects).as_py():
        return contents
    return pc.replace_with_mask(contents, suspects, pc.utf8_normalize(contents.filter(suspects), "NFC"))


def text_buffers(contents: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Where each message starts (int64, and the end), and the bytes of all: Arrow's own memory, not a copy."""
    _, starts, data = contents.buffers()
    kind = np.int64 if contents.type == pa.large_string() else np.int32
    found = np.frombuffer(starts, kind) if starts is not None and starts.size else np.zeros(1, kind)
    found = found[contents.offset : contents.offset + len(contents) + 1]
    return freeze(found, np.int64), freeze(np.frombuffer(data or b"\0", np.uint8), np.uint8)


@compiled
def _find_unstable(data: Any, starts: Any, cells: Any) -> Any:
    """Which messages hold a character that NFC may change."""
    found, source = np.zeros(len(starts) - 1, np.bool_), uint64(data.ctypes.data)
    for message in range(len(found)):
        at, end = uint64(starts[message]), uint64(starts[message + 1])
        at = _skip_ascii(source, at, end)
        while at < end and not found[message]:
            code, at = decode(source, at, end)
            found[message] = cells[code] >= _UNSTABLE
            if code == 0x20:
                at = _skip_ascii(source, at, end)
    return found


@compiled
def _skip_ascii(source: Any, at: Any, end: Any) -> Any:
    """The place after the ASCII characters from ``at`` on, or a few before it."""
    while at + uint64(8) <= end and word_at(source, at) & uint64(0x8080808080808080) == 0:
        at += uint64(8)
    return at


@compiled
def _tokenise(data: Any, starts: Any, offsets: Any, cells: Any) -> tuple[Any, Any, Any]:
    # Room: a token takes 2 bytes with its separator, where a message's end counts as one; a sign takes 3 or 4.
    count, source = len(offsets) - 1, uint64(data.ctypes.data)
    size = starts[offsets[count]] - starts[offsets[0]] + offsets[count] - offsets[0]
    tokens, ends = np.empty(size // 2 + count, np.uint64), np.zeros(count + 1, np.int64)
    before_last = np.zeros(count, np.int64)
    for row in range(count):
        found, symbols = ends[row], uint64(0)
        for message in range(offsets[row], offsets[row + 1]):
            before_last[row] = found - ends[row]
            found = _find_tokens(source, uint64(starts[message]), uint64(starts[message + 1]), cells, tokens, found)
        if found == ends[row]:
            for message in range(offsets[row], offsets[row + 1]):
                symbols = _hash_symbols(source, uint64(starts[message]), uint64(starts[message + 1]), cells, symbols)
            if symbols != 0:
                tokens[found] = mix(~symbols)
                found += 1
        ends[row + 1] = found
    return tokens[: ends[count]], ends, before_last


@compiled
def _find_tokens(source: Any, at: Any, end: Any, cells: Any, tokens: Any, count: int) -> int:
    """Put the tokens of one message behind the first ``count``; returns how many there are then."""
    rolled, rest, filled = uint64(0), uint64(0), uint64(0)  # a token's whole words, what came after them, its bits
    kind = SEPARATOR  # LETTER within a word, SIGN after a sign, SEPARATOR between tokens
    while at < end:
        if kind != SIGN and at + uint64(8) <= end:  # the short way through ASCII words
            word = word_at(source, at)
            bits = _plain_bits(word)
            if bits > 0:
                rolled, rest, filled = _append(rolled, rest, filled, _lower(word, bits), bits)
                at, kind = at + (bits >> uint64(3)), LETTER
                if bits == 64:
                    continue
            if (word >> bits) & uint64(0x80) == 0:  # of ASCII, so it separates
                at += uint64(1)
                if kind == LETTER:
                    tokens[count] = _token(rolled, rest, filled)
                    rolled, rest, filled = uint64(0), uint64(0), uint64(0)
                    count, kind = count + 1, SEPARATOR
                continue
        code, at = decode(source, at, end)
        found = (cells[code] >> uint32(_CLASS)) & uint32(7)
        if found == IGNORED:
            continue
        if kind != SEPARATOR and found != MARK and not (found == LETTER and kind == LETTER):
            tokens[count] = _token(rolled, rest, filled)
            rolled, rest, filled = uint64(0), uint64(0), uint64(0)
            count, kind = count + 1, SEPARATOR
        if found >= MARK:
            coded, bits = _coded(uint64(cells[code] & uint32(_FOLDED)))
            rolled, rest, filled = _append(rolled, rest, filled, coded, bits)
            kind = SIGN if found == SIGN else LETTER if kind == SEPARATOR else kind
    if kind != SEPARATOR:
        tokens[count] = _token(rolled, rest, filled)
        count += 1
    return count


@compiled
def _plain_bits(word: Any) -> Any:
    """How many bits of a word, from the lowest on, are whole bytes that are ASCII letters or digits."""
    plain = word & uint64(0x7F * _EACH)
    lower = plain | uint64(0x20 * _EACH)
    letters = (lower + uint64((0x80 - 0x61) * _EACH)) & ~(lower + uint64((0x80 - 0x7B) * _EACH))
    digits = (plain + uint64((0x80 - 0x30) * _EACH)) & ~(plain + uint64((0x80 - 0x3A) * _EACH))
    others = (~(letters | digits) | word) & uint64(0x80 * _EACH)
    return uint64(64) if others == 0 else trailing_zeros(others) - uint64(7)


@compiled
def _lower(word: Any, bits: Any) -> Any:
    """The lowest bytes of a word, ``bits`` bits of ASCII letters and digits, in lower case; above them zeros."""
    return (word | uint64(0x20 * _EACH)) & (uint64(0xFFFFFFFFFFFFFFFF) >> (uint64(64) - bits))


@compiled
def _coded(code: Any) -> tuple[Any, Any]:
    """A code point in bytes, none of them zero, and how many bits they have: ASCII as it is, others as three bytes that
    ASCII has not."""
    if code < uint64(0x80):
        return code, uint64(8)
    low, middle, high = code & uint64(0x7F), (code >> uint64(7)) & uint64(0x7F), code >> uint64(14)
    return low | (middle << uint64(8)) | (high << uint64(16)) | uint64(0x808080), uint64(24)


@compiled
def _append(rolled: Any, rest: Any, filled: Any, coded: Any, bits: Any) -> tuple[Any, Any, Any]:
    """Put ``bits`` bits behind a token that is cut into words: its words, the begun one, how many bits that has."""
    rest |= coded << filled
    if filled + bits < 64:
        return rolled, rest, filled + bits
    left = coded >> (uint64(64) - filled) if filled > 0 else uint64(0)
    return _roll(rolled, rest), left, filled + bits - uint64(64)


@compiled
def _token(rolled: Any, rest: Any, filled: Any) -> Any:
    return mix(_roll(rolled, rest) if filled > 0 else rolled)


@compiled
def _hash_symbols(source: Any, at: Any, end: Any, cells: Any, rolled: Any) -> Any:
    """Append all characters of one message but white space to a hash."""
    while at < end:
        code, at = decode(source, at, end)
        if (cells[code] >> uint32(_CLASS)) & uint32(7) != SPACE:
            rolled = _roll(rolled, uint64(cells[code] & uint32(_FOLDED)))
    return rolled


@compiled
def _roll(rolled: Any, word: Any) -> Any:
    return (rolled ^ word) * uint64(_MULTIPLIER) + uint64(1)
