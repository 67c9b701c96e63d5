"""Parquet files by row groups: columns straight to columns where the schema allows, record by record elsewhere."""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from conf.settings import Input
from jobs import formats, refusals
from jobs.files import locate
from jobs.reader import containers, lmsys_columns, rows, texts
from jobs.reader.collect import Parsed, as_json, collect
from jobs.reader.rows import Place, Rows
from jobs.refusals import Rejected

_BATCH_ROWS = 2000
_BATCH_BYTES = 64 << 20
_DETECT = 20


def read(path: str, start: int, end: int, first: int, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    """Row groups ``start`` to ``end`` (-1: the last) of one file in the staged schema; record numbers count rows,
    ``first`` first.

    Raises :class:`Rejected` with a file reason for a file that is damaged anywhere in those groups.
    """
    system, inner = locate(path)
    with system.open_input_file(inner) as file:
        yield from _read(file, file.size(), slice(start, end if end >= 0 else None), first, place, options)


def read_stream(stream: IO[bytes], place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    """All of a parquet file that lies in an archive, by way of a temporary file: it is read from its end."""
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(stream, file)
        yield from _read(file, file.tell(), slice(None), 0, place, options)


def _read(file: Any, size: int, which: slice, first: int, place: Place, options: Input) -> Iterator[pa.RecordBatch]:
    with _damage():
        source = pq.ParquetFile(file, page_checksum_verification=True)
        _require_sound(source, size, options)
        known = _format_of(source, options)
    collected, number = Rows(place._replace(format=known.NAME if known else "")), first
    groups = range(source.num_row_groups)[which]
    for batch in _batches(source, groups):
        yield from _batch(batch, known, number, collected, options)
        number += batch.num_rows
    yield from collected.take()
    yield rows.summary(collected.place, number - first, _expanded(source.metadata, groups))


def _expanded(metadata: pq.FileMetaData, groups: Sequence[int]) -> int:
    return sum(metadata.row_group(group).total_byte_size for group in groups)


def _require_sound(source: pq.ParquetFile, size: int, options: Input) -> None:
    """Names that are told apart, row groups with all rows, and no more of them or bytes than a file of this size may
    hold."""
    names, metadata = source.schema_arrow.names, source.metadata
    if len(set(names)) < len(names):
        raise Rejected(refusals.CORRUPT_FILE, "two columns have one name")
    held = sum(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups))
    if held != metadata.num_rows:
        raise Rejected(refusals.CORRUPT_FILE, f"{metadata.num_rows:,} rows by its footer, {held:,} in its row groups")
    limits = containers.Limits(options.max_expansion, options.max_expanded_bytes)
    allowed = containers.allowed(size, limits)
    claimed = max(metadata.num_rows, _expanded(metadata, range(source.num_row_groups)))
    if claimed > allowed:
        raise containers.bomb(allowed)


def _batches(source: pq.ParquetFile, groups: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """The groups' rows, in batches of about 64 MB at most, with text for bytes that are text."""
    for group in groups:
        of = source.metadata.row_group(group)
        count = max(1, min(_BATCH_ROWS, _BATCH_BYTES * of.num_rows // max(of.total_byte_size, 1)))
        with _damage():
            found = source.iter_batches(count, row_groups=[group])
        while True:
            with _damage():
                batch = next(found, None)
            if batch is None:
                break
            yield texts.as_text(batch)


@contextmanager
def _damage() -> Iterator[None]:
    """What pyarrow cannot decode is a damaged file; what the system cannot read is not."""
    try:
        yield
    except (pa.ArrowException, UnicodeDecodeError) as error:  # a name may be damaged too
        raise Rejected(refusals.CORRUPT_FILE, str(error)[:400]) from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise Rejected(refusals.CORRUPT_FILE, str(error)[:400]) from error


def _format_of(source: pq.ParquetFile, options: Input) -> ModuleType | None:
    if options.format != "auto":
        return formats.named(options.format)
    if lmsys_columns.fits(source.schema_arrow):
        return formats.lmsys
    if not source.metadata.num_rows:
        return None
    head = texts.as_text(next(source.iter_batches(_DETECT)))
    return formats.detect([record for record in _records(head) if isinstance(record, dict)])


def _batch(
    batch: pa.RecordBatch, known: ModuleType | None, first: int, collected: Rows, options: Input
) -> Iterator[pa.RecordBatch]:
    doubtful: Sequence[int] = range(batch.num_rows)
    if known is formats.lmsys and lmsys_columns.fits(batch.schema):
        sound, doubtful = lmsys_columns.divide(batch, options.max_record_bytes)
        if sound:
            yield lmsys_columns.convert(batch, sound, first, collected.place)
    if len(doubtful):
        yield from collect(_parsed(batch, doubtful, first, options.max_record_bytes), known, collected, options)
        yield from collected.take()


def _parsed(batch: pa.RecordBatch, which: Sequence[int], first: int, limit: int) -> Iterator[Parsed]:
    picked = batch if len(which) == batch.num_rows else batch.take(pa.array(which, pa.int64()))
    are_small = picked.nbytes <= limit
    for place, (index, record) in enumerate(zip(which, _records(picked), strict=True)):
        raw = b"" if isinstance(record, dict) else str(record).encode()
        if not are_small and (size := picked.slice(place, 1).nbytes) > limit:
            detail = f"{size:,} bytes, the limit is input.max_record_bytes = {limit:,}"
            raw, record = as_json(record), Rejected(refusals.TOO_LARGE, detail)
        yield first + index, -1, raw, record


def _records(batch: pa.RecordBatch) -> list[dict[str, Any] | Rejected]:
    """The rows as Python values; a row that has none says why."""
    try:
        return batch.to_pylist()
    except (ValueError, OverflowError, pa.ArrowException):
        return [_record(batch.slice(index, 1)) for index in range(batch.num_rows)]


def _record(row: pa.RecordBatch) -> dict[str, Any] | Rejected:
    try:
        return row.to_pylist()[0]
    except UnicodeDecodeError as error:
        return Rejected(refusals.INVALID_UTF8, str(error))
    except (ValueError, OverflowError, pa.ArrowException) as error:
        return Rejected(refusals.WRONG_TYPE, str(error)[:400])
