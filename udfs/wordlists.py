"""Which keyword lists there are: the shipped ones in ``conf/keywords``, and those of a folder of yours.

``<category>.txt`` has one term a line, ``<category>.re`` one RE2 pattern a line; both are UTF-8. A name found twice is
one category with all of it. Lines that begin with ``#`` are comments; ``# roles: assistant`` limits a file to messages
of these roles, and ``#\\`` begins a term that begins with ``#``.
"""

import hashlib
from collections.abc import Iterable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

ROLES = ("system", "user", "assistant", "tool")

_ROLES_LINE = "# roles:"
_KEY = "rules.keywords.folder"


class Entry(NamedTuple):
    """One line of one list: what to look for in messages of these roles (all of them where empty)."""

    category: str
    written: str
    is_pattern: bool
    roles: tuple[str, ...]


class Lists(NamedTuple):
    """All entries, sorted, and whether digits and signs are also read as letters."""

    entries: tuple[Entry, ...]
    leet: bool = False

    @property
    def digest(self) -> str:
        """16 hex digits that stand for everything in it."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


def read(folder: str = "", leet: bool = False) -> Lists:
    """The shipped lists and those of ``folder``.

    ``ValueError``, with file and line: a folder that cannot be read, a list that is empty or not UTF-8, a role that
    does not exist, a pattern that is not RE2.
    """
    entries = (entry for path in _list_files(folder) for entry in _entries(path))
    return Lists(tuple(sorted(set(entries))), leet)


def _list_files(folder: str) -> Iterator[Traversable]:
    shipped = [path for path in files("conf").joinpath("keywords").iterdir() if path.name.endswith(".txt")]
    yield from sorted(shipped, key=lambda path: path.name)
    if folder:
        try:
            own = sorted(path for path in Path(folder).iterdir() if path.suffix in (".txt", ".re"))
        except OSError as error:
            raise ValueError(f"{_KEY}: {folder} cannot be read: {error.strerror}") from error
        if not own:
            raise ValueError(f"{_KEY}: {folder} has no list: expected files named <category>.txt or <category>.re")
        yield from own


def _entries(path: Traversable) -> list[Entry]:
    category, _, kind = path.name.rpartition(".")
    roles: tuple[str, ...] = ()
    found: list[str] = []
    for place, line in _lines(path):
        if line.startswith(_ROLES_LINE):
            roles = _roles(line.removeprefix(_ROLES_LINE), place)
        elif line and not line.startswith("#"):
            if kind == "re":
                _check(line, place)
            found.append(line)
        elif line.startswith("#\\"):
            found.append("#" + line.removeprefix("#\\"))
    if not found:
        raise ValueError(f"{path}: no {'pattern' if kind == 're' else 'term'} in it; expected one a line")
    return [Entry(category, written, kind == "re", roles) for written in found]


def _lines(path: Traversable) -> Iterable[tuple[str, str]]:
    """Each line, stripped, and where it is."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    for number, raw in enumerate(lines, 1):
        try:
            yield f"{path}, line {number}", raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}, line {number}: byte {raw[error.start]:#04x} is not UTF-8; save the list as UTF-8"
            ) from error


def _roles(written: str, place: str) -> tuple[str, ...]:
    roles = set(written.replace(",", " ").split())
    if not roles or roles - set(ROLES):
        raise ValueError(f"{place}: roles are some of {', '.join(ROLES)}; found {written.strip() or 'none'}")
    return tuple(sorted(roles))


def _check(pattern: str, place: str) -> None:
    try:
        is_idle = pc.find_substring_regex(pa.array([""]), pattern)[0].as_py() >= 0
    except pa.ArrowInvalid as error:
        raise ValueError(f"{place}: not a pattern of RE2: {error}") from error
    if is_idle:
        raise ValueError(f"{place}: the pattern {pattern} matches an empty text, so every message")
