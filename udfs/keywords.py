"""Which keyword lists a message hits, and where: phrases by an Aho-Corasick automaton (Aho 1975), patterns by RE2.

Texts and terms are compared as they are read (:mod:`udfs.alike`). A term's ends are word boundaries, but where Han,
kana, Thai or another script without spaces is on either side. Patterns see the stored text.
"""

from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import ahocorasick
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import alike, scripts, wordlists
from udfs.wordlists import Lists

KEPT = 20
"""Hits stored of one category in one message: the first ones. What categories there are never depends on it."""

_CHUNK = 200_000
"""Characters read at a time: what is made of them stays in the processor's cache."""


class Hits(NamedTuple):
    """Found entries, by message, then by position: four parallel int64 arrays.

    ``message``: row of the text. ``offset``: characters of the stored text before it. ``end``: the same behind its last
    character, for a pattern behind its first. ``entry``: index in ``Lists.entries``.
    """

    message: np.ndarray
    offset: np.ndarray
    end: np.ndarray
    entry: np.ndarray

    def where(self, which: np.ndarray) -> "Hits":
        """Some of them, chosen by booleans or by an order."""
        return Hits(*(column[which] for column in self))


class _Matcher(NamedTuple):
    """Lists, ready: the automaton of terms, and by term the entries and which ends must be word boundaries."""

    automaton: ahocorasick.Automaton
    entries: tuple[tuple[int, ...], ...]
    lengths: np.ndarray
    opens: np.ndarray
    closes: np.ndarray


def find(texts: pa.Array, roles: pa.Array, lists: Lists) -> Hits:
    """All hits in messages of the roles that the entries are for; of hits in each other in one category the longest."""
    parts = [_empty(), *(_terms(texts, first, last, lists) for first, last in _chunks(texts)), _patterns(texts, lists)]
    hits = Hits(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
    names, numbers = np.unique(np.array(pc.fill_null(roles, "").to_pylist(), dtype=str), return_inverse=True)
    applies = [not entry.roles or name in entry.roles for name in names for entry in lists.entries]
    admitted = np.array(applies, dtype=bool)[numbers[hits.message] * len(lists.entries) + hits.entry]
    return _longest(hits.where(admitted), lists)


def categories(hits: Hits, rows: int, lists: Lists) -> pa.Array:
    """For each of ``rows`` messages the categories it hits, distinct and sorted: a list array of strings."""
    names, numbers = _numbered(lists)
    return _lists(hits.message, numbers[hits.entry], rows, names)


def of_conversations(labels: pa.Array, offsets: np.ndarray) -> pa.Array:
    """The categories of each conversation's messages together, distinct and sorted.

    ``labels`` is what :func:`categories` gave; conversation ``i`` is messages ``offsets[i]:offsets[i+1]``.
    """
    names, numbers = np.unique(np.array(labels.flatten().to_pylist(), dtype=str), return_inverse=True)
    message = np.asarray(pc.list_parent_indices(labels), dtype=np.int64)
    owner = np.searchsorted(offsets, message, side="right") - 1
    return _lists(owner, numbers, len(offsets) - 1, tuple(names.tolist()))


def nest(hits: Hits, roles: pa.Array, offsets: np.ndarray, lists: Lists) -> pa.Array:
    """For each conversation its hits, as a list of structs: ``message`` (its index in the conversation), ``role``,
    ``category``, ``term`` (as the list has it), ``offset``; at most :data:`KEPT` of a category in a message."""
    hits = _first(hits, lists)
    owner = np.searchsorted(offsets, hits.message, side="right") - 1
    written = [(entry.category, entry.written) for entry in lists.entries]
    category, term = (pa.array([each[part] for each in written], pa.string()) for part in (0, 1))
    found = pa.array(hits.entry)
    columns = {
        "message": pa.array((hits.message - offsets[owner]).astype(np.int32)),
        "role": pc.fill_null(roles, "").take(pa.array(hits.message)),
        "category": category.take(found),
        "term": term.take(found),
        "offset": pa.array(hits.offset.astype(np.int32)),
    }
    cuts = np.searchsorted(hits.message, offsets).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(cuts), pa.StructArray.from_arrays(list(columns.values()), list(columns)))


