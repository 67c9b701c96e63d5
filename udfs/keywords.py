"""Which keyword lists a message hits: exact phrases, found all at once by an Aho-Corasick automaton (Aho 1975).

A list is a text file in UTF-8, one term a line, named after its category: the shipped ones in ``conf/keywords``, then
``*.txt`` of a folder of yours; a name in both is one category with the terms of both. Lines that begin with ``#`` are
comments, and ``# roles: assistant`` limits a list to messages of these roles. Texts and terms are compared in lower
case (Unicode's simple mapping, so ß is not ss), with ’ as ' and any whitespace as one space. A term's ends are
word boundaries, but where Han, kana, Thai or another script without spaces is on either side.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.abc import Traversable
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import ahocorasick
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import scripts

ROLES = ("system", "user", "assistant", "tool")

_SPACES = "[\\s\u00a0\u3000]{2,}|[\t\n\r\f\u00a0\u3000]"
_ROLES_LINE = "# roles:"


class Term(NamedTuple):
    """One term in the automaton: its length, whether its ends must be word boundaries, the categories it is in."""

    length: int
    opens: bool
    closes: bool
    categories: tuple[int, ...]


class Keywords(NamedTuple):
    """All lists, ready to match: category names in order, the roles of each (empty: all), the automaton of terms."""

    categories: tuple[str, ...]
    roles: tuple[frozenset[str], ...]
    automaton: ahocorasick.Automaton


@cache
def load(folder: str = "") -> Keywords:
    """The shipped lists and those of ``folder``, read once per process.

    ``ValueError``, with file and line: a folder that cannot be read, a list that is empty or not UTF-8, a role that
    does not exist.
    """
    lists, roles = read(folder)
    names = tuple(sorted(lists))
    return Keywords(names, tuple(roles[name] for name in names), _build([lists[name] for name in names]))


def read(folder: str = "") -> tuple[dict[str, set[str]], dict[str, frozenset[str]]]:
    """By category the folded terms of these lists, and the roles they are limited to (none: any). Raises as
    :func:`load`."""
    lists: dict[str, set[str]] = {}
    roles: dict[str, frozenset[str]] = {}
    for path in _list_files(folder):
        name = path.name.removesuffix(".txt")
        found, limits = _read(path)
        lists.setdefault(name, set()).update(found)
        roles[name] = limits or roles.get(name, frozenset())
    return lists, roles


def label(texts: pa.Array, roles: pa.Array, folder: str = "") -> pa.Array:
    """For each message the categories it hits, distinct and sorted: a list array of strings; no null in or out."""
    lists = load(folder)
    rows, hits = _find(texts, lists.automaton)
    names, numbers = np.unique(np.array(pc.fill_null(roles, "").to_pylist(), dtype=str), return_inverse=True)
    applies = [not limits or name in limits for name in names for limits in lists.roles]
    admitted = np.array(applies, dtype=bool)[numbers[rows] * len(lists.categories) + hits]
    return _lists(rows[admitted], hits[admitted], len(texts), lists.categories)


def of_conversations(hits: pa.Array, offsets: np.ndarray) -> pa.Array:
    """The categories of each conversation's messages together, distinct and sorted.

    ``hits`` is what :func:`label` gave; conversation ``i`` is messages ``offsets[i]:offsets[i+1]``.
    """
    names, numbers = np.unique(np.array(hits.flatten().to_pylist(), dtype=str), return_inverse=True)
    message = np.asarray(pc.list_parent_indices(hits), dtype=np.int64)
    owner = np.searchsorted(offsets, message, side="right") - 1
    return _lists(owner, numbers, len(offsets) - 1, tuple(names.tolist()))


def fold(texts: pa.Array) -> pa.Array:
    """Texts as they are compared: lower case, straight apostrophes, one space for any whitespace; "" for null."""
    texts = pc.replace_substring_regex(pc.utf8_lower(pc.fill_null(texts, "")), _SPACES, " ")
    return pc.replace_substring_regex(texts, "[‘’‛]", "'")


def _find(texts: pa.Array, automaton: ahocorasick.Automaton) -> tuple[np.ndarray, np.ndarray]:
    """Rows and categories of all hits, as two int64 arrays; pairs may repeat."""
    rows: list[int] = []
    hits: list[int] = []
    for row, text in enumerate(fold(texts).to_pylist()):
        for end, term in automaton.iter(text):
            if (term.opens and _is_word(text, end - term.length)) or (term.closes and _is_word(text, end + 1)):
                continue
            rows.extend([row] * len(term.categories))
            hits.extend(term.categories)
    return np.array(rows, dtype=np.int64), np.array(hits, dtype=np.int64)


def _lists(rows: np.ndarray, hits: np.ndarray, length: int, names: tuple[str, ...]) -> pa.Array:
    """One list of names a row, distinct and in the order of ``names``, from pairs of row and index of name."""
    rows, hits = np.divmod(np.unique(rows * len(names) + hits), max(len(names), 1))
    offsets = np.searchsorted(rows, np.arange(length + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(names, pa.string()).take(pa.array(hits)))


def _is_word(text: str, position: int) -> bool:
    """Whether the character there goes on a word of a spaced script; outside the text there is none."""
    if not 0 <= position < len(text):
        return False
    code = ord(text[position])
    return text[position].isalnum() if code < 0x80 else _goes_on_a_word(code)


@cache
def _goes_on_a_word(code: int) -> bool:
    return chr(code).isalnum() and scripts.NAMES[scripts.of(code)] not in scripts.UNSPACED


def _build(lists: Iterable[set[str]]) -> ahocorasick.Automaton:
    categories: dict[str, list[int]] = {}
    for number, terms in enumerate(lists):
        for term in terms:
            categories.setdefault(term, []).append(number)
    automaton = ahocorasick.Automaton()
    for term, numbers in categories.items():
        entry = Term(len(term), _is_word(term, 0), _is_word(term, len(term) - 1), tuple(numbers))
        automaton.add_word(term, entry)
    automaton.make_automaton()
    return automaton


def _list_files(folder: str) -> Iterator[Traversable]:
    shipped = [path for path in files("conf").joinpath("keywords").iterdir() if path.name.endswith(".txt")]
    yield from sorted(shipped, key=lambda path: path.name)
    if folder:
        try:
            own = sorted(path for path in Path(folder).iterdir() if path.suffix == ".txt")
        except OSError as error:
            raise ValueError(f"rules.keywords.folder: {folder} cannot be read: {error.strerror}") from error
        if not own:
            raise ValueError(f"rules.keywords.folder: {folder} has no list: expected files named <category>.txt")
        yield from own


def _read(path: Traversable) -> tuple[set[str], frozenset[str]]:
    """The folded terms of one list, and the roles it is limited to."""
    terms: list[str] = []
    limits: frozenset[str] = frozenset()
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    for number, raw in enumerate(lines, 1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}, line {number}: byte {raw[error.start]:#04x} is not UTF-8; save the list as UTF-8"
            ) from error
        if line.startswith(_ROLES_LINE):
            limits = _roles(line.removeprefix(_ROLES_LINE), f"{path}, line {number}")
        elif line and not line.startswith("#"):
            terms.append(line)
    if not terms:
        raise ValueError(f"{path}: no term in {len(lines)} lines; expected one a line")
    return set(fold(pa.array(terms)).to_pylist()), limits


def _roles(written: str, place: str) -> frozenset[str]:
    roles = frozenset(written.replace(",", " ").split())
    if not roles or roles - set(ROLES):
        raise ValueError(f"{place}: roles are some of {', '.join(ROLES)}; found {written.strip() or 'none'}")
    return roles
