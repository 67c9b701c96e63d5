"""One split in, Arrow batches out: every record as a conversation or a refusal, then a summary of what was seen."""

import gc
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any, NamedTuple

import numpy as np
import pyarrow as pa

from conf.settings import Input
from jobs import formats, refusals
from jobs.bytewise import scan
from jobs.files import locate
from jobs.reader import columns, containers, delimited, parquet, records, rows, sniff, strict_json
from jobs.reader.collect import Parsed
from jobs.reader.emit import Way, emit
from jobs.reader.rows import Place
from jobs.reader.streams import HeadedStream, SplitStream
from jobs.refusals import Rejected

_COLLECT_EVERY = 100_000
"""Objects between two looks for cycles: records are many small objects without any, and looking took a third of all
time at Python's 700."""


class Split(NamedTuple):
    """A part of one file that one task reads: bytes ``start`` to ``end`` of a line file, row groups ``start`` to
    ``end`` of a parquet file, or all of it (``end`` -1). ``first`` is the number of the first record begun in it."""

    file: str
    file_id: str
    size: int
    start: int = 0
    end: int = -1
    first: int = 0


def read_split(split: Split, options: Input) -> Iterator[pa.RecordBatch]:
    """Everything in one split, in the staged schema. Never raises for what the file holds: a file that cannot be read
    ends in one refusal with a file reason, and its rows so far are to be dropped by that reason."""
    place = Place(options.source, split.file, split.file_id, "")
    thresholds = gc.get_threshold()
    gc.set_threshold(_COLLECT_EVERY, *thresholds[1:])
    formats.forget()  # what an earlier run in this process has seen
    try:
        if containers.is_plain(split.file) and containers.kind_of(split.file) == ".parquet":
            yield from parquet.read(split.file, split.start, split.end, split.first, place, options)
        elif split.end >= 0:
            yield from _lines_of(split, place, options)
        else:
            yield from _members_of(split, place, options)
    except (Rejected, OSError) as error:
        yield _refused_file(place, error)
    finally:
        gc.set_threshold(*thresholds)


def _refused_file(place: Place, error: Rejected | OSError) -> pa.RecordBatch:
    why = error if isinstance(error, Rejected) else Rejected(refusals.UNREADABLE_FILE, str(error))
    return rows.refused_file(place, why)


