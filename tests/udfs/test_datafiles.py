"""Files of a table, read in shares and written again: every row once, and no row counts before its commit."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import given
from hypothesis import strategies as st

from udfs.delta import datafiles
from udfs.delta.datafiles import DataFile, Share

SAID = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string()), ("name", pa.string())]))
SCHEMA = pa.schema([("id", pa.int64()), ("messages", SAID), ("other", pa.string())])
OUT = pa.schema([("id", pa.int64()), ("value", pa.binary())])


def source(path: Path, rows: int) -> Share:
    messages = [[{"role": "user", "content": f"text {row}", "name": "n"}] * (row % 3) for row in range(rows)]
    table = pa.table({"id": range(rows), "messages": messages, "other": ["x"] * rows}, SCHEMA)
    pq.write_table(table, path, row_group_size=7)
    return Share(str(path), path.stat().st_size)


def batch(*ids: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"id": ids, "value": [b"v" * each for each in ids]}, OUT)


def written(folder: Path, *batches: pa.RecordBatch) -> DataFile:
    made = datafiles.write(folder, batches, OUT)
    assert made is not None
    return made


@given(st.integers(0, 40), st.integers(1, 9), st.integers(1, 12))
def test_shares_have_every_row_once(tmp_path_factory: pytest.TempPathFactory, rows: int, size: int, least: int) -> None:
    file = source(tmp_path_factory.mktemp("files") / "one.parquet", rows)
    dealt = datafiles.shares([file._replace(bytes=1 << 30)], least)
    assert len(dealt) == least
    found = [each["id"].to_pylist() for share in dealt for each in datafiles.read(share, ["id"], size)]
    assert sorted(row for each in found for row in each) == list(range(rows))
    assert all(len(each) <= size for each in found)


def test_as_many_files_as_are_wanted_are_not_divided() -> None:
    files = [Share("a", 10 << 20), Share("b", 20 << 20)]
    assert datafiles.shares(files, 2) == files
    assert datafiles.shares([], 4) == []


def test_small_files_are_not_divided_however_many_cores_wait() -> None:
    small, large = Share("a", 5 << 20), Share("b", 40 << 20)
    dealt = datafiles.shares([small, large], 128)
    assert [share for share in dealt if share.path == "a"] == [small]
    assert [(share.first, share.of) for share in dealt if share.path == "b"] == [(first, 10) for first in range(10)]


def test_batches_end_with_row_groups_and_are_smaller_where_rows_are_large(tmp_path: Path) -> None:
    share = source(tmp_path / "one.parquet", 20)
    assert [len(batch) for batch in datafiles.read(share, ["id"], 100)] == [7, 7, 6]
    large = pa.table({"id": range(20), "text": [chr(97 + row) * (8 << 20) for row in range(20)]})
    pq.write_table(large, tmp_path / "large.parquet", use_dictionary=False)
    share = Share(str(tmp_path / "large.parquet"), 1)
    assert max(batch.nbytes for batch in datafiles.read(share, ["id", "text"], 100)) <= 65 << 20
    assert [row for batch in datafiles.read(share, ["id"], 100) for row in batch["id"].to_pylist()] == list(range(20))


def test_of_a_nested_column_only_the_fields_asked_for_are_read(tmp_path: Path) -> None:
    share = source(tmp_path / "one.parquet", 5)
    (found,) = datafiles.read(share, ["id", "messages.role", "messages.content"], 100)
    assert found.schema.names == ["id", "messages"]
    assert found["messages"].to_pylist()[2] == [{"role": "user", "content": "text 2"}] * 2


def test_files_count_from_their_commit_on_and_older_versions_stay(tmp_path: Path) -> None:
    folder = tmp_path / "a table, né"
    first = written(folder, batch(1, 2), batch(), batch(3))
    assert first.rows == 3 and first.bytes == (folder / first.name).stat().st_size
    assert not DeltaTable.is_deltatable(str(folder))
    settings = {"delta.logRetentionDuration": "interval 3650 days"}
    datafiles.commit(folder, [first], OUT, "overwrite", '{"run_id": "a"}', settings)
    written(folder, batch(9))  # of a run that was killed: nobody commits it
    datafiles.commit(folder, [written(folder, batch(4))], OUT, "append", '{"run_id": "b"}', settings)
    datafiles.commit(folder, [written(folder, batch(5))], OUT, "overwrite", '{"run_id": "c"}', settings)
    versions = [DeltaTable(folder, version=version) for version in range(3)]
    rows = [sorted(each.to_pyarrow_table()["id"].to_pylist()) for each in versions]
    assert rows == [[1, 2, 3], [1, 2, 3, 4], [5]]
    assert versions[2].metadata().configuration == settings
    told = [each["userMetadata"] for each in versions[2].history()]
    assert told == ['{"run_id": "c"}', '{"run_id": "b"}', '{"run_id": "a"}']


def test_files_since_a_version_are_those_that_came_after_it(tmp_path: Path) -> None:
    made = []
    for number in range(3):
        made.append(written(tmp_path, batch(number)))
        datafiles.commit(tmp_path, made[-1:], OUT, "append", "{}", {})
    paths = [Share(str(tmp_path / each.name), each.bytes) for each in made]
    assert datafiles.plain_files(tmp_path, 2) == sorted(paths)
    assert datafiles.plain_files(tmp_path, 2, 0) == sorted(paths[1:])
    assert datafiles.plain_files(tmp_path, 1, 0) == [paths[1]]


def test_many_batches_are_written_in_groups(tmp_path: Path) -> None:
    values = [bytes([row]) * (8 << 20) for row in range(20)]
    batches = (pa.RecordBatch.from_pydict({"id": [row], "value": [value]}, OUT) for row, value in enumerate(values))
    made = written(tmp_path, *batches)
    file = pq.ParquetFile(tmp_path / made.name)
    assert 1 < file.num_row_groups < 20
    assert file.read()["id"].to_pylist() == list(range(20)) and made.rows == 20
    assert datafiles.write(tmp_path, [batch()], OUT) is None
    assert [path.name for path in tmp_path.iterdir()] == [made.name]
