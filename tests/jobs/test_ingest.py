"""Files come in once each, whatever they are called."""

from pathlib import Path

from pyspark.sql import SparkSession

from conf import recipe, tables
from jobs import ingest
from jobs.lake import open_lake
from jobs.progress import Progress
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
