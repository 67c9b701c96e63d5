"""What in a conversation points at a person or opens a door, and how it is replaced by a pseudonym.

The same value gets the same pseudonym (``EMAIL_1``, ``PHONE_2`` ..., as LMSYS's ``NAME_1``) in all messages of one
conversation, numbered by first appearance; no pseudonym is given that the conversation already has written in it.
Values are told apart as they are meant, not as they are written: case, spaces and punctuation make no other value.
What was written at each place is told beside the masked text, so that :func:`restore` gives back every byte.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import pii_names, pii_numbers, pii_secrets, pii_values
from udfs.batch import put
from udfs.pii_names import Model
from udfs.pii_values import Value


class Kind(NamedTuple):
    """One kind of value: its name (the key in the recipe; the label on a message is ``mask_`` and this), the word its
    pseudonyms begin with, its screen (RE2), and the function that finds its values in a text, first to last."""

    name: str
    word: str
    suspects: str
    find: Callable[[str], Iterator[Value]]


KINDS = (
    Kind("key", "KEY", pii_secrets.KEY_SUSPECTS, pii_secrets.keys),
    Kind("login", "LOGIN", pii_secrets.LOGIN_SUSPECTS, pii_secrets.logins),
    Kind("email", "EMAIL", pii_values.EMAIL_SUSPECTS, pii_values.emails),
    Kind("iban", "IBAN", pii_numbers.IBAN_SUSPECTS, pii_numbers.ibans),
    Kind("card", "CARD", pii_numbers.CARD_SUSPECTS, pii_numbers.cards),
    Kind("national_id", "ID", pii_numbers.NATIONAL_ID_SUSPECTS, pii_numbers.national_ids),
    Kind("phone", "PHONE", pii_values.PHONE_SUSPECTS, pii_values.phones),
    Kind("ip", "IP", pii_values.IP_SUSPECTS, pii_values.ips),
)
"""Where values overlap, the one whose kind stands first counts."""
NAME = "NAME"
"""The word of people's names, as LMSYS writes it: the last kind, where the user brings a model that finds them."""

PREFIX = "mask_"
_DIGITS = {code: str(unicodedata.decimal(chr(code), "")) for code in range(0x80, 0x20000)}
_SIGNS = "＋＠－\u2010\u2011\u00a0\u2007\u2009\u202f\u3000"
_PLAIN = {code: digit for code, digit in _DIGITS.items() if digit} | str.maketrans(_SIGNS, "+@---     ")
"""What stands for a digit, a sign or a blank of ASCII in values that are written in another script."""
_FOREIGN = rf"[^\P{{Nd}}0-9]|[{_SIGNS}]"
_PSEUDONYM = re.compile(f"(?:{'|'.join([*(kind.word for kind in KINDS), NAME])})_[0-9]+")


class Found(NamedTuple):
    """A value in a text: characters ``start:end``, its kind and what tells it from others of its kind."""

    start: int
    end: int
    kind: Kind
    value: str


class Replaced(NamedTuple):
    """One value replaced: in message ``message`` (from 0) of conversation ``conversation`` (from 0 in the batch) its
    pseudonym stands behind ``offset`` characters, instead of what was written there (``original``)."""

    conversation: int
    message: int
    offset: int
    pseudonym: str
    original: str


class Masked(NamedTuple):
    """The contents with values replaced; for each ``mask_<kind>`` the messages it changed (booleans); and what was
    replaced, by message, of one message the last first: the order in which :func:`restore` puts it back."""

    contents: pa.Array
    changed: dict[str, np.ndarray]
    replaced: list[Replaced]


def mask(contents: pa.Array, offsets: np.ndarray, kinds: Collection[str], names_by: Model | None = None) -> Masked:
    """The contents with values of ``kinds`` replaced, and people's names where a model finds them (``mask_name``).

    Conversation ``i`` is messages ``offsets[i]:offsets[i+1]``. A null is an empty text. The result is a fixed point:
    masking it again changes nothing. Only messages that a screen suspects reach Python, and those with digits or blanks
    of another script. An unknown name in ``kinds`` is a ``ValueError``.
    """
    chosen = _chosen(kinds)
    if names_by:
        chosen.append(Kind("name", NAME, pii_names.SUSPECTS, partial(pii_names.people, model=names_by)))
    contents = pc.fill_null(contents, "")
    changed = {PREFIX + kind.name: np.zeros(len(contents), dtype=bool) for kind in chosen}
    hits = _rows_with_values(contents, chosen)
    owners = np.searchsorted(offsets, hits, side="right") - 1
    masked: list[str] = []
    replaced: list[Replaced] = []
    for owner in np.unique(owners):
        texts = contents[offsets[owner] : offsets[owner + 1]].to_pylist()
        names = Pseudonyms(texts)
        for row in hits[owners == owner].tolist():
            message = row - int(offsets[owner])
            text, steps = _mask_one(texts[message], chosen, names)
            masked.append(text)
            for kind, offset, name, original in reversed(steps):
                changed[PREFIX + kind.name][row] = True
                replaced.append(Replaced(int(owner), message, offset, name, original))
    return Masked(put(contents, hits, pa.array(masked, contents.type)), changed, replaced)


