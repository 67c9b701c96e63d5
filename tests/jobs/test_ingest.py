"""Files come in once each, whatever they are called, and every conversation under an id of its own."""

import json
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from conf import recipe, tables
from jobs import ids, ingest, report
from jobs.errors import UsageError
from jobs.lake import open_lake
from jobs.progress import Progress
from jobs.tables import SCHEMAS, frame
from tests.museum import build

QUIET = Progress(None, "test")


def test_files_with_an_exclamation_mark_are_known_again(spark: SparkSession, tmp_path: Path):
    lake, settings, folder = (
        open_lake(spark, str(tmp_path / "lake"), create=True),
        recipe.load(None, []),
        tmp_path / "oh!",
    )
    folder.mkdir()
    build.build(folder, "a.jsonl", lambda: build.lines(2))
    build.build(folder, "b!.zip", lambda: build.zipped({"c!.jsonl": build.lines(3), "d.jsonl": build.lines(1)}))
    assert ingest.run(lake, settings, [str(folder)], QUIET)
    assert not ingest.run(lake, settings, [str(folder)], QUIET)
    refused = [row.reason for row in lake.read(tables.QUARANTINE).collect()]
    assert set(refused) <= {"duplicate_record"} and lake.read(tables.FILES).count() == 3


def test_a_file_called_as_a_member_of_an_archive_is_another(spark: SparkSession, tmp_path: Path):
    lake, folder = open_lake(spark, str(tmp_path / "lake"), create=True), tmp_path / "in"
    folder.mkdir()
    build.build(folder, "a.zip", lambda: build.zipped({"b.jsonl": build.lines(3), "c.jsonl": b"{}"}))
    build.build(folder, "a.zip!b.jsonl", lambda: build.lines(3).replace(b"Answer", b"Reply"))
    build.build(folder, "a.zip!c.jsonl", lambda: build.lines(1).replace(b"Answer", b"Word"))
    assert ingest.run(lake, recipe.load(None, []), [str(folder)], QUIET)
    found = [row.conversation_id for row in lake.read(tables.CONVERSATIONS_RAW).collect()]
    assert len(found) == len(set(found)) == 7
    assert [row.reason for row in lake.read(tables.QUARANTINE).collect()] == ["unknown_format"]


def test_records_of_several_conversations_are_told_apart_from_them(spark: SparkSession, tmp_path: Path):
    lake, file = open_lake(spark, str(tmp_path / "lake"), create=True), tmp_path / "pairs.jsonl"
    said = [
        ("\n\nHuman: Hi\n\nAssistant: Hello", "\n\nHuman: Hi\n\nAssistant: Go"),
        ("\n\nHuman: Hi\n\nAssistant: Ah", 7),
    ]
    file.write_text("\n".join(json.dumps({"chosen": chosen, "rejected": rejected}) for chosen, rejected in said))
    assert ingest.run(lake, recipe.load(None, []), [str(file)], QUIET)
    rows, refused = lake.read(tables.CONVERSATIONS_RAW).count(), lake.read(tables.QUARANTINE).count()
    assert (rows, refused, report._further(lake)) == (2, 1, 1)
    told = "2 records + 1 further conversations of theirs = 2 conversations + 1 quarantined"
    assert report._came_in(2, 1, rows, refused) == told


@pytest.mark.parametrize("lake", ["lake", "a b [1]/lake"])
def test_a_lake_is_no_input_of_its_own(tmp_path: Path, lake: str):
    for name in ("a.jsonl", f"{lake}/conversations_raw/part.parquet", f"{lake}2/b.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"{}")
    place = f"{tmp_path}/other/../{lake}"
    with pytest.raises(UsageError, match=r"1 of 3 input files lie in the lake, such as .*part\.parquet: expected"):
        ingest.sources([str(tmp_path)], place)
    assert len(ingest.sources([str(tmp_path / "*.jsonl"), f"{tmp_path}/{lake}2"], place)) == 2


def test_ids_of_many_contents_under_one_id_differ(spark: SparkSession):
    nothing = frame(spark, [], SCHEMAS[tables.CONVERSATIONS_RAW])
    kept, copies = settled(nothing, ("c", "0"), ("c", "1" * 63 + "a"), ("c", "1" * 8 + "b"))
    assert len({row.conversation_id for row in kept.collect()}) == 3 and not copies


def test_an_id_made_from_content_is_no_other_records(spark: SparkSession):
    made = "c-" + "2" * 16
    first, copies = settled(frame(spark, [], SCHEMAS[tables.CONVERSATIONS_RAW]), ("c", "1"), ("c", "2"))
    assert sorted(row.conversation_id for row in first.collect()) == ["c", made] and not copies
    more, copies = settled(first, (made, "2"), (made, "3"))
    assert [row.conversation_id for row in more.collect()] == [f"{made}-{'3' * 16}"]
    assert copies == [f"same content as conversation_id {made}"]
    more, copies = settled(first.where("conversation_id != 'c'"), ("c", "2"), ("c", "3"))
    assert [row.conversation_id for row in more.collect()] == ["c"]
    assert copies == [f"same content as conversation_id {made}"]


def settled(lake: DataFrame, *given: tuple[str, str]) -> tuple[DataFrame, list[str]]:
    """What becomes of records with these ids and digests (their last digit repeated), and what is said of copies."""
    schema = SCHEMAS[tables.CONVERSATIONS_RAW]
    rows = [
        {
            "conversation_id": name,
            "file": "f",
            "file_id": "i",
            "record": number,
            "part": 0,
            "digest": digest.ljust(64, digest[-1]),
        }
        for number, (name, digest) in enumerate(given)
    ]
    made = frame(lake.sparkSession, [tuple(row.get(name) for name in schema.names) for row in rows], schema)
    kept, copies = ids.settle(made, lake)
    return kept.select(*schema.names), [row.detail for row in copies.collect()] if copies else []
