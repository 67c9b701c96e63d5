"""CSV with a header line: strict quoting, every row as long as the header, no row lost."""

import csv
from collections.abc import Iterator
from itertools import chain, islice
from types import ModuleType
from typing import IO, Any

import pyarrow as pa

from conf.settings import Input
from jobs import formats
from jobs.formats import conversation as reasons
from jobs.formats.conversation import Rejected
from jobs.reader import records
from jobs.reader.collect import Parsed
from jobs.reader.emit import emit
from jobs.reader.records import Block
from jobs.reader.rows import Place
from jobs.reader.streams import HeadedStream

_SAMPLES = 20


def read(stream: IO[bytes], place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    """The rows of one CSV stream (RFC 4180, UTF-8) in the staged schema; record 0 is the line after the header.

    Raises :class:`Rejected` with a file reason when the header cannot be used.
    """
    csv.field_size_limit(max(options.max_record_bytes, csv.field_size_limit()))
    text = HeadedStream(stream, options.max_record_bytes)
    blocks = records.cut(text, records.csv_borders(text.offset), -1, options.max_record_bytes)
    first = next(blocks, None)
    header, blocks = _header(first), chain([first] if first else [], blocks)
    known = _format_of(first, header, options)
    yield from emit(blocks, lambda block: _parsed(block, header), known, place, options, text)


def _header(first: Block | None) -> list[str]:
    """The names in the first row. An empty stream has none."""
    if first is None:
        return []
    if not len(first.starts) or first.numbers[0] != -1:
        raise Rejected(reasons.CORRUPT_FILE, "the header line is longer than input.max_record_bytes")
    try:
        header = _row(first.data[first.starts[0] : first.ends[0]])
    except Rejected as why:
        raise Rejected(reasons.CORRUPT_FILE, f"the header line cannot be read: {why.detail}") from None
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise Rejected(reasons.CORRUPT_FILE, f"the header names {twice[0][:80]!r} more than once")
    return header


def _format_of(first: Block | None, header: list[str], options: Input) -> ModuleType | None:
    if options.format != "auto":
        return formats.named(options.format)
    found = (record for *_, record in _parsed(first, header) if isinstance(record, dict)) if first else ()
    return formats.detect(list(islice(found, _SAMPLES)) or [dict.fromkeys(header, "")])


def _parsed(block: Block, header: list[str]) -> Iterator[Parsed]:
    """Every row of the block that is neither the header nor blank."""
    data = block.data
    for start, end, number in zip(block.starts.tolist(), block.ends.tolist(), block.numbers.tolist(), strict=True):
        raw = data[start:end]
        if number < 0 or raw in (b"", b"\r"):
            continue
        record: Any
        try:
            record = _record(_row(raw), header)
        except Rejected as why:
            record = why
        yield number, block.offset + start, raw, record


def _row(raw: bytes) -> list[str]:
    if b"\0" in raw:
        raise Rejected(reasons.CONTROL_CHARACTER, f"NUL at byte {raw.index(0)}")
    try:
        return next(csv.reader((raw.decode(),), strict=True))
    except UnicodeDecodeError as error:
        raise Rejected(
            reasons.INVALID_UTF8, f"byte 0x{raw[error.start]:02x} at {error.start}: {error.reason}"
        ) from None
    except StopIteration:
        return []
    except csv.Error as error:
        raise Rejected(reasons.MALFORMED_CSV, str(error)) from None


def _record(row: list[str], header: list[str]) -> dict[str, str]:
    if len(row) != len(header):
        raise Rejected(reasons.MALFORMED_CSV, f"expected {len(header)} fields as in the header, found {len(row)}")
    return dict(zip(header, row, strict=True))
