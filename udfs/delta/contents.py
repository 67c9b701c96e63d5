"""Does a published version hold what its commit recorded? Files, rows and digest, read by Arrow in bounded memory.

A version stays readable as long as its data files and commit files are kept. How long is a property of the ``dataset``
table (``delta.deletedFileRetentionDuration``, ``delta.logRetentionDuration``), set to years when it is first published,
so that a plain VACUUM removes no version that matters. A VACUUM with a shorter retention has to be told what to keep:
``DeltaTable.vacuum(..., keep_versions=sorted(jobs.pins.pinned_versions(lake)))``.
"""

from collections.abc import Iterator
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable
from pyarrow import dataset as ds

from conf import tables
from udfs import digest
from udfs.delta.lake import UNREADABLE, LakeError, open_table, read_table_log, reading, scan
from udfs.delta.versions import Version

BATCH_ROWS = 1024
"""Rows read at a time: a few MB of chat; 2 GB (Arrow's limit of one string column) only at 2 MB a conversation."""
CHECKED = ["conversation_id", "source", "messages", "split", "digest"]
"""The columns the dataset digest covers."""
CHECKSUMS = ds.ParquetFragmentScanOptions(page_checksum_verification=True)
"""Spark writes a checksum with every Parquet page: a flipped bit in any column that is read is an error."""


def open_version(version: Version) -> DeltaTable:
    """The dataset at ``version``, its log whole and every data file there at its full size.

    Raises LakeError that names the files missing or cut short. Their content is checked by ``verify``.
    """
    log = read_table_log(version.lake, tables.DATASET)
    table = open_table(version.lake, log, version.version)
    with reading(f"version {version.version} of table {tables.DATASET}"):
        files = pa.table(table.get_add_actions(flatten=True))
        names = [f"{tables.DATASET}/{unquote(path)}" for path in files["path"].to_pylist()]
        sizes = files["size_bytes"].to_pylist()
        found = {info.path: info.size for info in log.folder.get_file_info(names)}
    _check_files(version, {name: (size, found[name]) for name, size in zip(names, sizes, strict=True)})
    _check_rows(version, files)
    return table


def read_batches(table: DeltaTable, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """The rows of an opened table in the order of its files by name, at most ``BATCH_ROWS`` at a time.

    Memory is bounded by one row group of one file. A file that cannot be read is a LakeError with its name.
    """
    rows = scan(table)
    for fragment in sorted(rows.get_fragments(), key=lambda fragment: fragment.path):
        with reading(f"data file {fragment.path}"):
            yield from fragment.to_batches(
                schema=rows.schema, columns=columns, batch_size=BATCH_ROWS, fragment_scan_options=CHECKSUMS
            )


def verify(version: Version, table: DeltaTable) -> str:
    """Recompute the dataset digest of ``table`` from its messages, in one pass; return it.

    Raises LakeError if a row's messages do not have the digest stored beside them, or if the whole differs from
    what the commit of ``version`` recorded. The digest does not cover ``copies``, ``model`` and ``language``: those are
    read too, and held to their files' page checksums.
    """
    columns = {field.name for field in table.schema().fields}
    missing = [name for name in CHECKED if name not in columns]
    if missing:
        raise _damaged(version, f"expected columns {', '.join(CHECKED)}; {_some(missing)} not found")
    rows, sums = 0, np.zeros(digest.LANES, dtype=np.uint64)
    for batch in read_batches(table):
        _check_messages(version, batch)
        rows += batch.num_rows
        sums += _row_lanes(batch).sum(axis=0, dtype=np.uint64)
    found = digest.write(rows, sums.tolist())
    if found != version.digest:
        raise _damaged(
            version,
            f"expected {version.digest}, found {found}: these are not the rows that were published. Restore the table "
            "from a backup, or use another version",
        )
    return found


def content_digests(messages: pa.ListArray) -> pa.Array:
    """The content digest of each list of messages (none of them null)."""
    flat = messages.flatten()
    offsets = messages.offsets.to_numpy()
    return digest.conversations(flat.field("role"), flat.field("content"), offsets - offsets[0])


def _check_messages(version: Version, batch: pa.RecordBatch) -> None:
    """Every value the digest needs is there, and every row's messages have the digest stored with them."""
    nulls = [name for name in CHECKED if batch[name].null_count]
    if nulls:
        raise _damaged(version, f"expected no nulls, found some in {_some(nulls)}")
    found = content_digests(batch["messages"])
    differs = pc.not_equal(found, batch["digest"])
    first = pc.index(differs, True).as_py()
    if first >= 0:
        name, expected = batch["conversation_id"][first], batch["digest"][first]
        raise _damaged(
            version,
            f"the messages of conversation {name} were changed: expected digest {expected}, found {found[first]}",
        )


def _row_lanes(batch: pa.RecordBatch) -> np.ndarray:
    names = ("conversation_id", "source", "split", "digest")
    values = zip(*(batch[name].to_pylist() for name in names), strict=True)
    digests = b"".join(digest.row(*row) for row in values)
    return digest.lanes(np.frombuffer(digests, dtype=np.uint8).reshape(-1, 32))


def _check_files(version: Version, files: dict[str, tuple[int, int | None]]) -> None:
    """Every file (name -> bytes as committed, bytes found or None) is there in full."""
    wrong = [
        f"{name} ({'missing' if found is None else f'{found} of {size} bytes'})"
        for name, (size, found) in sorted(files.items())
        if found != size
    ]
    if wrong:
        raise _damaged(
            version,
            f"{len(wrong)} of {len(files)} data files are not as written: {_some(wrong)}. A VACUUM may have removed "
            "them. Restore them from a backup of the lake, or use another version",
        )


def _check_rows(version: Version, files: pa.Table) -> None:
    """The files' own row counts add up to the recorded rows; a commit file cut between two lines fails here."""
    counts = files["num_records"]
    found = pc.sum(counts, min_count=0).as_py()
    if not counts.null_count and found != version.rows:
        raise _damaged(version, f"expected {version.rows} rows, found {found} in its {len(counts)} files")


def _damaged(version: Version, problem: str) -> LakeError:
    return LakeError(f"version {version.version} of {version.lake} is damaged: {problem}.", UNREADABLE)


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
