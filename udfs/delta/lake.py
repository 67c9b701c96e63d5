"""Is this folder a lake, and can one of its tables be opened whole? Built on deltalake, no JVM.

A lake may be a local folder or on any store deltalake reads (``s3://``, ``s3a://``, ``gs://``, ``abfss://``,
``hdfs://``, ...); credentials come from the environment, as deltalake documents them.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError
from pyarrow import dataset as ds
from pyarrow import fs

from conf import tables
from udfs.delta.log import Log, find_damage, local_path, open_folder, read_log

NOISE = re.compile(r"\x1b\[[0-9;]*m|\u21b3")
FRAME = re.compile(r"\d+: ")
WRONG_CHOICE = 2
"""Exit code: the lake is fine, what was asked for is not in it."""
UNREADABLE = 5
"""Exit code: the lake, or a version in it, is missing or damaged."""


class LakeError(Exception):
    """What was asked of a lake cannot be given: why, what is there instead, what to do; and the exit code for it."""

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Every failure of the store or the file format in this block becomes a LakeError that names ``what``."""
    try:
        yield
    except (OSError, DeltaError, pa.ArrowException) as error:
        raise LakeError(f"cannot read {what}: {_one_line(error)}", UNREADABLE) from error


def open_lake(lake: str) -> fs.FileSystem:
    """The file system at the root of ``lake``. Raises LakeError if that is no lake of this layout."""
    path = local_path(lake)
    if path is not None and not path.is_dir():
        raise LakeError(f"no lake at {lake}: there is no such folder. Check --lake.", WRONG_CHOICE)
    with reading(lake):
        folder = open_folder(lake)
        if folder.get_file_info(tables.MARKER).type == fs.FileType.NotFound:
            raise LakeError(
                f"{lake} is not a lake: it has no {tables.MARKER}. Check --lake; `winnow ingest` makes a new lake.",
                WRONG_CHOICE,
            )
        with folder.open_input_stream(tables.MARKER) as stream:
            check_layout(lake, stream.read())
    return folder


def check_layout(lake: str, marker: str | bytes) -> None:
    """Raise :class:`LakeError` unless this is the text of the marker of a lake in today's layout."""
    try:
        layout = json.loads(marker)["layout"]
    except (ValueError, KeyError, TypeError):
        raise LakeError(
            f'{lake}/{tables.MARKER} is damaged: expected {{"layout": {tables.LAYOUT}}}, found {marker[:80]!r}.',
            UNREADABLE,
        ) from None
    if layout != tables.LAYOUT:
        raise LakeError(
            f"{lake} has layout {layout}, this winnow reads layout {tables.LAYOUT}. Use the winnow that wrote it, or "
            "make a new lake from the same files.",
            WRONG_CHOICE,
        )


def read_table_log(lake: str, table: str) -> Log:
    """The log of one table of ``lake``; empty where the table does not exist yet."""
    folder = open_lake(lake)
    with reading(lake):
        return read_log(folder, table)


def open_table(lake: str, log: Log, version: int) -> DeltaTable:
    """The table of ``log`` at ``version``.

    Raises LakeError if a log file it needs is missing or damaged (deltalake opens some of those without a word) or
    if the table uses column mapping (deltalake then reads every value as null).
    """
    with reading(f"version {version} of table {log.table}"):
        damage = find_damage(log, version)
        if damage:
            raise LakeError(
                f"version {version} of table {log.table} cannot be rebuilt: {damage}. Restore that file from a backup "
                "of the lake, or use another version.",
                UNREADABLE,
            )
        table = DeltaTable(table_uri(lake, log.table), version=version)
        mapping = table.metadata().configuration.get("delta.columnMapping.mode") or "none"
    if mapping != "none":
        raise LakeError(
            f"table {log.table} has delta.columnMapping.mode = {mapping}, which deltalake would read as nulls. "
            "Write the table again without column mapping.",
            UNREADABLE,
        )
    return table


def table_uri(lake: str, table: str) -> str:
    """Where a table of ``lake`` is, for deltalake."""
    path = local_path(lake)
    return f"{lake.rstrip('/')}/{table}" if path is None else str(path / table)


def scan(table: DeltaTable) -> ds.Dataset:
    """The rows of an opened table, to be read by Arrow."""
    uri = table.table_uri
    return table.to_pyarrow_dataset(filesystem=None if local_path(uri) is None else open_folder(uri))


def read_rows(
    lake: str,
    table: str,
    version: int | None = None,
    where: ds.Expression | None = None,
    columns: list[str] | None = None,
) -> list[dict[str, Any]]:
    """The rows of a table at a version (default: the newest) that meet a condition, in no order; none before its first
    commit (-1). Of row groups without such a row no more is read than what the condition is about."""
    log = read_table_log(lake, table)
    at = log.newest if version is None else version
    if at < 0:
        return []
    rows = scan(open_table(lake, log, at))
    with _reading_version(table, at):
        if where is None:
            return list(rows.to_table(columns, use_threads=False).to_pylist())
        groups = (group for fragment in rows.get_fragments(where) for group in fragment.split_by_row_group(where))
        holding = (group for group in groups if _count(group, rows.schema, where))
        found = (group.to_table(rows.schema, columns, where, use_threads=False).to_pylist() for group in holding)
        return [row for some in found for row in some]


@contextmanager
def _reading_version(table: str, version: int) -> Iterator[None]:
    """As ``reading``; a file that is gone is told as what most likely became of it."""
    with reading(f"version {version} of table {table}"):
        try:
            yield
        except FileNotFoundError as error:
            raise LakeError(
                f"version {version} of table {table} can no longer be read: files of it are gone, as after a VACUUM "
                f"({_one_line(error)}). Name a newer version; a VACUUM with a longer retention would have kept them.",
                UNREADABLE,
            ) from error


def _count(rows: ds.Fragment, schema: pa.Schema, where: ds.Expression) -> int:
    return int(rows.scanner(schema, columns=[], filter=where, use_threads=False).count_rows())


def _one_line(error: Exception) -> str:
    """The error and its causes, which deltalake tells on lines of their own, without colours and stack frames."""
    lines = (NOISE.sub("", line).strip() for line in str(error).splitlines())
    told = "; ".join(takewhile(lambda line: not FRAME.match(line), filter(None, lines)))
    return told[:400] or type(error).__name__
