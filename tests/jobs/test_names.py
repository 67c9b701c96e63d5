"""Names become pseudonyms by a model that the user brings, through the jobs and the command line."""

import json
from argparse import Namespace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from conf import recipe, tables
from jobs import annotate, chain, cli, ingest
from jobs.errors import UsageError
from jobs.lake import open_lake
from jobs.progress import Progress
from tests.udfs import models

QUIET = Progress(None, "test")


def write_chat(folder: Path) -> str:
    """One conversation with two people in it."""
    turns = [
        ("user", "Dear Theo, Ana Silva asks what the weather will be."),
        ("assistant", "Tell ana silva: it rains."),
    ]
    row = {
        "conversation_id": "c1",
        "model": "m",
        "conversation": [{"role": role, "content": text} for role, text in turns],
    }
    (folder / "chat.jsonl").write_text(json.dumps(row) + "\n")
    return str(folder / "chat.jsonl")


def test_people_are_masked_labelled_counted_and_put_back(spark: SparkSession, tmp_path: Path, capsys):
    assert cli.main(["make-key", str(tmp_path / "pii.key")]) == 0
    sets = [f"rules.pii_names={models.save(tmp_path / 'model')}", f"rules.pii_key={tmp_path / 'pii.key'}"]
    settings, lake = recipe.load("smoke", sets), open_lake(spark, str(tmp_path / "lake"), create=True)
    ingest.run(lake, settings, [write_chat(tmp_path)], QUIET)
    assert annotate.run(lake, settings, QUIET)
    (row,) = lake.read(tables.CONVERSATIONS).collect()
    assert [message["content"] for message in row["messages"]] == [
        "Dear NAME_1, NAME_2 asks what the weather will be.",
        "Tell NAME_2: it rains.",
    ]
    assert all("mask_name" in message["edits"] for message in row["messages"])
    assert not annotate.run(lake, settings, QUIET), "nothing has changed"
    capsys.readouterr()
    assert cli.main(["unmask", row["conversation_id"], "--lake", lake.path, "--key", str(tmp_path / "pii.key")]) == 0
    assert "Dear Theo, Ana Silva asks" in capsys.readouterr().out
    (tmp_path / "model" / "note").write_text("another model")
    assert annotate.run(lake, settings, QUIET), "another model labels anew"


def test_a_model_that_is_not_there_stops_the_job_before_a_session_starts(tmp_path: Path):
    settings = recipe.load("smoke", [f"rules.pii_names={tmp_path / 'nowhere'}"])
    args = Namespace(lake=str(tmp_path / "lake"), input=[write_chat(tmp_path)])
    with pytest.raises(UsageError, match=r"rules.pii_names: there is no folder"):
        chain.run(["ingest", "annotate"], settings, args)
    assert not (tmp_path / "lake").exists()
