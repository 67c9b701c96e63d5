"""What is known about the sample? Its planted copies and faults as two tables, and a note that says what they mean."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.refusals import CORRUPT_FILE
from jobs.sample.parts import TRUNCATED, WITH_IDS, Place
from jobs.sample.twins import Planted

FOLDER = "_truth"
TITLE = "Winnow sample: what was planted"
"""First line of the note; a folder with this note is a sample of ours."""

PLANTED = pa.schema(
    [("conversation_id", pa.string()), ("source_id", pa.string()), ("kind", pa.string()), ("jaccard", pa.float64())]
)
FAULTS = pa.schema(
    [
        ("file", pa.string()),
        ("record", pa.int64()),
        ("conversation_id", pa.string()),
        ("fault", pa.string()),
        ("reason", pa.string()),
    ]
)
README = f"""{TITLE}

Every text here was put together by a generator from sentences written for it. No text is a person's, every name,
company and model is invented, and addresses come from ranges reserved for examples.

planted.parquet   one row a planted near copy: conversation_id was made from source_id by an edit (kind).
                  jaccard is exact: sets of 5-grams over the tokens of all messages (case-folded, NFC; words, single
                  characters in Chinese). Copies have 0.7 or more; A decoy has 0.4 to 0.6.
faults.parquet    one row a planted fault: file and record (from 0; a CSV's header does not count), conversation_id
                  where the record carries one, fault, and the reason code when the record or file cannot be read.
                  record is null for a file that cannot be read as a whole.
"""


def is_ours(folder: Path) -> bool:
    """Does the folder hold a sample that this generator wrote, or began to write?"""
    note = folder / FOLDER / "README.txt"
    return note.is_file() and note.read_text(encoding="utf-8").startswith(TITLE)


def write_note(folder: Path) -> None:
    """The note alone: it marks the folder as ours before anything else is written."""
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    (folder / FOLDER / "README.txt").write_text(README, encoding="utf-8")


def write_tables(folder: Path, planted: list[Planted], places: list[Place]) -> None:
    """Both tables, in the order of the files."""
    rows = [_fault(place) for place in places if place.reason or (place.chat and place.chat.fault)]
    rows.append({"file": TRUNCATED, "fault": "truncated_file", "reason": CORRUPT_FILE})
    _write(folder / FOLDER / "planted.parquet", [row._asdict() for row in planted], PLANTED)
    _write(folder / FOLDER / "faults.parquet", rows, FAULTS)


def _fault(place: Place) -> dict[str, str | int | None]:
    chat = place.chat
    has_id = chat is not None and chat.home in WITH_IDS
    return {
        "file": place.file,
        "record": place.record,
        "conversation_id": chat.id if chat and has_id else None,
        "fault": chat.fault if chat else "broken_record",
        "reason": place.reason,
    }


def _write(path: Path, rows: list[dict], schema: pa.Schema) -> None:
    pq.write_table(pa.Table.from_pylist(rows, schema), path, compression="snappy", version="2.6")
