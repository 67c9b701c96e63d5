"""Names for versions: set, moved, removed, and never lost to one another."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from deltalake import DeltaTable

from conf import tables
from jobs.pins import PINS, pin, pinned_versions, unpin
from jobs.tables import SCHEMAS
from tests.versions.lakes import data_files, make_lake
from tests.versions.test_listing import winnow
from udfs.delta.lake import LakeError
from udfs.delta.versions import read_pins, resolve


@pytest.fixture
def lake(tmp_path: Path) -> str:
    return make_lake(tmp_path / "lake", 2, 3, 4)


def commits(lake: str) -> int:
    return DeltaTable(f"{lake}/{tables.PINS}").version() + 1


@pytest.mark.parametrize("name", ["chats [2024]", "a^b", "a|b"])
def test_a_place_that_takes_no_pins_is_named(tmp_path: Path, lake: str, name: str) -> None:
    moved = str(Path(lake).rename(tmp_path / name))
    with pytest.raises(LakeError, match=r"expected a path without any of \[ \] \^ \|, found .+\. Rename that folder"):
        pin(moved, "base")
    assert resolve(moved).version == 2 and not read_pins(moved)


@pytest.mark.parametrize("name", ["my chats #1", "a{b}*?'%&", "größe 漢"])
def test_pins_can_be_written_at_other_odd_places(tmp_path: Path, lake: str, name: str) -> None:
    moved = str(Path(lake).rename(tmp_path / name))
    assert pin(moved, "base")[1] and unpin(moved, "base").version == 2


def test_the_arrow_schema_of_pins_is_the_one_spark_writes() -> None:
    kinds = {"string": "string", "int64": "bigint", "timestamp[us, tz=UTC]": "timestamp"}
    spark = [(field.name, field.dataType.simpleString()) for field in SCHEMAS[tables.PINS].fields]
    assert [(field.name, kinds[str(field.type)]) for field in PINS] == spark


def test_a_pin_records_version_digest_and_reason(lake: str) -> None:
    placed, is_new = pin(lake, "baseline", 1, "the first good one")
    assert is_new
    assert read_pins(lake) == [placed]
    assert placed[:4] == ("baseline", 1, resolve(lake, version=1).digest, "the first good one")


def test_without_a_number_the_newest_version_is_pinned(lake: str) -> None:
    assert pin(lake, "latest.good")[0].version == 2


def test_pinning_again_commits_nothing(lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    first, _ = pin(lake, "baseline", 1, "why")
    assert pin(lake, "baseline", 1, "another reason") == (first, False)
    assert winnow("pin", "baseline", "--lake", lake, "--version", "1") == 0
    assert "already is version 1" in capsys.readouterr().out
    assert commits(lake) == 1


def test_the_reason_of_a_pin_is_replaced_only_when_told_to(lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("pin", "baseline", "--lake", lake, "--version", "1")
    assert winnow(*command, "--why", "first") == winnow(*command, "--why", "second") == 0
    assert "its reason stays 'first': --move replaces it" in capsys.readouterr().err
    assert winnow(*command, "--move", "--why", "second") == winnow(*command, "--move") == 0
    assert [(found.version, found.why) for found in read_pins(lake)] == [(1, "second")]
    assert commits(lake) == 2 and "reason" not in capsys.readouterr().err


def test_a_name_moves_only_when_told_to(lake: str) -> None:
    pin(lake, "baseline", 1)
    with pytest.raises(LakeError, match=r"already means version 1.*--move") as caught:
        pin(lake, "baseline", 2)
    assert caught.value.exit_code == 2
    assert pin(lake, "baseline", 2, move=True)[1]
    assert [found[:2] for found in read_pins(lake)] == [("baseline", 2)]


@pytest.mark.parametrize("name", ["", "1", "٣", "a b", "a/b", "a\n", "../a", "a$", "*"])
def test_a_name_that_is_none_is_refused(lake: str, name: str) -> None:
    with pytest.raises(LakeError, match="cannot name a version"):
        pin(lake, name, 1)
    assert read_pins(lake) == []


@pytest.mark.parametrize("version", [3, -1])
def test_a_version_that_is_not_there_cannot_be_pinned(lake: str, version: int) -> None:
    with pytest.raises(LakeError, match=f"no version {version}"):
        pin(lake, "baseline", version)
    assert read_pins(lake) == []


def test_a_version_without_its_files_cannot_be_pinned(lake: str) -> None:
    data_files(lake, 1)[0].unlink()
    with pytest.raises(LakeError, match="missing"):
        pin(lake, "baseline", 1)


def test_a_removed_pin_leaves_its_version(lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    pin(lake, "a", 1)
    pin(lake, "b", 1)
    assert winnow("unpin", "a", "--lake", lake) == 0
    assert "version 1 stays" in capsys.readouterr().out
    assert [found.name for found in read_pins(lake)] == ["b"]
    assert unpin(lake, "b").version == 1
    assert read_pins(lake) == []
    assert resolve(lake, version=1).version == 1


def test_removing_an_unknown_pin_names_the_nearest(lake: str) -> None:
    pin(lake, "baseline", 1)
    with pytest.raises(LakeError, match="Did you mean baseline"):
        winnow("unpin", "basline", "--lake", lake)


def test_pinned_versions_are_those_a_clean_up_must_keep(lake: str) -> None:
    assert pinned_versions(lake) == set()
    pin(lake, "a", 0)
    pin(lake, "b", 0)
    pin(lake, "c", 2)
    assert pinned_versions(lake) == {0, 2}
    table = DeltaTable(f"{lake}/{tables.DATASET}")
    removed = table.vacuum(0, False, enforce_retention_duration=False, keep_versions=sorted(pinned_versions(lake)))
    assert len(removed) == 1
    assert resolve(lake, pin="a").rows == 2
    with pytest.raises(LakeError, match="1 of 1 data files"):
        pin(lake, "gone", 1)


def test_pins_set_at_the_same_time_are_all_kept(lake: str) -> None:
    names = [f"pin-{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert all(is_new for _, is_new in pool.map(lambda name: pin(lake, name, 1), names))
    assert [found.name for found in read_pins(lake)] == names


def test_of_two_processes_that_want_one_name_one_wins(lake: str) -> None:
    program = (
        "import sys; from jobs.pins import pin; from udfs.delta.lake import LakeError\n"
        "try: pin(sys.argv[1], 'best', int(sys.argv[2]))\n"
        "except LakeError as error: sys.exit(error.exit_code)"
    )
    started = [subprocess.Popen([sys.executable, "-c", program, lake, str(version)]) for version in (0, 1)]
    codes = [process.wait(60) for process in started]
    assert sorted(codes) == [0, 2]
    assert read_pins(lake)[0].version == codes.index(0)
