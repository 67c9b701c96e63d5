"""Which writing systems does a text use: letters counted per script, for many texts at once.

Ranges follow the script blocks of Unicode 16 (Scripts.txt), for the scripts that people chat in. Letters of any other
script count as OTHER; digits, punctuation, symbols, emoji and spaces do not count. A text of a million characters is
one table look-up a character, in numpy.
"""

from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SPACED = {
    "Latin": ((0x41, 0x5A), (0x61, 0x7A), (0xAA, 0xAA), (0xBA, 0xBA), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2AF),
              (0x1E00, 0x1EFF), (0x2C60, 0x2C7F), (0xA722, 0xA7FF), (0xFB00, 0xFB06), (0xFF21, 0xFF3A),
              (0xFF41, 0xFF5A)),
    "Greek": ((0x370, 0x373), (0x376, 0x377), (0x37B, 0x37D), (0x386, 0x386), (0x388, 0x3FF), (0x1F00, 0x1FFC)),
    "Cyrillic": ((0x400, 0x481), (0x48A, 0x52F), (0x1C80, 0x1C8A), (0xA640, 0xA66E), (0xA680, 0xA69D)),
    "Armenian": ((0x531, 0x556), (0x561, 0x587), (0xFB13, 0xFB17)),
    "Hebrew": ((0x5D0, 0x5F2), (0xFB1D, 0xFB4F)),
    "Arabic": ((0x620, 0x64A), (0x66E, 0x6D3), (0x6D5, 0x6D5), (0x6E5, 0x6E6), (0x6EE, 0x6EF), (0x6FA, 0x6FF),
               (0x750, 0x77F), (0x8A0, 0x8C9), (0xFB50, 0xFBB1), (0xFBD3, 0xFD3D), (0xFD50, 0xFDFB), (0xFE70, 0xFEFC)),
    "Devanagari": ((0x900, 0x963), (0x971, 0x97F), (0xA8E0, 0xA8FF)),
    "Bengali": ((0x980, 0x9E3), (0x9F0, 0x9F1), (0x9FC, 0x9FC)),
    "Gurmukhi": ((0xA01, 0xA5E), (0xA70, 0xA76)),
    "Gujarati": ((0xA81, 0xAE3), (0xAF9, 0xAFF)),
    "Oriya": ((0xB01, 0xB63), (0xB71, 0xB71)),
    "Tamil": ((0xB82, 0xBD7),),
    "Telugu": ((0xC00, 0xC63),),
    "Kannada": ((0xC80, 0xCE3), (0xCF1, 0xCF3)),
    "Malayalam": ((0xD00, 0xD63), (0xD7A, 0xD7F)),
    "Sinhala": ((0xD81, 0xDDF), (0xDF2, 0xDF3)),
    "Tibetan": ((0xF00, 0xF00), (0xF40, 0xFBC)),
    "Georgian": ((0x10A0, 0x10FF), (0x1C90, 0x1CBF), (0x2D00, 0x2D2D)),
    "Hangul": ((0x1100, 0x11FF), (0x3131, 0x318E), (0xA960, 0xA97C), (0xAC00, 0xD7FB)),
    "Ethiopic": ((0x1200, 0x135F), (0x1380, 0x138F), (0x2D80, 0x2DDE)),
    "Mongolian": ((0x1820, 0x18AA),),
}  # fmt: skip
"""Scripts that put spaces between words, as inclusive ranges of code points."""

UNSPACED = {
    "Thai": ((0xE01, 0xE3A), (0xE40, 0xE4E)),
    "Lao": ((0xE81, 0xECD), (0xEDC, 0xEDF)),
    "Myanmar": ((0x1000, 0x103F), (0x1050, 0x109D), (0xA9E0, 0xA9EF), (0xAA60, 0xAA7F)),
    "Khmer": ((0x1780, 0x17D3), (0x17D7, 0x17D7), (0x17DC, 0x17DD)),
    "Han": ((0x3005, 0x3007), (0x3021, 0x3029), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAD9),
            (0x20000, 0x3FFFF)),
    "Kana": ((0x3041, 0x3096), (0x309D, 0x309F), (0x30A1, 0x30FA), (0x30FC, 0x30FF), (0x31F0, 0x31FF),
             (0xFF66, 0xFF9D), (0x1B000, 0x1B16F)),
}  # fmt: skip
"""Scripts that do not; Bopomofo is left to OTHER."""

OTHER = "Other"
NAMES = ("", OTHER, *SPACED, *UNSPACED)
"""Index of a script in this tuple = its column in :func:`count`; column 0 is every character that is no letter."""

_CELLS = 0x40000
"""Code points with a cell of their own; above them Unicode has no letters."""


@cache
def index(name: str) -> int:
    """The column of a script in :func:`count`, by its name."""
    return NAMES.index(name)


@cache
def table() -> np.ndarray:
    """Script column (uint8) of every code point below 0x40000."""
    cells = np.fromiter((chr(code).isalpha() for code in range(_CELLS)), bool, _CELLS).astype(np.uint8)
    for name, ranges in (SPACED | UNSPACED).items():
        for first, last in ranges:
            cells[first : last + 1] = index(name)
    return cells


def of(code: int) -> int:
    """The column of one code point in :func:`count`."""
    return int(table()[min(code, _CELLS - 1)])


def code_points(texts: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """All characters of the texts end to end (uint32), and the n+1 offsets of the texts among them (int64).

    A null counts as an empty text.
    """
    texts = pc.fill_null(texts, "")
    lengths = np.asarray(pc.utf8_length(texts), dtype=np.int64)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    joined = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), "")[0].as_py() if len(texts) else ""
    return np.frombuffer(joined.encode("utf-32-le"), dtype=np.uint32), offsets


def count(texts: pa.Array) -> np.ndarray:
    """Characters of each script in each text: an int64 matrix, texts x :data:`NAMES`."""
    points, offsets = code_points(texts)
    scripts = table()[np.minimum(points, _CELLS - 1)]
    rows = np.repeat(np.arange(len(offsets) - 1) * len(NAMES), np.diff(offsets))
    return np.bincount(rows + scripts, minlength=(len(offsets) - 1) * len(NAMES)).reshape(-1, len(NAMES))
