"""One split in, Arrow batches out: every record as a conversation or a refusal, then a summary of what was seen."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from conf.settings import Input
from jobs import formats
from jobs.formats import conversation as reasons
from jobs.formats.conversation import Rejected
from jobs.reader import containers, delimited, parquet, records, rows, scan, sniff, strict_json
from jobs.reader.collect import Parsed, collect
from jobs.reader.files import locate
from jobs.reader.rows import Place, Rows
from jobs.reader.streams import HeadedStream, SplitStream


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
    try:
        if split.end >= 0 and containers.kind_of(split.file) == ".parquet":
            yield from parquet.read(split.file, split.start, split.end, split.first, place, options)
        elif split.end >= 0:
            yield from _lines_of(split, place, options)
        else:
            yield from _members_of(split, place, options)
    except (Rejected, OSError) as error:
        yield _refused_file(place, error)


def _refused_file(place: Place, error: Rejected | OSError) -> pa.RecordBatch:
    why = error if isinstance(error, Rejected) else Rejected(reasons.UNREADABLE_FILE, str(error))
    return rows.refused(place, None, -1, why, b"")


def _members_of(split: Split, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    limits = containers.Limits(options.max_expansion, options.max_expanded_bytes)
    for member in containers.members(split.file, split.size, limits):
        inner = place._replace(file=member.name)
        try:
            yield from _READERS.get(member.kind, _unsupported)(member, inner, options)
        except (Rejected, OSError) as error:
            yield _refused_file(inner, error)


def _unsupported(member: containers.Member, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    raise Rejected(reasons.UNSUPPORTED_FILE, f"expected one of {' '.join(containers.KINDS)}, found {member.name}")


def _csv(member: containers.Member, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    return delimited.read(member.stream, place, options)


def _parquet(member: containers.Member, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    return parquet.read_bytes(member.stream.read(), place, options)


def _json(member: containers.Member, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    stream = HeadedStream(member.stream, options.max_record_bytes)
    found = recognise(stream.head, member.kind, options)
    borders = _BORDERS[found.layout](stream.offset)
    blocks = records.cut(stream, borders, stream.offset, 0, options.max_record_bytes)
    yield from _read_blocks(blocks, found, place, options)


def _lines_of(split: Split, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    """The lines of a plain file that begin in the split."""
    system, inner = locate(split.file)
    with system.open_input_file(inner) as file:
        found = recognise(HeadedStream(file, options.max_record_bytes).head, ".jsonl", options)
        stream = SplitStream(file, split.start, split.end)
        first = split.first + stream.is_inside
        borders = records.line_borders(stream.offset)
        blocks = records.cut(stream, borders, stream.offset, first, options.max_record_bytes)
        yield from _read_blocks(blocks, found, place, options)


_BORDERS: dict[str, Callable[[int], records.Borders]] = {
    sniff.LINES: records.line_borders,
    sniff.ARRAY: records.member_borders,
    sniff.MAPPING: records.member_borders,
    sniff.DOCUMENT: records.whole,
}
_READERS = {".csv": _csv, ".parquet": _parquet, ".json": _json, ".jsonl": _json, ".ndjson": _json}


def recognise(head: bytes, kind: str, options: Input) -> sniff.Sniffed:
    """Layout and format of a JSON stream: the configured format, or the one its head shows."""
    found = sniff.sniff(head, is_lines=kind != ".json")
    return found if options.format == "auto" else found._replace(format=formats.named(options.format))


def _read_blocks(
    blocks: Iterable[records.Block], found: sniff.Sniffed, place: Place, options: Input
) -> Iterator[pa.RecordBatch]:
    place = place._replace(format=found.format.NAME if found.format else "")
    collected, count, size = Rows(place), 0, 0
    for block in blocks:
        for giant in block.giants:
            yield _too_large(place, giant, options)
        parsed = _parsed(block, found.layout, options)
        seen = yield from collect(parsed, found.format, collected, options)
        count, size = count + seen + len(block.giants), size + len(block.data)
    yield from filter(None, [collected.take()])
    yield rows.summary(place, count, size)


def _too_large(place: Place, giant: records.Giant, options: Input) -> pa.RecordBatch:
    detail = f"{giant.size:,} bytes, the limit is input.max_record_bytes = {options.max_record_bytes:,}"
    why = Rejected(reasons.TOO_LARGE, detail)
    return rows.refused(place, giant.number, giant.offset, why, giant.sample, giant.digest)


def _parsed(block: records.Block, layout: str, options: Input) -> Iterator[Parsed]:
    """Every record of the block that is not blank."""
    data, view = block.data, memoryview(block.data)
    flags = scan.inspect(np.frombuffer(data, np.uint8), block.starts, block.ends, options.max_depth)
    spans = zip(block.starts.tolist(), block.ends.tolist(), block.numbers.tolist(), flags.tolist(), strict=True)
    for start, end, number, flag in spans:
        record: Any
        try:
            if layout == sniff.MAPPING:
                record = _named(strict_json.parse(b"{" + data[start:end] + b"}", flag, options.max_depth))
            else:
                record = _plain(strict_json.parse(view[start:end], flag, options.max_depth))
        except Rejected as why:
            if not data[start:end].strip():
                continue
            record = why
        yield number, block.offset + start, view[start:end], record


def _plain(value: Any) -> dict[str, Any]:
    record = sniff.as_record(value)
    if record is None:
        raise Rejected(reasons.WRONG_TYPE, f"expected an object, found {_type_name(value)}")
    return record


def _named(value: dict[str, Any]) -> dict[str, Any]:
    record = sniff.named_member(value) if len(value) == 1 else None
    if record is None:
        raise Rejected(reasons.WRONG_TYPE, "expected an object as the member's value")
    return record


def _type_name(value: Any) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")
