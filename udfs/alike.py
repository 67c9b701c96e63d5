"""What text is read as: one form for what differs in case, width, script variant or spacing, and where it stood.

Folded away: case (Unicode's simple mapping, so ß is not ss), compatibility forms of one character (full and half width,
mathematical letters: NFKC where it gives a single character), composition (e + accent, ｶ + ﾞ), traditional against
simplified characters (:mod:`udfs.hanzi`), curly apostrophes, characters of no width, runs of white space.
"""

import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import hanzi

GAP = 0
"""Code point between two texts of a :class:`Reading`; a NUL inside a text reads as a space."""

LEET = ("0134578@$!", "oieastbasi"), ("0134578@$!", "oleastbasi")
"""Two readings of digits and signs as letters: a 1 is an i or an l."""

_GONE = 0x110000
_SPACE = 0x20
_CODES = 0x110000
_INVISIBLE = "\u00ad\u180e\u200b\u200c\u200d\u2060\ufe0f\ufeff"
_CHANGING = (
    (0, 0x3400),
    (0x4E00, 0xABFF),
    (0xD800, 0x12000),
    (0x16E00, 0x17000),
    (0x1D400, 0x1F200),
    (0x2F800, 0x2FA20),
)
"""Where code points are that case, compatibility or simplification change, but for a few rare scripts."""
_APOSTROPHES = "‘’‛＇ʼ`´"


class Reading(NamedTuple):
    """Texts as they are read, one after the other, each followed by :data:`GAP`.

    ``text``: all of them. ``codes``: its code points. ``places``: for each of them its position among all characters of
    the texts as stored, gaps counted; ``begins`` (n+1): where text i begins there.
    """

    text: str
    codes: np.ndarray
    places: np.ndarray
    begins: np.ndarray


def read(texts: pa.Array) -> Reading:
    """The reading of these texts; null is an empty one. Linear in their characters, about 20 bytes each."""
    stored = _joined(texts)
    codes = np.frombuffer(stored.encode("utf-32-le", "surrogatepass"), np.uint32)
    begins = np.concatenate(([0], np.flatnonzero(codes == GAP) + 1))
    folded = table()[codes]
    places = np.flatnonzero(folded != _GONE)
    spaces = folded[places] == _SPACE
    spaces[1:] &= spaces[:-1].copy()
    spaces[:1] = False
    places = places[~spaces]
    folded = folded[places]
    if stored and not stored.isascii():
        folded, places = _composed(folded, places)
    return Reading(text_of(folded), folded, places, begins)


def fold(text: str) -> str:
    """One text as it is read."""
    return read(pa.array([text], pa.string())).text[:-1]


@cache
def table() -> np.ndarray:
    """What each code point is read as (uint32); one beyond Unicode: as nothing."""
    cells = np.arange(_CODES, dtype=np.uint32)
    simplified = dict(zip(hanzi.TRADITIONAL, hanzi.SIMPLIFIED, strict=True))
    for first, last in _CHANGING:
        cells[first:last] = [_single(chr(code), simplified) for code in range(first, last)]
    cells[[ord(each) for each in _INVISIBLE]] = _GONE
    cells[[ord(each) for each in _APOSTROPHES]] = ord("'")
    return cells


def leet(codes: np.ndarray, reading: int) -> np.ndarray:
    """Folded code points with digits and signs as the letters of one of :data:`LEET`."""
    cells = np.arange(128, dtype=np.uint32)
    written, letters = LEET[reading]
    cells[[ord(each) for each in written]] = [ord(each) for each in letters]
    return np.where(codes < 128, cells[codes & 127], codes)


def _single(character: str, simplified: dict[str, str]) -> int:
    if character.isspace():
        return _SPACE
    if "\ud800" <= character <= "\udfff":
        return 0xFFFD
    plain = unicodedata.normalize("NFKC", character)
    lower = (plain if len(plain) == 1 else character).lower()[0]
    return ord(simplified.get(lower, lower))


def _joined(texts: pa.Array) -> str:
    """All texts as one string, each followed by a gap; a NUL inside a text is a space."""
    joined = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], pc.fill_null(texts, "")), "\0")[0].as_py()
    if joined.count("\0") >= max(len(texts), 1):
        joined = "\0".join(text.replace("\0", " ") for text in texts.fill_null("").to_pylist())
    return f"{joined}\0" if len(texts) else ""


def text_of(codes: np.ndarray) -> str:
    """Code points as a string."""
    return codes.astype("<u4").tobytes().decode("utf-32-le")


@cache
def _compositions() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a folded character and a mark, as sorted keys (int64), the character each pair makes, and all marks."""
    pairs = {}
    for code in range(0xC0, 0x3100):  # beyond are a few signs of music and of rare scripts
        parts = unicodedata.decomposition(chr(code))
        if not parts or parts.startswith("<") or " " not in parts:
            continue
        base, mark = (int(part, 16) for part in parts.split())
        if unicodedata.combining(chr(mark)) and unicodedata.normalize("NFC", chr(code)) == chr(code):
            key = (int(table()[base]) << 21) | mark
            pairs[key] = int(table()[code])
    keys = np.array(sorted(pairs), np.int64)
    return keys, np.array([pairs[key] for key in keys.tolist()], np.uint32), np.unique(keys & 0x1FFFFF)


def _composed(codes: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same with each mark that composes with the character before it gone into that one."""
    keys, made, marks = _compositions()
    is_mark = np.zeros(_CODES, bool)
    is_mark[marks] = True
    while True:  # at most three marks go into one character
        found = np.flatnonzero(is_mark[codes])
        found = found[found > 0]
        pairs = (codes[found - 1].astype(np.int64) << 21) | codes[found]
        at = np.minimum(np.searchsorted(keys, pairs), len(keys) - 1)
        fits = keys[at] == pairs
        if not fits.any():
            return codes, places
        codes = codes.copy()
        codes[found[fits] - 1] = made[at[fits]]
        rest = np.delete(np.arange(len(codes)), found[fits])
        codes, places = codes[rest], places[rest]
