"""Is text read as text where a Parquet file says bytes, and are bytes that are none left alone?"""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conf.settings import Input
from jobs.reader import texts
from tests.museum import build
from tests.reader.reading import read

MESSAGES = pa.list_(pa.struct([("role", pa.binary()), ("content", pa.binary())]))


def _as_bytes(kind: pa.DataType) -> pa.DataType:
    """The type as a writer has it that annotates no text."""
    if pa.types.is_list(kind):
        return pa.list_(_as_bytes(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_as_bytes(field.type)) for field in kind])
    return pa.binary() if pa.types.is_string(kind) else kind


def _messages(count: int, **columns: pa.Array) -> pa.Table:
    talk = [
        [{"role": b"user", "content": b"Hi %d" % n}, {"role": b"assistant", "content": b"Hello"}] for n in range(count)
    ]
    return pa.table({"messages": pa.array(talk, MESSAGES), **columns})


@pytest.mark.parametrize("beside", [False, True])
def test_text_that_is_not_annotated_is_read_as_annotated_text_is(tmp_path: Path, beside: bool):
    table = pq.read_table(io.BytesIO(build.parquet(120)))
    table = table.append_column("beside", pa.array(["é"] * 120)) if beside else table
    plain = pa.schema([field.with_type(_as_bytes(field.type)) for field in table.schema])
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=50)
    pq.write_table(table.cast(plain), tmp_path / "b.parquet", row_group_size=50, store_schema=False)
    assert b"UTF8" not in str(pq.ParquetFile(tmp_path / "b.parquet").schema).encode()
    annotated, bare = read(tmp_path / "a.parquet"), read(tmp_path / "b.parquet")
    for row in (*annotated.rows, *bare.rows):
        row["file"] = ""
    assert bare.rows == annotated.rows and len(bare.rows) == 120 and bare.is_whole() and not bare.refused


@pytest.mark.parametrize("where", ["content", "model", "note"])
def test_a_row_whose_bytes_are_not_utf8_is_refused_and_the_others_are_read(tmp_path: Path, where: str):
    texts_of = pa.array([b"\xff" if n == 3 and where != "content" else b"x" for n in range(9)])
    table = _messages(9, **({where: texts_of} if where != "content" else {}))
    if where == "content":
        talk = table["messages"].to_pylist()
        talk[3][0]["content"] = b"caf\xe9"
        table = pa.table({"messages": pa.array(talk, MESSAGES)})
    pq.write_table(table, tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found.reasons() == [(3, "invalid_utf8")] and len(found.rows) == 8 and found.is_whole()


def test_a_file_whose_text_is_never_utf8_is_refused_row_by_row(tmp_path: Path):
    talk = [[{"role": b"user", "content": b"caf\xe9"}, {"role": b"assistant", "content": b"\xff"}]] * 3
    pq.write_table(pa.table({"messages": pa.array(talk, MESSAGES)}), tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet", Input(format="messages"))
    assert found.reasons() == [(n, "invalid_utf8") for n in range(3)] and found.is_whole()


def test_pictures_beside_text_refuse_no_row(tmp_path: Path):
    pictures = pa.array([b"\x89PNG\r\n%d" % n for n in range(5)])
    pq.write_table(_messages(5, picture=pictures), tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert len(found.rows) == 5 and not found.refused
    assert found.rows[0]["metadata"] == '{"picture":"\\\\x89PNG\\r\\n0"}'


_SHARED = pa.dictionary(pa.int32(), pa.string())


@pytest.mark.parametrize("kind", [_SHARED, pa.string_view(), pa.binary_view(), pa.struct([("content", _SHARED)])])
def test_a_row_is_as_large_as_its_own_text_where_rows_share_their_texts(tmp_path: Path, kind: pa.DataType):
    said = [f"{n} " * 300 for n in range(200)]
    if pa.types.is_struct(kind):
        talk = pa.StructArray.from_arrays([["user"] * 200, pa.array(said, _SHARED)], ["role", "content"])
        table = pa.table({"messages": pa.ListArray.from_arrays(list(range(201)), talk)})
    else:
        table = pa.table({"prompt": pa.array(said).cast(kind), "response": ["x"] * 200})
    pq.write_table(table, tmp_path / "a.parquet")
    assert pq.read_schema(tmp_path / "a.parquet").types == table.schema.types
    found = read(tmp_path / "a.parquet", Input(max_record_bytes=10_000))
    assert [row["messages"][0]["content"] for row in found.rows] == said and found.is_whole()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (pa.large_binary(), pa.large_string(), "é"),
        (pa.large_list(pa.binary()), pa.large_list(pa.string()), ["é", None]),
        (pa.map_(pa.binary(), pa.binary()), pa.map_(pa.string(), pa.string()), [("é", "x")]),
        (pa.binary(2), pa.binary(2), b"ab"),
        (pa.list_(pa.int64()), pa.list_(pa.int64()), [1]),
    ],
)
def test_bytes_become_text_at_every_depth_and_other_types_stay(kind: pa.DataType, text: pa.DataType, value: object):
    batch = pa.record_batch({"a": pa.array([value, None], text).cast(kind).slice(0, 1)})
    found = texts.as_text(batch).column(0)
    assert found.type == text and found.to_pylist() == [value]
