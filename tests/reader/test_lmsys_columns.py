"""Do columns straight to columns give the rows that reading record by record gives?"""

import copy
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conf.settings import Input
from jobs.reader import lmsys_columns
from tests.formats.records import CATEGORIES, RECORDS, SCORES
from tests.reader.reading import Reading, read

ROOT = os.environ.get("WINNOW_REAL_DATA", "")
MESSAGE = pa.struct([("content", pa.string()), ("role", pa.string())])
LABEL = pa.struct(
    [
        ("categories", pa.struct([(name, pa.bool_()) for name in CATEGORIES])),
        ("category_scores", pa.struct([(name, pa.float64()) for name in SCORES])),
        ("flagged", pa.bool_()),
    ]
)
SCHEMA = pa.schema(
    {
        "conversation_id": pa.string(),
        "model": pa.string(),
        "conversation": pa.list_(MESSAGE),
        "turn": pa.int64(),
        "language": pa.string(),
        "openai_moderation": pa.list_(LABEL),
        "redacted": pa.bool_(),
    }
)


def changed(**values: object) -> dict:
    return copy.deepcopy(RECORDS["lmsys"]) | values


def spoken(*messages: tuple[str | None, str | None]) -> dict:
    labels = RECORDS["lmsys"]["openai_moderation"][:1] * len(messages)
    talk = [{"role": role, "content": content} for role, content in messages]
    return changed(conversation=talk, openai_moderation=labels)


def labelled(**values: object) -> dict:
    label = RECORDS["lmsys"]["openai_moderation"][0]
    return changed(openai_moderation=[label | values, label])


ROWS = {
    "sound": changed(),
    "another": changed(conversation_id="c2", model="m", redacted=False, turn=7),
    "empty text": spoken(("user", ""), ("assistant", "Hello")),
    "an alias of a role": spoken(("Human", "Hi"), ("assistant", "Hello")),
    "an unknown role": spoken(
        ("narrator", "Hi"),
    ),
    "no role": spoken(
        (None, "Hi"),
    ),
    "no text": spoken(
        ("user", None),
    ),
    "no messages": changed(conversation=[]),
    "null messages": changed(conversation=None),
    "a null message": changed(conversation=[None, RECORDS["lmsys"]["conversation"][0]]),
    "no id": changed(conversation_id=None),
    "empty id": changed(conversation_id=""),
    "no model": changed(model=None),
    "no language": changed(language=None),
    "not said to be redacted": changed(redacted=None),
    "no turn": changed(turn=None),
    "no moderation": changed(openai_moderation=None),
    "empty moderation": changed(openai_moderation=[]),
    "too few labels": changed(openai_moderation=RECORDS["lmsys"]["openai_moderation"][:1]),
    "a null label": changed(openai_moderation=[None, RECORDS["lmsys"]["openai_moderation"][0]]),
    "null flagged": labelled(flagged=None),
    "null categories": labelled(categories=None),
    "a null score": labelled(category_scores={"hate": None, "self-harm/intent": 0.5}),
    "a score that is no number": labelled(category_scores={"hate": float("nan"), "self-harm/intent": 0.5}),
    "all true": labelled(categories=dict.fromkeys(CATEGORIES, True)),
    "too large": spoken(("user", "x" * 70_000), ("assistant", "Hello")),
    "nearly too large": spoken(("user", "x" * 58_000), ("assistant", "Hello")),
}
OPTIONS = Input(format="lmsys", max_record_bytes=60_000)


def both(path: Path, table: pa.Table, options: Input) -> tuple[Reading, Reading]:
    """The table read by columns, and with a column the schema does not have, so record by record."""
    beside = path.with_name("beside.parquet")
    pq.write_table(table, path)
    pq.write_table(table.append_column("beside", pa.nulls(table.num_rows)), beside)
    assert lmsys_columns.fits(pq.read_schema(path)) and not lmsys_columns.fits(pq.read_schema(beside))
    found = [read(path, options), read(beside, options)]
    for reading in found:
        for row in (*reading.rows, *reading.refused, *reading.seen):
            row["file"], row["bytes"] = "", None
            row["digest"] = row["digest"] if row["kind"] == "row" else None
            row["metadata"] = json.loads(row["metadata"]) if row["metadata"] else None
            row["sample"] = None
    return found[0], found[1]


def test_every_odd_row_comes_out_as_record_by_record(tmp_path: Path):
    by_column, by_record = both(tmp_path / "a.parquet", pa.Table.from_pylist(list(ROWS.values()), SCHEMA), OPTIONS)
    assert repr(by_column.rows) == repr(by_record.rows)
    assert by_column.reasons() == by_record.reasons() and by_column.seen == by_record.seen
    refused = {list(ROWS)[number]: reason for number, reason in by_column.reasons()}
    assert refused["an unknown role"] == "unknown_role" and refused["too large"] == "record_too_large"
    assert refused["too few labels"] == "wrong_type" and refused["no messages"] == "empty_conversation"
    assert by_column.is_whole() and len(by_column.rows) + len(refused) == len(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_lone_odd_row_does_not_break_its_batch(tmp_path: Path, name: str):
    by_column, by_record = both(tmp_path / "a.parquet", pa.Table.from_pylist([ROWS[name]], SCHEMA), OPTIONS)
    assert repr(by_column.rows) == repr(by_record.rows) and by_column.reasons() == by_record.reasons()


@pytest.mark.parametrize("field", ["content", "model"])
def test_a_row_that_is_not_utf8_is_refused_and_the_others_are_read(tmp_path: Path, field: str):
    rows = [changed(conversation_id=f"c{n}") for n in range(30)]
    rows[3]["model"], rows[3]["conversation"][0]["content"] = ("@@@@@@", "Hi") if field == "model" else ("m", "@@@@@@")
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path, compression="NONE", use_dictionary=False)
    path.write_bytes(path.read_bytes().replace(b"@@@@@@", b"\xff@@@@@"))
    found = read(path)
    assert found.reasons() == [(3, "invalid_utf8")] and len(found.rows) == 29 and found.is_whole()


@pytest.mark.parametrize("kind", [pa.map_(pa.string(), pa.bool_()), pa.struct([("hate", pa.string())])])
def test_another_shape_of_labels_is_read_record_by_record(tmp_path: Path, kind: pa.DataType):
    label = pa.struct([("categories", kind), ("category_scores", LABEL[1].type), ("flagged", pa.bool_())])
    other = SCHEMA.set(5, pa.field("openai_moderation", pa.list_(label)))
    record = changed(openai_moderation=None)
    pq.write_table(pa.Table.from_pylist([record], other), tmp_path / "a.parquet")
    assert not lmsys_columns.fits(other) and len(read(tmp_path / "a.parquet").rows) == 1


@pytest.mark.skipif(not ROOT, reason="WINNOW_REAL_DATA is not set")
def test_real_records_come_out_alike(tmp_path: Path):
    [first, *_] = sorted((Path(ROOT) / "corpus_10k" / "data").glob("*.parquet"))
    table = pq.ParquetFile(first).read_row_group(0).slice(0, 2000)
    by_column, by_record = both(tmp_path / "a.parquet", table, Input())
    assert by_column.rows == by_record.rows and len(by_column.rows) == table.num_rows
