"""Which files are the input? A file, a folder, a glob, or several of them, on any file system pyarrow knows."""

import fnmatch
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from urllib.parse import quote, unquote

from pyarrow import fs

from jobs.errors import InputUnreadable


class SourceFile(NamedTuple):
    """One input file: its path or URI as later stored with every record, and its size in bytes."""

    path: str
    size: int


def locate(path: str) -> tuple[fs.FileSystem, str]:
    """The file system of ``path`` and the path on it. ``s3a://`` is read as ``s3://``; no scheme means local. Of a URI,
    what follows the host is taken as it is, as Hadoop takes it: names have blanks, ``#``, ``?`` and ``%`` in them."""
    if "://" not in path:
        return fs.LocalFileSystem(), os.path.abspath(path)
    scheme, _, rest = path.replace("s3a://", "s3://", 1).partition("://")
    host, slash, inner = rest.partition("/")
    return fs.FileSystem.from_uri(f"{scheme}://{host}{slash}{quote(inner)}")


def find(inputs: Sequence[str]) -> list[SourceFile]:
    """Every file under ``inputs``, sorted by path, each once, and every link in a local folder that leads to nothing:
    it is told when it is read. Names that start with ``_`` or ``.`` below a folder are left out, as Spark does.

    Raises :class:`InputUnreadable` for a path that is missing, holds no file or cannot be listed, and for a name that
    is not UTF-8: Arrow cannot open such a file."""
    found: dict[str, SourceFile] = {}
    for path in (p if "://" in p else os.path.abspath(p) for p in inputs):
        try:
            files = _matching(path)
        except (UnicodeEncodeError, UnicodeDecodeError) as error:
            raise InputUnreadable(f"{path}: the name {error.object!r} is not UTF-8; rename that file") from error
        except OSError as error:
            raise InputUnreadable(f"cannot list {path}: expected a file, a folder or a glob; {error}") from error
        if not files:
            raise InputUnreadable(f"no input file found at {path}: expected a file, a folder with files, or a glob")
        found.update((file.path, file) for file in files)
    return sorted(found.values())


def _matching(path: str) -> list[SourceFile]:
    """The files that a path means. It may be a glob over its components: ``*`` stays within a folder, ``**`` crosses
    folders; a folder it names is walked. A URI may have escapes (``%20``) where no name has them."""
    root, pattern = _parted(path)
    if "://" in root and "%" in root and not _is_there(root):
        root, pattern = _parted(unquote(path))
    return [file for file in _walk(root) if _is_match(_below(file.path, root).split("/"), pattern)]


def _parted(path: str) -> tuple[str, list[str]]:
    """Where to look, and the pattern for what is below: from the first wildcard on that is not in a name there."""
    parts = path.split("/")
    for number, part in enumerate(parts):
        if any(c in part for c in "*?[") and not _is_there("/".join(parts[: number + 1])):
            return "/".join(parts[:number]) or "/", parts[number:]
    return path, []


def _is_there(path: str) -> bool:
    system, inner = _reachable(path)
    return bool(system.get_file_info(inner).type != fs.FileType.NotFound)


def _walk(path: str) -> list[SourceFile]:
    system, inner = _reachable(path)
    info = system.get_file_info(inner)
    if info.type == fs.FileType.NotFound:
        raise InputUnreadable(f"input not found: {path}")
    if info.type == fs.FileType.File:
        return [SourceFile(path, info.size)]
    root = info.path.rstrip("/")
    found = _local(root or "/") if isinstance(system, fs.LocalFileSystem) else _remote(system, root)
    return [
        SourceFile(path.rstrip("/") + name[len(root) :], size)
        for name, size in found
        if not _is_hidden(name[len(root) :])
    ]


def _remote(system: fs.FileSystem, root: str) -> Iterator[tuple[str, int]]:
    below = system.get_file_info(fs.FileSelector(root, recursive=True))
    return ((entry.path, entry.size) for entry in below if entry.type == fs.FileType.File)


def _local(folder: str, around: tuple[str, ...] = ()) -> Iterator[tuple[str, int]]:
    """Files below a local folder, and links whose target is not there, which Arrow does not list. A link to a folder
    that it lies in has nothing new: Arrow goes round in it forty times, and in two of them without end."""
    place = os.path.realpath(folder)
    if place in around:
        return
    with os.scandir(folder) as entries:
        names = [entry.path for entry in entries]
    for name in names:
        name.encode()  # Arrow cannot open a file whose name is not UTF-8
        if os.path.isfile(name):
            yield name, os.path.getsize(name)
        elif os.path.isdir(name):
            yield from _local(name, (*around, place))
        elif not os.path.exists(name):
            yield name, 0


def _reachable(path: str) -> tuple[fs.FileSystem, str]:
    try:
        return locate(path)
    except (OSError, ValueError) as error:
        raise InputUnreadable(f"cannot reach {path}: {error}") from error


def _is_hidden(relative: str) -> bool:
    return any(part.startswith(("_", ".")) for part in relative.split("/"))


def _below(path: str, root: str) -> str:
    return path[len(root) :].lstrip("/")


def _is_match(parts: list[str], pattern: list[str]) -> bool:
    """Does the path match, or lie in a folder that does?"""
    if not pattern:
        return True
    if not parts:
        return pattern == ["**"]
    if pattern[0] == "**":
        return _is_match(parts, pattern[1:]) or _is_match(parts[1:], pattern)
    return fnmatch.fnmatchcase(parts[0], pattern[0]) and _is_match(parts[1:], pattern[1:])
