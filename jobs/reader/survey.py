"""What is in each file, before a record is read: its content digest, and where it can be split between tasks."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from conf.settings import Input
from jobs.bytewise import scan
from jobs.files import SourceFile, locate
from jobs.reader import containers, delimited, sniff
from jobs.reader.read import Split, recognise
from jobs.reader.streams import HeadedStream
from jobs.refusals import Rejected

_BLOCK = 4_000_000
_UNIT = 8_000_000
"""A file's id is the digest of the digests of units of this size, so that it does not depend on how it is split."""


class Chunk(NamedTuple):
    """Bytes [start, end) of a file, the unit of the survey."""

    file: str
    size: int
    start: int
    end: int


class Finding(NamedTuple):
    """What one chunk holds. ``digest``: those of the units that begin in it, end to end. ``is_lines`` (of a
    known format) and ``row_groups`` (rows in each) are known of a file's first chunk only."""

    file: str
    size: int
    start: int
    digest: str
    newlines: int
    is_lines: bool
    row_groups: list[int]


def chunks(files: Iterable[SourceFile], size: int) -> list[Chunk]:
    """The files cut into chunks of ``size`` bytes; an empty file has one empty chunk."""
    return [
        Chunk(file.path, file.size, start, min(start + size, file.size))
        for file in files
        for start in range(0, max(file.size, 1), size)
    ]


def survey(chunk: Chunk, options: Input) -> Finding:
    """Read one chunk once. A file that cannot be read gets a digest of its name, and its error when it is read."""
    try:
        system, inner = locate(chunk.file)
        with system.open_input_file(inner) as file:
            return _survey(file, chunk, options)
    except OSError:
        digest = hashlib.sha256(f"unreadable {chunk.file}".encode()).hexdigest()
        return Finding(chunk.file, chunk.size, chunk.start, digest, 0, False, [])


def _survey(file: pa.NativeFile, chunk: Chunk, options: Input) -> Finding:
    is_lines, groups = False, []
    if chunk.start == 0 and containers.is_plain(chunk.file):
        if containers.kind_of(chunk.file) == ".parquet":
            groups = _row_groups(file)
        elif chunk.end < chunk.size:
            is_lines = _is_lines(file, containers.kind_of(chunk.file), options)
    digest, newlines = _read(file, chunk)
    return Finding(chunk.file, chunk.size, chunk.start, digest, newlines, is_lines, groups)


def _is_lines(file: pa.NativeFile, kind: str, options: Input) -> bool:
    """Can the file be split? Not where its head shows no format: then its first sound records do, to one task."""
    try:
        stream = HeadedStream(file, options.max_record_bytes)
    except Rejected:
        return False
    found = recognise(stream, kind, options)
    return kind not in delimited.SEPARATORS and found.layout == sniff.LINES and found.format is not None


def _read(file: pa.NativeFile, chunk: Chunk) -> tuple[str, int]:
    """Digests of the units that begin in the chunk, each read to its end, and the chunk's line feeds."""
    first, last = -(-chunk.start // _UNIT), -(-chunk.end // _UNIT)
    stop = min(last * _UNIT, chunk.size) if last > first else chunk.end
    units = [hashlib.sha256() for _ in range(first, last)]
    newlines = 0
    for at, block in _blocks(file, chunk.start, stop):
        newlines += scan.line_feeds(np.frombuffer(block, np.uint8)[: max(chunk.end - at, 0)])
        if at >= first * _UNIT:
            units[at // _UNIT - first].update(block)
    return "".join(unit.hexdigest() for unit in units), newlines


def _blocks(file: pa.NativeFile, at: int, stop: int) -> Iterator[tuple[int, bytes]]:
    """Where each block stands, and its bytes; none crosses the border of a unit."""
    file.seek(at)
    while at < stop and (block := file.read(min(_BLOCK - at % _BLOCK, stop - at))):
        yield at, block
        at += len(block)


def _row_groups(file: pa.NativeFile) -> list[int]:
    try:
        metadata = pq.read_metadata(file)
    except (pa.ArrowException, OSError):
        return []
    return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]


def splits(findings: Iterable[Finding]) -> list[Split]:
    """The splits of all files, from all their chunks' findings. A file's id is the digest of its units' digests; if it
    is empty, of its name."""
    by_file: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda f: (f.file, f.start)):
        by_file.setdefault(finding.file, []).append(finding)
    return [split for parts in by_file.values() for split in _splits_of(parts)]


def _splits_of(parts: list[Finding]) -> list[Split]:
    head = parts[0]
    told = "".join(part.digest for part in parts) or f"empty {head.file}"
    file_id = hashlib.sha256(told.encode()).hexdigest()[:32]
    if head.row_groups:
        firsts = [sum(head.row_groups[:group]) for group in range(len(head.row_groups))]
        return [Split(head.file, file_id, head.size, g, g + 1, first) for g, first in enumerate(firsts)]
    if not head.is_lines:
        return [Split(head.file, file_id, head.size)]
    ends = [part.start for part in parts[1:]] + [head.size]
    firsts = [sum(part.newlines for part in parts[:i]) for i in range(len(parts))]
    return [
        Split(head.file, file_id, head.size, part.start, end, first)
        for part, end, first in zip(parts, ends, firsts, strict=True)
    ]