def _members_of(split: Split, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    """Every member on its own, but damage to what is around them is damage to those read so far as well."""
    limits = containers.Limits(options.max_expansion, options.max_expanded_bytes)
    members: list[Place] = []
    try:
        for member in containers.members(split.file, split.size, limits):
            members.append(place._replace(file=member.name))
            yield from _member(member, members[-1], options)
    except (Rejected, OSError) as error:
        for inner in members:
            yield _refused_file(inner, error)
        if place not in members:
            yield _refused_file(place, error)
        return
    if not members:
        yield rows.summary(place, 0, split.size)


def _member(member: containers.Member, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    try:
        with member.open() as stream:
            yield from _READERS.get(member.kind, _unsupported)(stream, member.kind, place, options)
    except (Rejected, OSError) as error:
        yield _refused_file(place, error)


def _unsupported(stream: IO[bytes], kind: str, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    raise Rejected(refusals.UNSUPPORTED_FILE, f"expected one of {' '.join(containers.KINDS)}, found {place.file}")


def _parquet(stream: IO[bytes], kind: str, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    return parquet.read_stream(stream, place, options)


def _json(stream: IO[bytes], kind: str, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    headed = HeadedStream(stream, options.max_record_bytes)
    found = recognise(headed, kind, options)
    blocks = records.cut(headed, _BORDERS[found.layout](headed.offset), 0, options.max_record_bytes)
    yield from emit(blocks, way(found.layout, options), found.format, place, options, headed)


def _lines_of(split: Split, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    """The lines of a plain file that begin in the split."""
    system, inner = locate(split.file)
    with system.open_input_file(inner) as file:
        known = recognise(HeadedStream(file, options.max_record_bytes), "", options).format
        stream = SplitStream(file, split.start, split.end)
        borders = records.line_borders(stream.offset)
        blocks = records.cut(stream, borders, split.first + stream.is_inside, options.max_record_bytes)
        yield from emit(blocks, way(sniff.LINES, options), known, place, options, stream)


_BORDERS: dict[str, Callable[[int], records.Borders]] = {
    sniff.LINES: records.line_borders,
    sniff.ARRAY: records.member_borders,
    sniff.MAPPING: records.member_borders,
    sniff.DOCUMENT: records.whole,
}
_READERS = {
    **dict.fromkeys(delimited.SEPARATORS, delimited.read),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), _json),
    ".parquet": _parquet,
}


def recognise(stream: HeadedStream, kind: str, options: Input) -> sniff.Sniffed:
    """Layout and format of a JSON stream: the configured format, or the one its head shows, which grows to the size of
    the largest record allowed while it shows none. ``kind`` '' is a stream known to be lines."""
    while (found := _sniffed(stream.head, kind)).format is None and stream.look_further():
        pass
    return found if options.format == "auto" else found._replace(format=formats.named(options.format))


def _sniffed(head: bytes, kind: str) -> sniff.Sniffed:
    return sniff.sniff(head, is_lines=kind != ".json") if kind else sniff.lines(head)


def way(layout: str, options: Input) -> Way:
    """How records of a JSON stream of this layout are read: in columns where they can be."""
    parse = partial(_parsed, layout=layout, deepest=options.max_depth)
    return Way(parse, None if layout == sniff.MAPPING else columns.divide)


def _parsed(block: records.Block, layout: str, deepest: int) -> Iterator[Parsed]:
    """Every record of the block; a blank line is none."""
    data, view = block.data, memoryview(block.data)
    flags = scan.inspect(np.frombuffer(data, np.uint8), block.starts, block.ends, deepest)
    spans = zip(block.starts.tolist(), block.ends.tolist(), block.numbers.tolist(), flags.tolist(), strict=True)
    value = _VALUES[layout] if block.standing == records.WHOLE or len(block.starts) > 1 else _VALUES[block.standing]
    for start, end, number, flag in spans:
        raw = view[start:end]
        record: Any
        try:
            record = value(raw, flag, deepest)
        except Rejected as why:
            if layout == sniff.LINES and not data[start:end].strip():
                continue
            record = why
        yield number, block.offset + start, raw, record


def _plain(raw: memoryview, flag: int, deepest: int) -> dict[str, Any]:
    value = strict_json.parse(raw, flag, deepest)
    record = sniff.as_record(value)
    if record is None:
        raise Rejected(refusals.WRONG_TYPE, f"expected an object, found {_type_name(value)}")
    return record


def _named(raw: memoryview, flag: int, deepest: int) -> dict[str, Any]:
    value = strict_json.parse(b"".join((b"{", raw, b"}")), flag, deepest)
    record = sniff.named_member(value) if len(value) == 1 else None
    if record is None:
        raise Rejected(refusals.WRONG_TYPE, "expected an object as the member's value")
    return record


def _unclosed(raw: memoryview, flag: int, deepest: int) -> dict[str, Any]:
    raise Rejected(refusals.MALFORMED_JSON, "the file ends inside its outermost array or object")


def _after(raw: memoryview, flag: int, deepest: int) -> dict[str, Any]:
    raise strict_json.after_end(bytes(raw))


_VALUES: dict[str, Callable[[memoryview, int, int], dict[str, Any]]] = {
    sniff.LINES: _plain,
    sniff.ARRAY: _plain,
    sniff.MAPPING: _named,
    sniff.DOCUMENT: _plain,
    records.UNCLOSED: _unclosed,
    records.AFTER: _after,
}


def _type_name(value: Any) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")