def restore(text: str, replaced: Iterable[tuple[int, str, str]]) -> str:
    """The text of one message as it was before it was masked, from (offset, pseudonym, original) in the order of
    :class:`Masked`. A pseudonym that is not where it should be is a ``ValueError``: this is another text."""
    for offset, pseudonym, original in replaced:
        if not text.startswith(pseudonym, offset):
            raise ValueError(f"expected {pseudonym} behind {offset} characters of the message, found another text")
        text = text[:offset] + original + text[offset + len(pseudonym) :]
    return text


class Pseudonyms:
    """The pseudonyms of one conversation."""

    def __init__(self, texts: list[str]):
        self._written = {name for text in texts for name in _PSEUDONYM.findall(text)}
        self._given: dict[tuple[str, str], str] = {}
        self._last: dict[str, int] = {}

    def of(self, kind: Kind, value: str) -> str:
        """The pseudonym of this value: the one it has, or the next of its kind that is not written in the texts."""
        while (kind.name, value) not in self._given:
            self._last[kind.word] = number = self._last.get(kind.word, 0) + 1
            if (name := f"{kind.word}_{number}") not in self._written:
                self._given[kind.name, value] = name
        return self._given[kind.name, value]


def find(text: str, kinds: Collection[str]) -> list[Found]:
    """The values of these kinds in a text, first to last, none overlapping another."""
    return _find(text, _chosen(kinds))


def _chosen(kinds: Collection[str]) -> list[Kind]:
    known = {kind.name for kind in KINDS}
    if unknown := sorted(set(kinds) - known):
        raise ValueError(f"no kind is called {', '.join(unknown)}; expected some of {', '.join(sorted(known))}")
    return [kind for kind in KINDS if kind.name in kinds]


def _rows_with_values(contents: pa.Array, kinds: list[Kind]) -> np.ndarray:
    """Messages that have a value, ascending."""
    found = np.zeros(len(contents), dtype=bool)
    foreign = np.flatnonzero(np.asarray(pc.not_equal(pc.binary_length(contents), pc.utf8_length(contents)), dtype=bool))
    is_read = pc.match_substring_regex(contents.take(pa.array(foreign)), _FOREIGN)
    foreign = foreign[np.asarray(is_read, dtype=bool)]
    changed = pa.array(map(_plain, contents.take(pa.array(foreign)).to_pylist()), contents.type)
    plain = put(contents, foreign, changed)
    for kind in kinds:
        read = contents if kind.word == NAME else plain
        suspects = np.flatnonzero(np.asarray(pc.match_substring_regex(read, kind.suspects)) & ~found)
        texts = read.take(pa.array(suspects)).to_pylist()
        found[suspects] = [next(kind.find(text), None) is not None for text in texts]
    return np.flatnonzero(found)


def _mask_one(text: str, kinds: list[Kind], names: Pseudonyms) -> tuple[str, list[tuple[Kind, int, str, str]]]:
    """The masked text, and what was replaced, first to last: kind, offset, pseudonym, original."""
    steps: list[tuple[Kind, int, str, str]] = []
    while values := _find(text, kinds):  # what touched a longer value may show only once that is gone
        pieces, end, offset = [], 0, 0
        for found in values:
            name = names.of(found.kind, found.value)
            pieces += [text[end : found.start], name]
            offset += found.start - end
            steps.append((found.kind, offset, name, text[found.start : found.end]))
            offset, end = offset + len(name), found.end
        text = "".join([*pieces, text[end:]])
    return text, steps


def _find(text: str, kinds: list[Kind]) -> list[Found]:
    kept: list[Found] = []
    plain = _plain(text)
    for kind in kinds:
        read = text if kind.word == NAME else plain
        new = [Found(start, end, kind, value) for start, end, value in kind.find(read)]
        if new:
            kept = _without_overlaps(kept, new)
    return kept


def _plain(text: str) -> str:
    """The text with the digits, signs and blanks of other scripts as ASCII has them, character for character."""
    return text if text.isascii() else text.translate(_PLAIN)


def _without_overlaps(first: list[Found], second: list[Found]) -> list[Found]:
    """All of the first and those of the second that touch none of it, from first to last as both are."""
    merged: list[Found] = []
    for found in sorted([*first, *second], key=lambda one: one.start):
        if merged and found.start < merged[-1].end:
            if found.kind is second[0].kind:
                continue
            while merged and found.start < merged[-1].end:
                merged.pop()
        merged.append(found)
    return merged
