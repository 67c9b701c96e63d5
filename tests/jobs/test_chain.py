"""From source files to a published version: every record accounted for, every removal explained."""

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Settings
from jobs import digests, ingest, policy, report
from jobs.lake import Lake, open_lake
from jobs.progress import Progress
from jobs.tables import SCHEMAS
from training import corpus
from udfs import shingles
from udfs.dedup import verifying

ASKED_FOR = (tables.PINS, tables.LINGUISTICS, tables.OVERLAPS, tables.CONTAMINATION, tables.MEASURES, tables.CONFLICTS)
WRITTEN = [name for name in tables.TABLES if name not in ASKED_FOR]


def versions_of(lake: Lake) -> dict[str, int]:
    return {table: lake.version(table) for table in WRITTEN}


def test_the_funnel_closes_and_shows_every_kind_of_loss(lake: Lake) -> None:
    lines = report.funnel(lake)
    assert all(" = " in line for line in lines[-2:])
    told = "\n".join(lines)
    for reason in ("near_duplicate", "exact_duplicate", "ai_disclaimer", "malformed_json"):
        assert reason in told


def test_the_funnel_says_how_many_conversations_each_repair_and_edit_changed(lake: Lake) -> None:
    lines = [line.split() for line in report.funnel(lake)]
    found = (
        lake.read(tables.CONVERSATIONS).select("repairs", F.expr("flatten(messages.edits)").alias("edits")).collect()
    )
    for what, column in (("repaired:", "repairs"), ("edited:", "edits")):
        names = [name for row in found for name in set(row[column])]
        told = {words[1]: int(words[2].replace(",", "")) for words in lines if words[0] == what}
        assert told == Counter(names) and told


def test_every_record_is_in_the_dataset_has_a_reason_or_is_quarantined(lake: Lake) -> None:
    read = lake.read(tables.FILES).agg(F.sum("records")).first()[0]
    raw = lake.read(tables.CONVERSATIONS_RAW)
    refused = lake.read(tables.QUARANTINE).where(F.col("record").isNotNull())
    placed = raw.select("file", "record").union(refused.select("file", "record")).distinct().count()
    verdicts = lake.read(tables.VERDICTS)
    assert placed == read
    assert verdicts.count() == raw.count() == lake.read(tables.CONVERSATIONS).count()
    assert verdicts.where("keep != (size(reasons) = 0)").isEmpty()
    assert verdicts.where("keep").count() == lake.read(tables.DATASET).count()


def test_the_truncated_file_is_quarantined_by_name_and_none_of_its_rows_are_read(lake: Lake) -> None:
    files = lake.read(tables.FILES).where(F.col("file").endswith("broken.jsonl.gz")).collect()
    assert [(row.reason, row.records, row.rows) for row in files] == [("corrupt_file", 0, 0)]
    assert lake.read(tables.CONVERSATIONS_RAW).where(F.col("file").endswith("broken.jsonl.gz")).isEmpty()


def test_running_again_commits_nothing(lake: Lake, smoke: Settings, small_sample: Path, run_chain) -> None:
    before = versions_of(lake)
    assert run_chain(lake, smoke, [str(small_sample)]) == [False, False, False, False]
    assert versions_of(lake) == before


def test_every_commit_names_its_run_and_every_run_its_numbers(lake: Lake) -> None:
    for table in (name for name in WRITTEN if name != tables.RUNS):
        facts = lake.lineage(table)
        assert facts is not None and facts.config_digest and facts.code_version
    runs = {row.job: row for row in lake.read(tables.RUNS).collect()}
    assert set(runs) == {"ingest", "annotate", "dedup", "publish"}
    assert runs["annotate"].inputs == {tables.CONVERSATIONS_RAW: lake.version(tables.CONVERSATIONS_RAW)}
    assert runs["publish"].counts["kept"] == lake.read(tables.DATASET).count()
    assert json.loads(runs["publish"].config)["name"] == "smoke"


@pytest.mark.parametrize("table", WRITTEN)
def test_every_table_reads_alike_in_spark_deltalake_and_pyarrow(lake: Lake, table: str) -> None:
    opened = DeltaTable(lake.table_path(table))
    assert opened.to_pyarrow_dataset().schema.names == SCHEMAS[table].names
    found = opened.to_pyarrow_table()
    assert found.num_rows == lake.read(table).count()
    for name in SCHEMAS[table].names:
        filled = lake.read(table).where(F.col(name).isNotNull()).count()
        assert found.num_rows - found.column(name).null_count == filled


def shingles_of(messages: list) -> shingles.Shingles:
    texts = pa.array([message["content"] for message in messages])
    import numpy as np

    return shingles.shingle_sets(texts, np.array([0, len(texts)], np.int32), 5)


def test_every_near_removal_reaches_the_threshold_with_its_kept_row(lake: Lake, smoke: Settings) -> None:
    texts = {row.conversation_id: row.messages for row in lake.read(tables.CONVERSATIONS).collect()}
    near = lake.read(tables.DUPLICATES).where("level = 'near'").collect()
    assert len(near) > 10
    for row in near:
        one, other = (shingles_of(texts[name]) for name in (row.conversation_id, row.kept_id))
        found = verifying.jaccard(one.hashes, other.hashes)
        assert found == pytest.approx(row.similarity) and found >= smoke.dedup.threshold
        assert row.bands_shared >= 1


