"""CSV and TSV with a header line: strict quoting, every row as long as the header, no row lost."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from types import ModuleType
from typing import IO

import pyarrow as pa

from conf.settings import Input
from jobs import formats, refusals
from jobs.reader import records
from jobs.reader.collect import Parsed
from jobs.reader.emit import Way, emit
from jobs.reader.records import Block
from jobs.reader.rows import Place
from jobs.reader.streams import HeadedStream
from jobs.refusals import Rejected

SEPARATORS = {".csv": ",;\t", ".tsv": "\t"}
"""By the kind of file: the separators it may have, the likeliest first."""

_SAMPLES = 20
_QUOTED = re.compile(rb'(?:^|(?<=[,;\t]))"(?:[^"]|"")*+"')
"""A quoted field, whichever the separator is."""


def read(stream: IO[bytes], kind: str, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    """The rows of one CSV stream (RFC 4180, UTF-8) in the staged schema. The header is the first line with more than
    blanks, record 0 the line after it.

    Raises :class:`Rejected` with a file reason when the header cannot be used.
    """
    csv.field_size_limit(max(options.max_record_bytes, csv.field_size_limit()))
    text = HeadedStream(stream, options.max_record_bytes)
    text.skip_blank_lines()
    separator = separator_of(text.head, kind)
    blocks = records.cut(text, records.csv_borders(text.offset, separator), -1, options.max_record_bytes)
    first = next(blocks, None)
    header, blocks = _header(first, separator), chain([first] if first else [], blocks)
    parse = partial(_parsed, header=header, separator=separator)
    known = _format_of(parse(first) if first else (), header, options)
    yield from emit(blocks, Way(parse), known, place, options, text)


def separator_of(head: bytes, kind: str) -> str:
    """The first of the kind's separators that the line at ``head`` has outside quotes."""
    bare, _, _ = _QUOTED.sub(b"", head).partition(b"\n")
    separators = SEPARATORS[kind]
    return next((separator for separator in separators if separator.encode() in bare), separators[0])


def _header(first: Block | None, separator: str) -> list[str]:
    """The names in the first row. A stream of blanks has none."""
    if first is None:
        return []
    if not len(first.starts) or first.numbers[0] != -1:
        raise Rejected(refusals.CORRUPT_FILE, "the header line is longer than input.max_record_bytes")
    [header] = _rows([first.data[first.starts[0] : first.ends[0]]], separator)
    if isinstance(header, Rejected):
        raise Rejected(refusals.CORRUPT_FILE, f"the header line cannot be read: {header.detail}")
    twice = sorted(name for name, times in Counter(header).items() if times > 1)
    if twice:
        raise Rejected(refusals.CORRUPT_FILE, f"the header names {twice[0][:80]!r} more than once")
    return header


def _format_of(parsed: Iterable[Parsed], header: list[str], options: Input) -> ModuleType | None:
    if options.format != "auto":
        return formats.named(options.format)
    found = (record for *_, record in parsed if isinstance(record, dict))
    return formats.detect(list(islice(found, _SAMPLES)) or [dict.fromkeys(header, "")])


def _parsed(block: Block, header: list[str], separator: str) -> Iterator[Parsed]:
    """Every row of the block that is neither the header nor blank."""
    starts, ends = block.starts.tolist(), block.ends.tolist()
    raws = [block.data[start:end] for start, end in zip(starts, ends, strict=True)]
    for raw, start, number, row in zip(raws, starts, block.numbers.tolist(), _rows(raws, separator), strict=True):
        if number >= 0 and row != []:
            record = row if isinstance(row, Rejected) else _record(row, header)
            yield number, block.offset + start, raw, record


def _rows(raws: list[bytes], separator: str) -> Iterator[list[str] | Rejected]:
    """The fields of each row, in order. One reader reads them all, as each is a whole line to it."""
    texts = [_text(raw) for raw in raws]
    lines = ("" if isinstance(text, Rejected) else text for text in texts)
    reader = csv.reader(lines, delimiter=separator, strict=True)
    for text in texts:
        try:
            row = next(reader)
        except csv.Error as error:
            yield Rejected(refusals.MALFORMED_CSV, str(error))
        else:
            yield text if isinstance(text, Rejected) else row


def _text(raw: bytes) -> str | Rejected:
    if b"\0" in raw:
        return Rejected(refusals.CONTROL_CHARACTER, f"NUL at byte {raw.index(0)}")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        return Rejected(refusals.INVALID_UTF8, f"byte 0x{raw[error.start]:02x} at {error.start}: {error.reason}")


def _record(row: list[str], header: list[str]) -> dict[str, str] | Rejected:
    if len(row) != len(header):
        return Rejected(refusals.MALFORMED_CSV, f"expected {len(header)} fields as in the header, found {len(row)}")
    return dict(zip(header, row, strict=True))
