"""A lake's tables read by their files are those that Delta reads, whatever the folder is called."""

from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from conf import tables
from jobs.lake import Lake, Lineage, open_lake
from jobs.tables import SCHEMAS, frame
from udfs.delta.lake import LakeError

STAMP = Lineage("run", "job", "recipe", "digest", "0.1.0")


def pins(spark: SparkSession, *names: str) -> DataFrame:
    return frame(spark, [(name, 1, "digest", None, None) for name in names], SCHEMAS[tables.PINS])


def names(rows: DataFrame) -> list[str]:
    return sorted(row["name"] for row in rows.collect())


@pytest.fixture
def filled(spark: SparkSession, tmp_path: Path) -> Lake:
    """A lake with three versions of a table: two rows, one more, and other ones."""
    lake = open_lake(spark, str(tmp_path / "a [lake], {né} *?"), create=True)
    for mode, rows in (("append", "ab"), ("append", "c"), ("overwrite", "de")):
        lake.write(tables.PINS, pins(spark, *rows), STAMP, mode)
    return lake


def test_each_version_is_what_delta_reads(spark: SparkSession, filled: Lake) -> None:
    for version, expected in ((0, "ab"), (1, "abc"), (2, "de"), (None, "de")):
        delta = spark.read.format("delta").option("versionAsOf", 2 if version is None else version)
        expected_rows = delta.load(filled.table_path(tables.PINS))
        found = filled.read(tables.PINS, version)
        assert names(found) == names(expected_rows) == list(expected)
        assert found.schema == expected_rows.schema == SCHEMAS[tables.PINS]


def test_added_rows_are_those_of_the_new_files(spark: SparkSession, filled: Lake) -> None:
    filled.write(tables.PINS, pins(spark, "f"), STAMP)
    assert names(filled.added(tables.PINS, 2)) == ["f"] and names(filled.added(tables.PINS, -1)) == ["d", "e", "f"]


def test_a_table_whose_files_have_other_names_for_columns_is_read_by_delta(spark: SparkSession, filled: Lake) -> None:
    filled.write(tables.PINS, pins(spark, "f"), STAMP)
    place = f"delta.`{filled.table_path(tables.PINS)}`"
    spark.sql(f"ALTER TABLE {place} SET TBLPROPERTIES (delta.columnMapping.mode = 'name')")
    assert filled.files(tables.PINS, filled.version(tables.PINS)) is None
    assert names(filled.read(tables.PINS, 1)) == ["a", "b", "c"] and names(filled.read(tables.PINS)) == ["d", "e", "f"]


def test_a_row_of_runs_is_written_by_arrow_and_delta_reads_it(spark: SparkSession, tmp_path: Path) -> None:
    lake = open_lake(spark, str(tmp_path / "lake"), create=True)
    run = ("id", "job", "recipe", "{}", "digest", "0.1.0", {"a": 1}, {"b": -2}, {}, None, 1.5, None)
    lake.write(tables.RUNS, frame(spark, [run], SCHEMAS[tables.RUNS]), STAMP)
    (row,) = spark.read.format("delta").load(lake.table_path(tables.RUNS)).collect()
    assert tuple(row) == run and row == lake.read(tables.RUNS).collect()[0]


def test_a_marker_of_another_kind_is_refused_and_named(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / tables.MARKER).write_text('{"layout": 99}\nné')
    with pytest.raises(Exception, match=tables.MARKER):
        open_lake(spark, str(tmp_path))
    (tmp_path / tables.MARKER).write_text('{"layout": 99}\n')
    with pytest.raises(LakeError, match="layout 99"):
        open_lake(spark, str(tmp_path))
