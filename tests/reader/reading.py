"""What the reader makes of a file, as plain values that tests compare."""

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from conf.settings import Input
from jobs import files
from jobs.reader import rows, survey
from jobs.reader.read import Split, read_split
from jobs.refusals import FILE_REASONS

PLACE = ("source", "file", "file_id", "format")


class Reading(NamedTuple):
    """Rows, refused records, refused files and summaries, each in order, as dicts."""

    rows: list[dict[str, Any]]
    refused: list[dict[str, Any]]
    failed: list[dict[str, Any]]
    seen: list[dict[str, Any]]

    def reasons(self) -> list[tuple[int, str]]:
        return [(row["record"], row["reason"]) for row in self.refused]

    def failures(self) -> Counter[str]:
        return Counter(row["reason"] for row in self.failed)

    def is_whole(self) -> bool:
        """Is every record of the summaries accounted for, once each?"""
        accounted = [(r["file"], r["record"]) for r in (*self.rows, *self.refused)]
        return len(set(accounted)) == sum(row["records"] for row in self.seen)


def read(path: Path | str, options: Input | None = None) -> Reading:
    """The file read as one split."""
    size = Path(path).stat().st_size if Path(path).is_file() else 0
    return read_splits([Split(str(path), "id", size)], options)


def survey_and_read(path: Path, options: Input) -> Reading:
    """The file read as ingest does it: surveyed in chunks, then split by split."""
    found = survey.chunks(files.find([str(path)]), options.split_bytes)
    return read_splits(survey.splits(survey.survey(chunk, options) for chunk in found), options)


def read_splits(splits: list[Split], options: Input | None = None) -> Reading:
    """The splits one after the other; every batch is valid and in the staged schema."""
    batches = [batch for split in splits for batch in read_split(split, options or Input())]
    for batch in batches:
        assert batch.schema == rows.ARROW
        batch.validate(full=True)
    found = pa.Table.from_batches(batches, rows.ARROW).to_pylist()
    refused = [row for row in found if row["kind"] == rows.REFUSED]
    failed = [row for row in refused if row["reason"] in FILE_REASONS]
    assert all(row["record"] is None for row in failed)
    return Reading(
        sorted((row for row in found if row["kind"] == rows.ROW), key=lambda row: (row["record"], row["part"])),
        sorted((row for row in refused if row not in failed), key=lambda row: row["record"]),
        failed,
        [row for row in found if row["kind"] == rows.FILE],
    )
