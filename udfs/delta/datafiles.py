"""The Parquet files of a table, read and written where they lie: rows go from file to kernel to file by Arrow alone.

For tables whose rows are large and are made by one pass of a kernel. A Spark task runs it on a share of the files;
afterwards the driver commits the files that all tasks wrote to the Delta log, in one commit.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, Schema
from deltalake.transaction import AddAction, CommitProperties, create_table_with_add_actions

FILE = pa.schema([("name", pa.string()), ("bytes", pa.int64()), ("rows", pa.int64())])
"""A :class:`DataFile` as a row."""
_SHARE_BYTES = 4 << 20
_BATCH_BYTES = 64 << 20
_GROUP_BYTES = 64 << 20


class Share(NamedTuple):
    """Of the batches of the file at ``path``, of ``bytes`` bytes, those from ``first`` on, one in ``of``."""

    path: str
    bytes: int
    first: int = 0
    of: int = 1


class DataFile(NamedTuple):
    """A file that was written: its name in the table's folder, its bytes, its rows."""

    name: str
    bytes: int
    rows: int


def shares(files: Sequence[Share], least: int) -> list[Share]:
    """These whole files in some ``least`` shares, so that few large files keep all cores busy; none of less than
    ``_SHARE_BYTES``. What a share leaves out is read all the same, at a tenth of what a kernel costs."""
    wanted = -(-least // max(len(files), 1))
    divided = [(file, max(1, min(wanted, file.bytes // _SHARE_BYTES))) for file in files]
    return [Share(file.path, file.bytes // of, first, of) for file, of in divided for first in range(of)]


def plain_files(folder: Path, version: int, since: int = -1) -> list[Share] | None:
    """The files of the table in the folder with the rows at ``version`` that version ``since`` has not. None where a
    row in a file may not be a row of the table: with deletion vectors or column mapping."""
    table = DeltaTable(folder, version=version)
    if not _is_plain(table):
        return None
    before = _sizes(DeltaTable(folder, version=since)) if since >= 0 else {}
    return [Share(str(folder / name), size) for name, size in sorted(_sizes(table).items()) if name not in before]


def takes_files(folder: Path) -> bool:
    """Can files be committed to the table in the folder, or is none there yet?"""
    return not DeltaTable.is_deltatable(str(folder)) or _is_plain(DeltaTable(folder))


def _is_plain(table: DeltaTable) -> bool:
    return table.protocol().min_reader_version == 1


def _sizes(table: DeltaTable) -> dict[str, int]:
    """The files of a table, by their names below its folder, with their bytes."""
    files = pa.table(table.get_add_actions(flatten=True)).select(["path", "size_bytes"])
    return {unquote(file["path"]): file["size_bytes"] for file in files.to_pylist()}


def read(share: Share, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """The batches of a share, of up to ``rows`` rows and some 64 MB, with these columns; of a nested one those fields
    that are named: ``messages.role`` is the field ``role`` of the elements of the list ``messages``. Raises OSError,
    with the path."""
    try:
        with pq.ParquetFile(share.path) as file:
            leaves = [file.schema.column(number).path for number in range(len(file.schema))]
            wanted = [leaf for leaf in leaves if _short(leaf) in columns]
            batches = (batch for group in range(file.num_row_groups) for batch in _batches(file, group, wanted, rows))
            yield from (batch for number, batch in enumerate(batches) if number % share.of == share.first)
    except (OSError, pa.ArrowException) as error:
        raise OSError(f"cannot read the data file {share.path}: {error}") from error


def _batches(file: pq.ParquetFile, group: int, columns: list[str], rows: int) -> Iterator[pa.RecordBatch]:
    """One row group's batches: fewer rows each where rows are large."""
    facts = file.metadata.row_group(group)
    fitting = _BATCH_BYTES * facts.num_rows // max(facts.total_byte_size, 1)
    return file.iter_batches(max(1, min(rows, fitting)), row_groups=[group], columns=columns, use_threads=False)


def _short(leaf: str) -> str:
    """``messages.list.element.role`` -> ``messages.role``."""
    names = leaf.split(".")
    return leaf if len(names) == 1 else f"{names[0]}.{names[-1]}"


def write(folder: Path, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> DataFile | None:
    """One new Parquet file in the folder with all these rows, if there are any. It is part of no table until it is
    committed."""
    path, rows = folder / f"part-{uuid.uuid4()}.snappy.parquet", 0
    folder.mkdir(parents=True, exist_ok=True)
    # No dictionaries: hashes and texts hardly ever repeat (0086). Binary columns are hashes, which nothing compresses.
    codecs = {field.name: "none" if pa.types.is_binary(field.type) else "snappy" for field in schema}
    options = {"use_dictionary": False, "write_statistics": False, "store_schema": False}
    with pq.ParquetWriter(path, schema, compression=codecs, **options) as writer:
        for group in groups(batches, _GROUP_BYTES):
            table = pa.Table.from_batches(group, schema)
            writer.write_table(table, row_group_size=len(table))
            rows += len(table)
    if not rows:
        path.unlink()
        return None
    return DataFile(path.name, path.stat().st_size, rows)


def write_as_row(batches: Iterable[pa.RecordBatch], folder: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """:func:`write`, the file being told as a row of ``FILE``. What may be null is for the schema to say, not for the
    batches."""
    ours = (pa.RecordBatch.from_arrays(batch.select(schema.names).columns, schema=schema) for batch in batches)
    made = write(folder, ours, schema)
    yield pa.RecordBatch.from_pylist([made._asdict()] if made else [], FILE)


def groups(batches: Iterable[pa.RecordBatch], least: int) -> Iterator[list[pa.RecordBatch]]:
    """The batches that have rows, in groups of ``least`` bytes and the rest of a batch."""
    group: list[pa.RecordBatch] = []
    size = 0
    for batch in filter(len, batches):
        group.append(batch)
        size += batch.nbytes
        if size >= least:
            yield group
            group, size = [], 0
    if group:
        yield group


def commit(
    folder: Path, files: Iterable[DataFile], schema: pa.Schema, mode: str, metadata: str, properties: Mapping[str, str]
) -> None:
    """Make the files, which lie in the folder, the table's rows (``mode`` overwrite) or further ones (append), in one
    commit with this ``userMetadata``. A table that does not exist is made, with these properties."""
    added = [
        AddAction(file.name, file.bytes, {}, _modified(folder / file.name), True, json.dumps({"numRecords": file.rows}))
        for file in files
    ]
    stamp = CommitProperties(custom_metadata={"userMetadata": metadata})
    kind = Schema.from_arrow(schema)
    if DeltaTable.is_deltatable(str(folder)):
        DeltaTable(folder).create_write_transaction(added, mode, kind, commit_properties=stamp)  # type: ignore[arg-type]
    else:
        create_table_with_add_actions(str(folder), kind, added, configuration=dict(properties), commit_properties=stamp)


def _modified(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000_000
