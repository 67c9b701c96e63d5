"""How alike are two texts? The truth's own measure, written apart from the product's so that neither can hide a fault.

Exact Jaccard of the sets of 5-grams over tokens: case-folded, NFC, a word where the script puts spaces between words,
a single character in Han, Kana and Thai; the whole text as one gram when it has fewer than five tokens.
"""

import re
import unicodedata

_CHARACTERS = "\u0e00-\u0e7f\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_MARKS = "\u0300-\u036f\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0962\u0963"
_TOKEN = re.compile(f"[{_CHARACTERS}]|(?:[^\\W{_CHARACTERS}]|[{_MARKS}])+")


def tokens(text: str) -> list[str]:
    """The text's tokens, in order."""
    return _TOKEN.findall(unicodedata.normalize("NFC", text.casefold()))


def grams(text: str, size: int = 5) -> set[tuple[str, ...]]:
    """The set of ``size`` tokens in a row; one shorter gram for a shorter text, none for a text without tokens."""
    words = tokens(text)
    if len(words) < size:
        return {tuple(words)} if words else set()
    return set(zip(*(words[i:] for i in range(size)), strict=False))


def jaccard(a: str, b: str) -> float:
    """Shared grams over all grams of the two texts, 0 to 1; 1 when neither has any."""
    first, second = grams(a), grams(b)
    either = len(first | second)
    return len(first & second) / either if either else 1.0
