"""How alike are two conversations, worked out again in plain Python, apart from the kernels that removed one of them?

By the definitions of :mod:`udfs.tokens` and :mod:`udfs.shingles`: NFC, simple case folding, joiners and variation
selectors dropped; a token is a word of letters, digits and marks, or one letter with its marks in scripts without
spaces; a message's end divides; sets of five tokens in a row, one of all where there are fewer.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from udfs.tokens import UNSPACED

SPACE, SEPARATOR, IGNORED, MARK, LETTER, SIGN = range(6)


def shingles(contents: Iterable[str | None], size: int = 5) -> frozenset[tuple[str, ...]]:
    """The set of shingles of one conversation; empty only where there is nothing but white space."""
    texts = [unicodedata.normalize("NFC", content or "") for content in contents]
    found = [token for text in texts for token in tokens(text)]
    if not found:
        symbols = "".join(_fold(character) for text in texts for character in text if kind(character) != SPACE)
        return frozenset([(symbols,)] if symbols else [])
    return frozenset(zip(*(found[start:] for start in range(min(size, len(found)))), strict=False))


def jaccard(a: frozenset[tuple[str, ...]], b: frozenset[tuple[str, ...]]) -> float:
    """Shared shingles over all shingles; 0 when neither has any."""
    return len(a & b) / max(1, len(a | b))


def tokens(text: str) -> Iterator[str]:
    """The tokens of one message, in order."""
    token, last = "", SEPARATOR
    for character in text:
        found = kind(character)
        if found == IGNORED:
            continue
        if token and found != MARK and not (found == LETTER and last == LETTER):
            yield token
            token, last = "", SEPARATOR
        if found >= MARK:
            token += _fold(character)
            last = SIGN if found == SIGN else LETTER if last == SEPARATOR else last
    if token:
        yield token


@cache
def kind(character: str) -> int:
    """What a character is to the tokens."""
    code, category = ord(character), unicodedata.category(character)
    if code == 0x200B:
        return SEPARATOR
    if category == "Cf" or 0xFE00 <= code < 0xFE10 or 0xE0100 <= code < 0xE01F0:
        return IGNORED
    if category[0] == "M":
        return MARK
    if category[0] in "LN":
        is_sign = (category[0] == "L" or category == "Nl") and _is_within(code, UNSPACED)
        return SIGN if is_sign else LETTER
    return SPACE if character.isspace() else SEPARATOR


@cache
def _fold(character: str) -> str:
    """Simple case folding: one character for one."""
    folded = character.casefold()
    folded = folded if len(folded) == 1 else character.lower()
    return folded if len(folded) == 1 else character


def _is_within(code: int, blocks: Sequence[tuple[int, int]]) -> bool:
    return any(first <= code <= last for first, last in blocks)