def _chunks(texts: pa.Array) -> Iterable[tuple[int, int]]:
    """Rows from and below, of about :data:`_CHUNK` characters each."""
    ends = np.cumsum(np.asarray(pc.fill_null(pc.utf8_length(texts), 0), dtype=np.int64))
    cuts = np.searchsorted(ends, np.arange(_CHUNK, ends[-1] if len(ends) else 0, _CHUNK)) + 1
    rows = [0, *np.unique(cuts).tolist(), len(texts)]
    return [(first, last) for first, last in pairwise(rows) if last > first]


def _terms(texts: pa.Array, first: int, last: int, lists: Lists) -> Hits:
    reading = alike.read(texts.slice(first, last - first))
    matcher = _matcher(lists)
    found = [_matched(reading.text, matcher, reading.codes)]
    if lists.leet:
        for number in range(len(alike.LEET)):
            codes = alike.leet(reading.codes, number)
            read = _matched(alike.text_of(codes), matcher, codes)
            found.append(_with_letters(read, matcher, reading.codes))
    ends, terms = (np.concatenate(columns) for columns in zip(*found, strict=True))
    ends, terms = np.divmod(np.unique(ends * len(matcher.entries) + terms), max(len(matcher.entries), 1))
    return _placed(ends, terms, reading, matcher, first)


def _placed(ends: np.ndarray, terms: np.ndarray, reading: alike.Reading, matcher: _Matcher, first: int) -> Hits:
    """Hits of terms that end at these characters of the reading, on their messages' stored characters."""
    start, end = reading.places[ends + 1 - matcher.lengths[terms]], reading.places[ends]
    row = np.searchsorted(reading.begins, start, side="right") - 1
    begin = reading.begins[row]
    counts = np.array([len(each) for each in matcher.entries], np.int64)[terms]
    entries = np.array([number for term in terms.tolist() for number in matcher.entries[term]], np.int64)
    message, offset, behind = (np.repeat(column, counts) for column in (row + first, start - begin, end + 1 - begin))
    return Hits(message, offset, behind, entries)


