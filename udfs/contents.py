"""Does a published version hold what its commit recorded? Files, rows and digest, read by Arrow in bounded memory.

A version stays readable as long as its data files and commit files are kept. How long is a property of the ``dataset``
table (``delta.deletedFileRetentionDuration``, ``delta.logRetentionDuration``), set to years when it is first published,
so that a plain VACUUM removes no version that matters. A VACUUM with a shorter retention has to be told what to keep:
``DeltaTable.vacuum(..., keep_versions=sorted(jobs.versions.pinned_versions(lake)))``.
"""

from collections.abc import Iterator
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable
from pyarrow import dataset as ds

from conf import tables
from udfs import digest
from udfs.lake import UNREADABLE, VersionError, open_table, read_table_log, reading, scan
from udfs.versions import Version

BATCH_ROWS = 1024
"""Rows read at a time: a few MB of chat; 2 GB (Arrow's limit of one string column) only at 2 MB a conversation."""
CHECKED = ["conversation_id", "source", "messages", "split", "digest"]
"""The columns the dataset digest covers."""


def open_version(version: Version) -> DeltaTable:
    """The dataset at ``version``, its log whole and every data file there at its full size.

    Raises VersionError that names the files missing or cut short. Their content is checked by ``verify``.
    """
    log = read_table_log(version.lake, tables.DATASET)
    table = open_table(version.lake, log, version.version)
    with reading(f"version {version.version} of table {tables.DATASET}"):
        files = pa.table(table.get_add_actions(flatten=True))
        names = [f"{tables.DATASET}/{unquote(path)}" for path in files["path"].to_pylist()]
        found = {info.path: info.size for info in log.folder.get_file_info(names)}
    wrong = [
        f"{name} ({'missing' if found[name] is None else f'{found[name]} of {size} bytes'})"
        for name, size in sorted(zip(names, files["size_bytes"].to_pylist(), strict=True))
        if found[name] != size
    ]
    _check(not wrong, version, f"{len(wrong)} of {len(names)} data files are not as written: {_some(wrong)}. A VACUUM "
           "may have removed them. Restore them from a backup of the lake, or use another version")
    _check_rows(version, files)
    return table


def read_batches(table: DeltaTable, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of an opened table in the order of its files by name, at most ``BATCH_ROWS`` at a time.

    Memory is bounded by one row group of one file. A file that cannot be read is a VersionError with its name.
    """
    rows = scan(table)
    for fragment in sorted(rows.get_fragments(), key=lambda fragment: fragment.path):
        with reading(f"data file {fragment.path}"):
            yield from fragment.to_batches(schema=rows.schema, columns=columns, batch_size=BATCH_ROWS)


def verify(version: Version, table: DeltaTable) -> str:
    """Recompute the dataset digest of ``table`` from its messages, in one pass; return it.

    Raises VersionError if a row's messages do not have the digest stored beside them, or if the whole differs from
    what the commit of ``version`` recorded. ``copies``, ``model`` and ``language`` are not covered by the digest.
    """
    total = None
