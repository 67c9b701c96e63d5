"""Parquet files by row groups: columns straight to columns where the schema allows, record by record elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from conf.settings import Input
from jobs import formats
from jobs.formats import conversation as reasons
from jobs.formats.conversation import Rejected
from jobs.reader import lmsys_columns, rows
from jobs.reader.collect import Parsed, as_json, collect
from jobs.reader.files import locate
from jobs.reader.rows import Place, Rows

_BATCH = 2000
_DETECT = 20


def read(path: str, start: int, end: int, first: int, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    """Row groups ``start`` to ``end`` of one file in the staged schema; record numbers count rows, ``first`` first.

    Raises :class:`Rejected` with a file reason for a file that is damaged anywhere in those groups.
    """
    system, inner = locate(path)
    with system.open_input_file(inner) as file:
        yield from _read(file, range(start, end), first, place, options)


def read_bytes(data: bytes, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    """All of a parquet file that lies in an archive."""
    yield from _read(pa.BufferReader(data), None, 0, place, options)


def _read(file: Any, groups: range | None, number: int, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    with _damage():
        source = pq.ParquetFile(file, page_checksum_verification=True)
        known = _format_of(source, options)
    place = place._replace(format=known.NAME if known else "")
    wanted = list(groups if groups is not None else range(source.num_row_groups))
    count, size = 0, sum(source.metadata.row_group(group).total_byte_size for group in wanted)
    for batch in _batches(source, wanted):
        yield from _batch(batch, known, number + count, place, options)
        count += batch.num_rows
    yield rows.summary(place, count, size)


def _batches(source: pq.ParquetFile, groups: list[int]) -> Iterator[pa.RecordBatch]:
    with _damage():
        found = source.iter_batches(_BATCH, row_groups=groups)
    while True:
        with _damage():
            batch = next(found, None)
        if batch is None:
            return
        yield batch


@contextmanager
def _damage() -> Iterator[None]:
    """What pyarrow cannot decode is a damaged file."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise Rejected(reasons.CORRUPT_FILE, str(error)[:400]) from error


def _format_of(source: pq.ParquetFile, options: Input) -> Any:
    if options.format != "auto":
        return formats.named(options.format)
    head = next(source.iter_batches(_DETECT), None)
    return formats.detect(head.to_pylist()) if head is not None and head.num_rows else None


def _batch(batch: pa.RecordBatch, known: Any, first: int, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    collected = Rows(place)
    if known is formats.lmsys and lmsys_columns.fits(batch.schema):
        sound, doubtful = lmsys_columns.divide(batch, options.max_record_bytes)
        yield lmsys_columns.convert(batch, sound, first, place)
    else:
        doubtful = list(range(batch.num_rows))
    if doubtful:
        yield from collect(_parsed(batch, doubtful, first, options), known, collected, options)
        yield from filter(None, [collected.take()])


def _parsed(batch: pa.RecordBatch, which: list[int], first: int, options: Input) -> Iterator[Parsed]:
    for index in which:
        row = batch.slice(index, 1)
        try:
            record: Any = row.to_pylist()[0]
        except UnicodeDecodeError as error:
            record = Rejected(reasons.INVALID_UTF8, str(error))
        raw = b"" if isinstance(record, dict) else str(record).encode()
        if row.nbytes > options.max_record_bytes:
            size = f"{row.nbytes:,} bytes, the limit is input.max_record_bytes = {options.max_record_bytes:,}"
            raw, record = as_json(record), Rejected(reasons.TOO_LARGE, size)
        yield first + index, -1, raw, record
