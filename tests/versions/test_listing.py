"""``winnow versions``: every published version, with what its commit recorded."""

import json
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest
from deltalake import DeltaTable

from conf import tables
from jobs import pins, versions
from tests.versions.lakes import commit_file, dataset_digest, make_lake
from udfs.delta.lake import UNREADABLE, WRONG_CHOICE, LakeError
from udfs.delta.versions import list_versions


def winnow(*arguments: str) -> int:
    parser = ArgumentParser("winnow")
    versions.add_commands(parser.add_subparsers(required=True))
    args = parser.parse_args(arguments)
    code: int = args.run(args)
    return code


def test_versions_are_listed_newest_first_with_what_was_recorded(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake", 3, 12)
    pins.pin(lake, "small", 0)
    found, damages = list_versions(lake)
    assert [(version.version, version.rows, version.pins) for version in found] == [(1, 12, ()), (0, 3, ("small",))]
    assert [version.recipe for version in found] == ["smoke", "smoke"]
    assert found[0].digest == dataset_digest(DeltaTable(f"{lake}/{tables.DATASET}").to_pyarrow_table())
    assert damages == []


def test_a_compaction_is_not_a_version_of_the_dataset(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake", 3)
    table = DeltaTable(f"{lake}/{tables.DATASET}")
    table.alter.set_table_properties({"delta.logRetentionDuration": "interval 3650 days"})
    table.optimize.compact()
    assert [version.version for version in list_versions(lake)[0]] == [0]


def test_the_table_on_the_terminal_has_a_line_a_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = make_lake(tmp_path / "lake", 3, 1)
    pins.pin(lake, "first", 0)
    assert winnow("versions", "--lake", lake) == 0
    head, newest, oldest = capsys.readouterr().out.splitlines()
    assert head.split() == ["version", "when", "rows", "recipe", "config", "digest", "pins"]
    assert newest.split()[0] == "1" and oldest.split()[0] == "0" and oldest.endswith("first")


def test_json_gives_digests_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = make_lake(tmp_path / "lake", 3)
    assert winnow("versions", "--lake", lake, "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert row["digest"] == list_versions(lake)[0][0].digest and row["version"] == 0


def test_a_damaged_commit_is_told_and_the_other_versions_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = make_lake(tmp_path / "lake", 3, 4, 5)
    commit_file(lake, 1).write_bytes(b"")
    assert winnow("versions", "--lake", lake) == 5
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["version", "2", "0"]
    assert commit_file(lake, 1).name in err and "empty" in err


def test_a_lake_without_a_dataset_lists_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert winnow("versions", "--lake", make_lake(tmp_path / "lake")) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize("command", ["versions", "show"])
def test_no_lake_and_not_a_lake_are_told_apart(command: str, tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="no such folder"):
        winnow(command, "--lake", str(tmp_path / "none"))
    with pytest.raises(LakeError, match=tables.MARKER):
        winnow(command, "--lake", str(tmp_path))


@pytest.mark.parametrize(
    ("marker", "told", "code"),
    [
        ('{"layout": 99}', "layout 99", WRONG_CHOICE),
        ("{", "damaged", UNREADABLE),
        ("[]", "damaged", UNREADABLE),
        ("{}", "damaged", UNREADABLE),
    ],
)
def test_another_layout_and_a_damaged_marker_are_refused(marker: str, told: str, code: int, tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake", 1)
    (Path(lake) / tables.MARKER).write_text(marker)
    with pytest.raises(LakeError, match=told) as raised:
        winnow("versions", "--lake", lake)
    assert raised.value.exit_code == code


def test_what_is_not_in_the_lake_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="run `winnow publish`") as raised:
        winnow("show", "--lake", make_lake(tmp_path / "lake"))
    assert raised.value.exit_code == WRONG_CHOICE


def test_versions_are_read_without_spark(tmp_path: Path) -> None:
    program = (
        "import sys; from jobs import versions; from udfs.delta.versions import list_versions\n"
        "list_versions(sys.argv[1]); sys.exit('pyspark' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program, make_lake(tmp_path / "lake", 2)], timeout=60).returncode == 0
