"""Real chat files in their original formats: the accounting closes for each of them."""

import os
import tarfile
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from conf import recipe, tables
from jobs import ingest
from jobs.lake import Lake, open_lake
from jobs.progress import Progress

DATA = os.environ.get("WINNOW_REAL_DATA")
pytestmark = pytest.mark.skipif(not DATA, reason="WINNOW_REAL_DATA names no folder of real chat data")

KINDS = ("sharegpt", "hh_rlhf", "samantha_like", "arena_hard", "mt_bench", "smile", "alpaca")
FORMATS = {"sharegpt", "hh_rlhf", "messages", "mt_bench", "alpaca"}


@pytest.fixture(scope="module")
def ingested(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The chat folders of the pack and the role-play records, read into one lake."""
    folder = tmp_path_factory.mktemp("devpack")
    with tarfile.open(Path(str(DATA)) / "devpack.tar.xz") as pack:
        wanted = [member for member in pack if member.name.split("/")[1:2] and member.name.split("/")[1] in KINDS]
        pack.extractall(folder, members=wanted, filter="data")
    lake = open_lake(spark, str(folder / "lake"), create=True)
    inputs = [str(folder / "devpack"), str(Path(str(DATA)) / "character_records.jsonl")]
    assert ingest.run(lake, recipe.load("lmsys"), inputs, Progress(None, "test"))
    return lake


def test_every_named_format_is_found_and_read(ingested: Lake) -> None:
    files = ingested.read(tables.FILES).collect()
    assert {row.format for row in files if row.rows} >= FORMATS
    assert sum(row.rows for row in files) > 15_000


def test_records_are_rows_or_have_a_reason(ingested: Lake) -> None:
    raw, refused = ingested.read(tables.CONVERSATIONS_RAW), ingested.read(tables.QUARANTINE)
    places = raw.select("file", "record").union(refused.where("record is not null").select("file", "record")).distinct()
    read = ingested.read(tables.FILES).agg({"records": "sum"}).collect()[0][0]
    assert places.count() == read
    assert refused.where("reason is null").isEmpty()


def test_files_that_hold_no_chats_are_in_quarantine_by_name(ingested: Lake) -> None:
    whole = ingested.read(tables.QUARANTINE).where("record is null").collect()
    reasons = {(Path(row.file).name, row.reason) for row in whole}
    assert ("LICENSE", "unsupported_file") in reasons
    assert ("LICENSE", "duplicate_file") in reasons  # one licence, the same bytes in several folders
    assert ("seed_tasks.jsonl", "unknown_format") in reasons
