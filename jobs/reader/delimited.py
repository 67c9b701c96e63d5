"""CSV with a header line: strict quoting, every row as long as the header, no row lost."""

import csv
from collections.abc import Iterator
from itertools import chain
from typing import IO, Any

import pyarrow as pa

from conf.settings import Input
from jobs import formats
from jobs.formats import conversation as reasons
from jobs.formats.conversation import Rejected
from jobs.reader import rows
from jobs.reader.collect import Parsed, collect
from jobs.reader.rows import Place, Rows
from jobs.reader.streams import TextLines


def read(stream: IO[bytes], place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    """The rows of one CSV stream (RFC 4180, UTF-8) in the staged schema; record 0 is the row after the header."""
    csv.field_size_limit(options.max_record_bytes)
    lines = TextLines(stream)
    reader = csv.reader(iter(lines), strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise Rejected(reasons.CORRUPT_FILE, f"the header line cannot be read: {error}") from error
    parsed = _parsed(reader, header, lines)
    first = list(_until_whole(parsed))
    known = _format_of(first, options)
    collected = Rows(place._replace(format=known.NAME if known else ""))
    count = yield from collect(chain(first, parsed), known, collected, options)
    yield from filter(None, [collected.take()])
    yield rows.summary(collected.place, count, lines.position)


def _until_whole(parsed: Iterator[Parsed]) -> Iterator[Parsed]:
    """Records up to the first one that could be read: its columns tell the format."""
    for item in parsed:
        yield item
        if isinstance(item[3], dict):
            return


def _format_of(first: list[Parsed], options: Input) -> Any:
    if options.format != "auto":
        return formats.named(options.format)
    return formats.detect([record for *_, record in first if isinstance(record, dict)])


def _parsed(reader: Any, header: list[str], lines: TextLines) -> Iterator[Parsed]:
    number = 0
    while True:
        offset = lines.mark()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, offset, lines.seen, Rejected(reasons.MALFORMED_CSV, str(error))
        else:
            if not row:
                continue
            yield number, offset, lines.seen, _record(row, header)
        number += 1


def _record(row: list[str], header: list[str]) -> dict[str, Any] | Rejected:
    if len(row) != len(header):
        return Rejected(reasons.MALFORMED_CSV, f"expected {len(header)} fields as in the header, found {len(row)}")
    text = "".join(row)
    if not text.isascii() and any("\udc80" <= c <= "\udcff" for c in text):
        return Rejected(reasons.INVALID_UTF8, "a field is not UTF-8")
    if "\0" in text:
        return Rejected(reasons.CONTROL_CHARACTER, "a field holds NUL")
    return dict(zip(header, row, strict=True))
