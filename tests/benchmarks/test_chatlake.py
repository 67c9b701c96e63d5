import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.chatlake import rows
from conf import tables
from conf.rules import Rules
from jobs.annotate import label
from jobs.tables import SCHEMAS

CHAT = [{"content": "Hello“", "role": "user"}, {"content": "As an AI, I greet you.", "role": "assistant"}]
SOURCE = {
    "conversation_id": ["a", "b"],
    "model": ["m", "m"],
    "conversation": [CHAT, CHAT],
    "turn": [1, 1],
    "language": ["English", "English"],
    "openai_moderation": [[{"flagged": True}, {"flagged": False}], [{"flagged": False}] * 2],
    "redacted": [False, True],
}


@pytest.fixture
def folder(tmp_path):
    pq.write_table(pa.table(SOURCE), tmp_path / "train-0.parquet")
    pq.write_table(pa.table({"conversation_id": ["c"]}), tmp_path / "truth.parquet")
    return str(tmp_path)


@pytest.mark.parametrize("table", [tables.CONVERSATIONS, tables.CONVERSATIONS_RAW])
def test_a_table_has_its_schema_and_the_texts_of_the_source(spark, folder, table):
    found = rows(spark, folder, table)
    assert [(field.name, field.dataType) for field in found.schema] == [(f.name, f.dataType) for f in SCHEMAS[table]]
    said = {row["conversation_id"]: [message["content"] for message in row["messages"]] for row in found.collect()}
    assert said == {name: [message["content"] for message in CHAT] for name in "ab"}
    assert rows(spark, folder, table, share=0.0).count() == 0


def test_annotate_takes_the_raw_rows(spark, folder):
    found = label(rows(spark, folder, tables.CONVERSATIONS_RAW), Rules()).orderBy("conversation_id").collect()
    assert [row["flagged"] for row in found] == [True, False]
    assert [row["redacted"] for row in found] == [False, True]
    assert found[0]["source_language"] == "English"
    assert found[0]["messages"][0]["content"] == 'Hello"'
