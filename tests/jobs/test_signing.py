"""Signatures are made from the files of one table to the files of another, and are those that Spark's reading gives."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conf import recipe, tables
from jobs import dedup, failures
from jobs.duplicates import signing
from jobs.lake import Lake, Lineage, open_lake
from jobs.ledger import Run
from jobs.progress import Progress
from jobs.tables import SCHEMAS
from udfs.delta.datafiles import plain_files

QUIET = Progress(None, "test")
SETTINGS = recipe.load(None, [])
HOW = signing.signing(SETTINGS.dedup)
ODD = {
    "none": None,
    "empty": [],
    "null message": [None],
    "null role": [(None, "Who says so?")],
    "null content": [("user", None), ("assistant", "Nothing was asked.")],
    "no user": [("assistant", "How can I help you?")],
    "symbols": [("user", "🙂"), ("assistant", "🙂🙂")],
    "ข้อความ": [("user", "กินข้าวหรือยัง"), ("assistant", "กินแล้ว")],
    "": [("user", "An empty id is an id.")],
    "long": [("user", "word " * 3000), ("assistant", "answer " * 3000)],
}


def conversations(spark: SparkSession, talks: dict) -> DataFrame:
    rows = [
        {
            "conversation_id": name,
            "messages": messages and [said and {"role": said[0], "content": said[1]} for said in messages],
            "reasons": [],
            "turns": 1,
            "digest": name,
        }
        for name, messages in talks.items()
    ]
    return spark.createDataFrame(rows, SCHEMAS[tables.CONVERSATIONS])


def new_lake(spark: SparkSession, folder: Path, talks: dict = ODD) -> Lake:
    lake = open_lake(spark, str(folder), create=True)
    add(lake, talks)
    return lake


def add(lake: Lake, talks: dict) -> None:
    rows = conversations(lake.spark, talks).repartition(3, "conversation_id")
    lake.write(tables.CONVERSATIONS, rows, Lineage(f"a{len(talks)}", "annotate", "", "", ""))


def bring_up(lake: Lake, how: signing.Signing = HOW) -> None:
    version = lake.version(tables.CONVERSATIONS)
    stamp = Lineage(f"d{version}{how.rule}", "dedup", "", "", "", {tables.CONVERSATIONS: version})
    signing.bring_up(lake, Run(lake, SETTINGS, stamp), version, how)


def rows_of(frame: DataFrame) -> list[tuple]:
    return sorted(map(tuple, frame.collect()), key=repr)


def expected(lake: Lake) -> list[tuple]:
    return rows_of(signing.sign(lake.read(tables.CONVERSATIONS), HOW))


def test_signed_from_file_to_file_the_rows_are_those_that_spark_reads_and_writes(lake: Lake) -> None:
    names = [path.name for path in Path(lake.path, tables.SIGNATURES).glob("*.parquet")]
    assert names and not any(name.startswith("part-0000") and "-c000" in name for name in names)  # none is Spark's
    assert rows_of(lake.read(tables.SIGNATURES)) == expected(lake)


def test_odd_conversations_are_signed_alike_both_ways_and_new_ones_are_appended(
    spark: SparkSession, tmp_path: Path
) -> None:
    lake = new_lake(spark, tmp_path / "a lake, né")
    bring_up(lake)
    assert rows_of(lake.read(tables.SIGNATURES)) == expected(lake)
    add(lake, {"one": [("user", "one more")], "two": [("user", "and another")]})
    bring_up(lake)
    assert rows_of(lake.read(tables.SIGNATURES)) == expected(lake)
    assert [commit.only_adds for commit in lake.commits(tables.SIGNATURES)] == [True, True]
    assert lake.read(tables.SIGNATURES, 0).count() == len(ODD)


def test_a_commit_of_files_is_like_one_of_rows(spark: SparkSession, tmp_path: Path) -> None:
    lake = new_lake(spark, tmp_path / "lake")
    bring_up(lake)
    bring_up(lake, HOW._replace(seed=7))  # another rule: all anew
    stamp = lake.lineage(tables.SIGNATURES)
    assert stamp is not None and stamp.inputs == {tables.CONVERSATIONS: 0} and stamp.run_id.startswith("d0")
    assert lake.read(tables.SIGNATURES).count() == lake.read(tables.SIGNATURES, 0).count() == len(ODD)
    assert {row.rule for row in lake.read(tables.SIGNATURES).select("rule").collect()} == {HOW._replace(seed=7).rule}

    def properties(table: str) -> dict:
        return spark.sql(f"DESCRIBE DETAIL delta.`{lake.table_path(table)}`").first()["properties"]  # type: ignore[index]

    assert properties(tables.SIGNATURES) == properties(tables.CONVERSATIONS)
    assert lake.read(tables.SIGNATURES).schema == SCHEMAS[tables.SIGNATURES]


def test_files_whose_columns_have_other_names_are_left_to_spark(spark: SparkSession, tmp_path: Path) -> None:
    lake = new_lake(spark, tmp_path / "lake")
    place = f"delta.`{lake.table_path(tables.CONVERSATIONS)}`"
    spark.sql(f"ALTER TABLE {place} SET TBLPROPERTIES (delta.columnMapping.mode = 'name')")
    assert plain_files(lake.folder(tables.CONVERSATIONS), lake.version(tables.CONVERSATIONS)) is None
    bring_up(lake)
    assert rows_of(lake.read(tables.SIGNATURES)) == expected(lake)


def test_rows_that_are_only_marked_as_deleted_are_never_taken_for_rows(spark: SparkSession, tmp_path: Path) -> None:
    lake = new_lake(spark, tmp_path / "lake")
    place = f"delta.`{lake.table_path(tables.CONVERSATIONS)}`"
    spark.sql(f"ALTER TABLE {place} SET TBLPROPERTIES (delta.enableDeletionVectors = true)")
    spark.sql(f"DELETE FROM {place} WHERE conversation_id = 'long'")
    assert plain_files(lake.folder(tables.CONVERSATIONS), lake.version(tables.CONVERSATIONS)) is None


def test_a_lake_on_another_store_has_no_folder(spark: SparkSession) -> None:
    assert Lake(spark, "s3a://bucket/lake").folder(tables.CONVERSATIONS) is None
    assert Lake(spark, "file:///lakes/one").folder(tables.FILES) == Path("/lakes/one/files")


def test_without_conversations_there_is_nothing_to_sign(spark: SparkSession, tmp_path: Path) -> None:
    lake = open_lake(spark, str(tmp_path / "lake"), create=True)
    assert dedup.run(lake, SETTINGS, QUIET)
    assert lake.has(tables.SIGNATURES) and lake.read(tables.SIGNATURES).count() == 0
    add(lake, ODD)
    assert dedup.run(lake, SETTINGS, QUIET)
    assert rows_of(lake.read(tables.SIGNATURES)) == expected(lake)


def test_conversations_moved_to_other_files_are_not_taken_for_new_ones(spark: SparkSession, tmp_path: Path) -> None:
    lake = new_lake(spark, tmp_path / "lake")
    bring_up(lake)
    spark.sql(f"OPTIMIZE delta.`{lake.table_path(tables.CONVERSATIONS)}`")
    assert lake.version(tables.CONVERSATIONS) == 1
    add(lake, {"one": [("user", "one more")]})
    bring_up(lake)
    assert rows_of(lake.read(tables.SIGNATURES)) == expected(lake)


@pytest.mark.parametrize("harm", ["missing", "cut"])
def test_a_file_that_cannot_be_read_is_told_as_damage(spark: SparkSession, tmp_path: Path, harm: str) -> None:
    lake = new_lake(spark, tmp_path / "lake")
    victim = next((tmp_path / "lake" / tables.CONVERSATIONS).glob("*.parquet"))
    if harm == "missing":
        victim.unlink()
    else:
        victim.write_bytes(victim.read_bytes()[:100])
    with pytest.raises(Exception) as raised:
        dedup.run(lake, SETTINGS, QUIET)
    told, code = failures.explain(raised.value)
    assert code == 5 and victim.name in told
    assert not lake.has(tables.SIGNATURES)


@given(st.lists(st.text(max_size=80), min_size=1, max_size=40))
def test_row_numbers_are_those_of_sparks_hash(spark: SparkSession, ids: list[str]) -> None:
    frame = spark.createDataFrame([(each,) for each in ids], "id string")
    found = [row.row for row in frame.select(F.xxhash64("id").alias("row")).collect()]
    assert signing.id_hashes(ids).tolist() == found