def test_the_row_kept_for_a_removed_one_is_itself_in_the_dataset(lake: Lake) -> None:
    kept = lake.read(tables.DATASET).select(F.col("conversation_id").alias("kept_id"))
    removed = lake.read(tables.DUPLICATES)
    assert removed.count() == removed.select("conversation_id").distinct().count() > 0
    assert removed.join(kept, "kept_id", "left_anti").isEmpty()


def test_near_copies_never_sit_on_both_sides_of_the_split(lake: Lake) -> None:
    dataset = lake.read(tables.DATASET).join(lake.read(tables.CLUSTERS), "conversation_id")
    sides = dataset.groupBy("cluster_id").agg(F.countDistinct("split").alias("sides"), F.count("*").alias("rows"))
    assert sides.where("sides > 1").isEmpty()
    assert not sides.where("rows > 1").isEmpty()


def test_copies_count_the_conversations_a_row_stands_for(lake: Lake) -> None:
    total = lake.read(tables.DATASET).agg(F.sum("copies")).first()[0]
    assert total == lake.read(tables.DATASET).count() + lake.read(tables.DUPLICATES).count()


def test_the_planted_copies_are_found_and_the_decoys_left(lake: Lake, small_sample: Path) -> None:
    import pyarrow.parquet as pq

    planted = pq.read_table(small_sample / "_truth" / "planted.parquet").to_pylist()
    dropped = {row.conversation_id for row in lake.read(tables.DUPLICATES).collect()}
    raised = {
        row.conversation_id
        for row in lake.read(tables.CONVERSATIONS).where(F.size(policy.drop_reasons(Settings().rules)) > 0).collect()
    }
    pairs = [(row["conversation_id"], row["source_id"], row["jaccard"]) for row in planted]
    sure = [(a, b) for a, b, jaccard in pairs if jaccard >= 0.85 and not {a, b} & raised]
    missed = [(a, b) for a, b in sure if not {a, b} & dropped]
    assert len(sure) > 10 and len(missed) <= 0.02 * len(sure)


def test_the_digest_is_the_same_for_spark_and_for_a_reader_without_spark(lake: Lake) -> None:
    opened = corpus.open_version(lake.path)
    assert opened.rows == lake.read(tables.DATASET).count()
    assert corpus.verify(opened) == opened.digest == digests.dataset_digest(lake.read(tables.DATASET))


def test_a_file_added_later_gives_the_same_dataset_as_all_at_once(
    spark: SparkSession, lake: Lake, small_sample: Path, smoke: Settings, run_chain, tmp_path: Path
) -> None:
    grown = open_lake(spark, str(tmp_path / "grown"), create=True)
    parts = sorted(str(path) for path in small_sample.iterdir() if not path.name.startswith("_"))
    run_chain(grown, smoke, parts[:2])
    first = grown.read(tables.CONVERSATIONS_RAW).count()
    assert run_chain(grown, smoke, parts) == [True, True, True, True]
    assert grown.lineage(tables.DATASET).digest == lake.lineage(tables.DATASET).digest
    history = DeltaTable(grown.table_path(tables.CONVERSATIONS)).history()
    assert [commit["operationParameters"]["mode"] for commit in history] == ["Append", "Overwrite"]
    assert 0 < first < grown.read(tables.CONVERSATIONS_RAW).count()


def test_files_read_in_many_splits_give_the_same_rows(
    spark: SparkSession, lake: Lake, small_sample: Path, smoke: Settings, tmp_path: Path
) -> None:
    cut = smoke.model_copy(update={"input": smoke.input.model_copy(update={"split_bytes": 5_000})})
    other = open_lake(spark, str(tmp_path / "cut"), create=True)
    assert ingest.run(other, cut, [str(small_sample)], Progress(None, "test"))
    for table, keys in (
        (tables.CONVERSATIONS_RAW, ["conversation_id", "file", "file_id", "record", "offset", "digest"]),
        (tables.QUARANTINE, ["file", "record", "offset", "reason", "digest"]),
        (tables.FILES, ["file", "file_id", "records", "rows", "quarantined"]),
    ):
        here, there = lake.read(table).select(*keys), other.read(table).select(*keys)
        assert here.exceptAll(there).isEmpty() and there.exceptAll(here).isEmpty()


def test_another_threshold_reuses_labels_and_signatures(
    spark: SparkSession, lake: Lake, small_sample: Path, smoke: Settings, run_chain, tmp_path: Path
) -> None:
    import shutil

    shutil.copytree(lake.path, tmp_path / "copy")
    copy = open_lake(spark, str(tmp_path / "copy"))
    stricter = smoke.model_copy(update={"dedup": smoke.dedup.model_copy(update={"threshold": 0.95})})
    before = versions_of(copy)
    assert run_chain(copy, stricter, [str(small_sample)]) == [False, False, True, True]
    after = versions_of(copy)
    assert after[tables.CONVERSATIONS] == before[tables.CONVERSATIONS]
    assert after[tables.DATASET] == before[tables.DATASET] + 1
    assert copy.read(tables.DATASET).count() > copy.read(tables.DATASET, before[tables.DATASET]).count()


def test_the_quarantine_can_be_looked_at_without_spark(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    from jobs.cli import main

    assert main(["show", "--lake", lake.path, "--quarantine", "--limit", "3"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("corrupt_file: ") and "Truncated compressed stream" in told
    assert len(told.splitlines()) == 9


def test_families_can_be_listed_without_spark(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    from jobs.cli import main

    known = lake.read(tables.FAMILIES).count()
    assert main(["show", "--lake", lake.path, "--families", "--limit", "2"]) == 0
    assert capsys.readouterr().out.count("e.g. ") == min(known, 2)
