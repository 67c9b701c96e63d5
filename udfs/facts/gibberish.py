"""Is a text garbled: letters in an order that no language has, or characters that no text has?

Letters are judged by their trigrams, against how frequent these are in texts of the same script (alphabets: Latin,
Cyrillic, Arabic, Devanagari ...). Han and Hangul are judged by character: ordinary text is in the ones that the first
national standards chose, text read in a wrong charset is not.
"""

from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numba import uint32, uint64

from udfs import prose, tokens
from udfs.batch import Batch, Limits, any_of
from udfs.compiled import compiled, decode, freeze, mix

BITS = 17
"""The table of trigrams has 2**17 cells; a trigram's cell is its hash."""
RAREST = 15
"""The level of a trigram that the texts behind the table do not have. Of the others it goes up by one for each halving
of their share in the script; it is put so that the mean over a script's ordinary text is 5."""
LEAST = 20
"""Trigrams (or Han and Hangul characters) of the shortest text that is judged."""
COMMON = (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6), ("euc_jp", 0xB0, 0xCF), ("euc_kr", 0xB0, 0xC8))
"""The first levels of the national character sets: codec, first and last lead byte."""


class Oddity(NamedTuple):
    """Of each text (float64): its trigrams' mean level (0..15; 0 below :data:`LEAST`, and where most of it is Han,
    Hangul, kana or Thai), and the share of its characters that ordinary text does not have (0..1)."""

    letters: np.ndarray
    characters: np.ndarray


def gibberish(batch: Batch, limits: Limits) -> np.ndarray:
    """A message of the user or the assistant whose letters are odder than ``max_odd_letters`` (:attr:`Oddity.letters`),
    or with a larger share of odd characters than ``max_odd_characters``. Code, links and markup are not judged."""
    rows = np.flatnonzero((batch.is_by("user") | batch.is_by("assistant")) & (batch.lengths >= LEAST))
    texts = batch.contents.take(pa.array(rows))
    found = oddity(texts)
    suspects = np.flatnonzero(found.letters > limits.max_odd_letters)  # code is: once more without it
    again = oddity(prose.keep(texts.take(pa.array(suspects)))).letters > limits.max_odd_letters
    flags = np.zeros(len(batch.lengths), bool)
    flags[rows[suspects[again]]] = True
    flags[rows[found.characters > limits.max_odd_characters]] = True
    return any_of(flags, batch.offsets)


def oddity(texts: pa.Array) -> Oddity:
    """How odd each text's letters and characters are."""
    starts, data = tokens.text_buffers(texts)
    return Oddity(*_oddity(data, starts, tokens.table(), levels(), ordinary()))


@cache
def levels() -> np.ndarray:
    """The level of every cell of the table of trigrams (uint8), as :mod:`benchmarks.trigrams` made it."""
    packed = np.frombuffer(files("udfs").joinpath("trigrams.bin").read_bytes(), np.uint8)
    unpacked = np.empty(1 << BITS, np.uint8)
    unpacked[::2], unpacked[1::2] = packed >> 4, packed & 15
    return freeze(unpacked, np.uint8)


@cache
def ordinary() -> np.ndarray:
    """What each code point below 0x10000 is: 0 an ordinary character, 1 a Han or Hangul character that is common, 2 one
    that is not, 3 a character that no text has (U+FFFD, C1 controls, private use)."""
    kinds = np.zeros(0x10000, np.uint8)
    for first, last in ((0x3400, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF)):
        kinds[first : last + 1] = 2
    for codec, first, last in COMMON:
        for lead in range(first, last + 1):
            for trail in range(0x40, 0xFF):
                character = bytes((lead, trail)).decode(codec, "ignore")
                if len(character) == 1 and ord(character) < 0x10000 and kinds[ord(character)] == 2:
                    kinds[ord(character)] = 1
    kinds[0x80:0xA0] = kinds[0xE000:0xF900] = kinds[0xFFFD] = 3
    return freeze(kinds, np.uint8)


def count(texts: pa.Array) -> np.ndarray:
    """How often each cell's trigrams stand in the texts (int64, 2**17): what the table is made of."""
    starts, data = tokens.text_buffers(texts)
    return _count(data, starts, tokens.table())


@compiled
def _oddity(data: Any, starts: Any, cells: Any, levels: Any, ordinary: Any) -> Any:
    letters, characters = np.zeros(len(starts) - 1), np.zeros(len(starts) - 1)
    source = uint64(data.ctypes.data)
    for row in range(len(letters)):
        at, end = uint64(starts[row]), uint64(starts[row + 1])
        trigrams = total = signs = rare = broken = seen = words = 0
        before, last = uint32(0), uint32(0)
        while at < end:
            code, at = decode(source, at, end)
            folded = _letter(code, cells)
            if folded != 0 and last != 0:
                total += levels[_cell(before, last, folded)]
                trigrams += 1
            before, last = (last if folded else uint32(0)), folded
            words += folded == 0 and (cells[code] >> uint32(24)) & uint32(7) > 3 and code > 0x39
            if code > 0x20:
                kind = ordinary[code] if code < 0x10000 else 0
                seen, signs, rare, broken = seen + 1, signs + (kind == 1), rare + (kind == 2), broken + (kind == 3)
        if trigrams >= LEAST and trigrams > words:  # acronyms within Chinese or Korean are no words
            letters[row] = total / trigrams
        if signs + rare >= LEAST:
            characters[row] = rare / (signs + rare)
        if seen >= LEAST:
            characters[row] = max(characters[row], broken / seen)
    return letters, characters


@compiled
def _count(data: Any, starts: Any, cells: Any) -> Any:
    counts, source = np.zeros(1 << BITS, np.int64), uint64(data.ctypes.data)
    for row in range(len(starts) - 1):
        at, end = uint64(starts[row]), uint64(starts[row + 1])
        before, last = uint32(0), uint32(0)
        while at < end:
            code, at = decode(source, at, end)
            folded = _letter(code, cells)
            if folded != 0 and last != 0:
                counts[_cell(before, last, folded)] += 1
            before, last = (last if folded else uint32(0)), folded
    return counts


@compiled
def _letter(code: Any, cells: Any) -> Any:
    """The letter or mark in lower case; 0 for all else, for digits, and for characters that are words."""
    cell = cells[code]
    kind = (cell >> uint32(24)) & uint32(7)
    if kind < 3 or kind > 4 or (0x30 <= code <= 0x39) or (0xAC00 <= code <= 0xD7A3):
        return uint32(0)
    return cell & uint32(0x1FFFFF)


@compiled
def _cell(before: Any, last: Any, letter: Any) -> Any:
    """The cell of a trigram; the one before a word's first letter is 0."""
    word = (uint64(before) << uint64(42)) | (uint64(last) << uint64(21)) | uint64(letter)
    return mix(word) & uint64((1 << BITS) - 1)