def _matched(text: str, matcher: _Matcher, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Last characters and terms of all matches that begin and end where they must."""
    found = np.array(list(matcher.automaton.iter(text)), np.int64).reshape(-1, 2)
    ends, terms = found[:, 0], found[:, 1]
    goes_on = _word_table()
    before = codes[ends - matcher.lengths[terms]]  # of the very first character it is the last one, a gap
    after = codes[np.minimum(ends + 1, len(codes) - 1)]
    fits = ~(matcher.opens[terms] & goes_on[before]) & ~(matcher.closes[terms] & goes_on[after])
    return ends[fits], terms[fits]


def _with_letters(
    found: tuple[np.ndarray, np.ndarray], matcher: _Matcher, codes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Those of the matches that have a letter as written: 455 alone is a number."""
    ends, terms = found
    letters = np.concatenate(([0], np.cumsum((codes >= ord("a")) & (codes <= ord("z")))))
    has = letters[ends + 1] > letters[ends + 1 - matcher.lengths[terms]]
    return ends[has], terms[has]


@cache
def _word_table() -> np.ndarray:
    """Which characters go on a word of a spaced script (booleans by code point)."""
    unspaced = [scripts.index(name) for name in scripts.UNSPACED]
    flags = np.zeros(0x110000, bool)
    cells = scripts.table()
    flags[: len(cells)] = (cells > 0) & ~np.isin(cells, unspaced)
    for code in range(0x20000):
        flags[code] |= not flags[code] and chr(code).isnumeric() and chr(code).isalnum() and cells[code] == 0
    return flags


@cache
def _matcher(lists: Lists) -> _Matcher:
    numbers: dict[str, list[int]] = {}
    for number, entry in enumerate(lists.entries):
        if not entry.is_pattern:
            numbers.setdefault(alike.fold(entry.written), []).append(number)
    terms = sorted(term for term in numbers if term)
    automaton = ahocorasick.Automaton()
    for index, term in enumerate(terms):
        automaton.add_word(term, index)
    automaton.make_automaton()
    goes_on = _word_table()
    ends = np.array([(ord(term[0]), ord(term[-1])) for term in terms], np.int64).reshape(-1, 2)
    lengths = np.array([len(term) for term in terms], np.int64)
    return _Matcher(
        automaton, tuple(tuple(numbers[term]) for term in terms), lengths, goes_on[ends[:, 0]], goes_on[ends[:, 1]]
    )


def _patterns(texts: pa.Array, lists: Lists) -> Hits:
    """The first match of each pattern in each text."""
    patterns = [(number, entry.written) for number, entry in enumerate(lists.entries) if entry.is_pattern]
    if not patterns:
        return _empty()
    rows = np.flatnonzero(_has_pattern(texts, [written for _, written in patterns]))
    suspects = texts.take(pa.array(rows))
    return Hits(*np.concatenate([_empty(), *(_matches(suspects, rows, *each) for each in patterns)], axis=1))


def _has_pattern(texts: pa.Array, patterns: list[str]) -> np.ndarray:
    """Which texts one of the patterns may match (booleans): all, where RE2 takes them only one by one."""
    try:
        found = pc.match_substring_regex(texts, "|".join(f"(?:{written})" for written in patterns))
    except pa.ArrowInvalid:  # together they are too large for it
        return np.asarray(pc.is_valid(texts), dtype=bool)
    return np.asarray(pc.fill_null(found, False), dtype=bool)


def _matches(suspects: pa.Array, rows: np.ndarray, number: int, pattern: str) -> np.ndarray:
    at = np.asarray(pc.find_substring_regex(suspects, pattern), dtype=np.int64)
    found = np.flatnonzero(at >= 0)
    stored = suspects.take(pa.array(found)).cast(pa.binary()).to_pylist()
    offsets = [len(text[:end].decode()) for text, end in zip(stored, at[found].tolist(), strict=True)]
    offset = np.array(offsets, np.int64)
    return np.stack([rows[found], offset, offset + 1, np.full(len(found), number, np.int64)])


def _longest(hits: Hits, lists: Lists) -> Hits:
    """Hits by message and offset, without those that lie in a longer one of their category."""
    category = _numbered(lists)[1][hits.entry]
    order = np.lexsort((hits.entry, -hits.end, hits.offset, category, hits.message))
    hits, category = hits.where(order), category[order]
    group = np.cumsum((np.diff(hits.message, prepend=-1) != 0) | (np.diff(category, prepend=-1) != 0))
    reach = np.maximum.accumulate(hits.end + group * (1 << 32)) - group * (1 << 32)
    inside = np.zeros(len(order), bool)
    inside[1:] = (group[1:] == group[:-1]) & (reach[:-1] >= hits.end[1:])
    hits = hits.where(~inside)
    return hits.where(np.lexsort((hits.entry, hits.offset, hits.message)))


def _first(hits: Hits, lists: Lists) -> Hits:
    """At most :data:`KEPT` hits of a category in a message."""
    names, numbers = _numbered(lists)
    key = hits.message * len(names) + numbers[hits.entry]
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    rank = np.arange(len(key)) - np.searchsorted(ordered, ordered)
    is_kept = np.zeros(len(key), bool)
    is_kept[order] = rank < KEPT
    return hits.where(is_kept)


@cache
def _numbered(lists: Lists) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the categories, sorted, and for each entry the index of its own."""
    names = tuple(sorted({entry.category for entry in lists.entries}))
    return names, np.array([names.index(entry.category) for entry in lists.entries], np.int64)


def _lists(rows: np.ndarray, hits: np.ndarray, length: int, names: tuple[str, ...]) -> pa.Array:
    """One list of names a row, distinct and in the order of ``names``, from pairs of row and index of name."""
    rows, hits = np.divmod(np.unique(rows * len(names) + hits), max(len(names), 1))
    offsets = np.searchsorted(rows, np.arange(length + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(names, pa.string()).take(pa.array(hits)))


def _empty() -> Hits:
    return Hits(*(np.zeros(0, np.int64) for _ in range(4)))


shipped = cache(wordlists.read)
"""``wordlists.read`` of the same arguments, read once per process."""
