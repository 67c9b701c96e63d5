"""A slow shingler with the same rules as udfs.tokens and udfs.shingles, on Python's strings: the tests' reference."""

import unicodedata

import numpy as np
import pyarrow as pa

from udfs import tokens
from udfs.shingles import Shingles, shingle_sets

JOINERS = {chr(code) for code in [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]}


def fold(character: str) -> str:
    """Unicode simple case folding."""
    for folded in (character.casefold(), character.lower()):
        if len(folded) == 1:
            return folded
    return character


def split(messages: list[str]) -> list[str]:
    """The tokens of a conversation."""
    found: list[str] = []
    for message in messages:
        open_word: bool | None = False  # whether a letter may join the last token; None: only a mark may
        for character in unicodedata.normalize("NFC", message):
            category = unicodedata.category(character)
            is_sign = category in ("Lu", "Ll", "Lt", "Lm", "Lo", "Nl") and any(
                first <= ord(character) <= last for first, last in tokens.UNSPACED
            )
            if character in JOINERS or (category == "Cf" and character != "\u200b"):
                continue
            if category[0] == "M":
                if open_word is False:
                    found.append("")
                    open_word = True
            elif is_sign:
                found.append("")
                open_word = None
            elif category[0] in "LN":
                if not open_word:
                    found.append("")
                open_word = True
            else:
                open_word = False
                continue
            found[-1] += fold(character)
    symbols = "".join(fold(c) for m in messages for c in unicodedata.normalize("NFC", m) if not c.isspace())
    return found or ([symbols] if symbols else [])


def shingles_of(messages: list[str], size: int) -> set[tuple[str, ...]]:
    """The shingles of a conversation, as tuples of tokens."""
    found = split(messages)
    size = min(size, len(found))
    return {tuple(found[at : at + size]) for at in range(len(found) - size + 1)} if size else set()


def sets_of(conversations: list[list[str]], size: int = 5) -> Shingles:
    """The same by the kernel."""
    offsets = np.cumsum([0] + [len(messages) for messages in conversations])
    return shingle_sets(pa.array([text for messages in conversations for text in messages], pa.string()), offsets, size)


def set_of(*messages: str, size: int = 5) -> set[int]:
    """The hashes of one conversation."""
    return set(sets_of([list(messages)], size).hashes.tolist())
