"""What was decided on conversations that are cut, joined or only tagged is told as it was, without Spark."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake

from conf import tables
from jobs import cli, differences
from tests.versions.lakes import SCHEMA, conversation, dataset_digest, rows_of
from udfs.delta.lake import UNREADABLE
from udfs.delta.versions import Version, resolve

ORIGINS = pa.list_(pa.struct([("conversation_id", pa.string()), ("part", pa.int32())]))
VERDICTS = pa.schema(
    [
        ("conversation_id", pa.string()),
        ("keep", pa.bool_()),
        ("reasons", pa.list_(pa.string())),
        ("kept_id", pa.string()),
    ]
)
NEAR = {
    **{"level": "near", "conversation_id": "d", "kept_id": "a", "copy_of": "", "similarity": 0.8, "bands_shared": 3},
    **{"rule": "j0.7", "cluster_id": "1"},
}
OTHERWISE = "in rows that are cut otherwise"


def commit(lake: Path, table: str, rows: pa.Table, run_id: str, digest: str = "") -> None:
    facts = {"run_id": run_id, "inputs": {tables.DUPLICATES: 0}, "digest": digest}
    note = CommitProperties({"userMetadata": json.dumps(facts)})
    write_deltalake(lake / table, rows, mode="overwrite", commit_properties=note)


def publish(lake: Path, run_id: str, made_of: dict[str, list[tuple[str, int | None]]], dropped: dict[str, str]) -> None:
    """A version of these rows by what they are made of, the conversations a to d but these (id: reason) being kept."""
    names = pa.array(list(made_of), pa.string())
    rows = rows_of([conversation(number) for number in range(len(names))])
    rows = rows.set_column(0, SCHEMA.field(0), names).append_column(
        "made_of", pa.array(list(made_of.values()), ORIGINS)
    )
    copies = {"near_duplicate": "a"}
    decided = [(name, name not in dropped, [dropped[name]] if name in dropped else []) for name in "abcd"]
    verdicts = [(*each, copies.get(dropped.get(each[0], ""))) for each in decided]
    written = pa.Table.from_pylist([dict(zip(VERDICTS.names, row, strict=True)) for row in verdicts], VERDICTS)
    commit(lake, tables.VERDICTS, written, run_id)
    commit(lake, tables.DATASET, rows, run_id, dataset_digest(rows))


@pytest.fixture
def lake(tmp_path: Path) -> str:
    """Version 0 without a near copy, version 1 with it and otherwise cut."""
    (tmp_path / tables.MARKER).write_text(json.dumps({"layout": tables.LAYOUT}))
    commit(tmp_path, tables.DUPLICATES, pa.Table.from_pylist([NEAR]), "dedup")
    publish(tmp_path, "one", {name: [(name, None)] for name in "abc"}, {"d": "near_duplicate"})
    cut = {"a+1-0": [("a", None), ("d", None)], "b#1-0": [("b", 1)], "b#2-0": [("b", 2)]}
    publish(tmp_path, "two", cut, {"c": "too_short"})
    return str(tmp_path)


def both(lake: str) -> list[Version]:
    return [resolve(lake, version=number) for number in (0, 1)]


def test_rows_of_another_cut_came_and_went_for_what_became_of_their_conversations(lake: str) -> None:
    found = differences.compare(*both(lake))
    assert found.came == {"a+1-0": f"{OTHERWISE}; near_duplicate", "b#1-0": OTHERWISE, "b#2-0": OTHERWISE}
    assert found.went == {"a": OTHERWISE, "b": OTHERWISE, "c": "too_short"}


@pytest.mark.parametrize(
    ("configs", "expected"),
    [
        ({}, None),
        ({"one": '{"a": {"b": 1}}'}, None),
        ({"one": '{"a": {"b": 1}}', "two": None}, None),  # a run that was killed before its end
        ({"one": '{"a": {"b": 1}, "c": 3}', "two": '{"a": {"b": 2}, "c": 3}'}, {"a.b": (1, 2)}),
    ],
)
def test_settings_are_compared_only_where_both_are_known(
    lake: str, configs: dict[str, str | None], expected: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = pa.schema([("run_id", pa.string()), ("config", pa.string())])
    lines = [{"run_id": run, "config": config} for run, config in configs.items()]
    commit(Path(lake), tables.RUNS, pa.Table.from_pylist(lines, schema), "any")
    assert differences.compare(*both(lake)).settings == expected
    assert cli.main(["diff", "0", "1", "--lake", lake]) == 0
    assert ("settings: not known of both" in capsys.readouterr().out) == (expected is None)


@pytest.mark.parametrize(
    ("version", "of_the_copy", "of_the_other"),
    [
        ("0", "near: 0.800", "stays for d: near: 0.800"),
        ("1", "only tagged, near: 0.800", "stays beside d: near: 0.800"),
    ],
)
def test_a_copy_that_is_only_tagged_is_told_from_one_that_went(
    lake: str, version: str, of_the_copy: str, of_the_other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, told in (("d", of_the_copy), ("a", of_the_other)):
        assert cli.main(["why", name, "--lake", lake, "--version", version]) == 0
        assert capsys.readouterr().out.splitlines()[1].startswith(f"  {told}, 3 bands shared, with ")


@pytest.mark.parametrize("command", [["why", "d", "--version", "0"], ["diff", "0", "1"]])
def test_what_a_vacuum_took_is_told_by_table_and_version(
    lake: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    old = DeltaTable(f"{lake}/{tables.VERDICTS}")
    assert old.vacuum(0, dry_run=False, enforce_retention_duration=False)
    assert cli.main([*command, "--lake", lake]) == UNREADABLE
    told = capsys.readouterr().err
    assert f"version 0 of table {tables.VERDICTS} can no longer be read" in told
    assert "VACUUM" in told and "newer version" in told
