"""Wrong places and wrong words: one clear line, the right exit code, no stack trace, nothing half-written."""

import shutil
import subprocess
from pathlib import Path

import pytest

from conf import tables
from jobs.cli import main
from jobs.lake import Lake
from tests import commands

RUN = ("run", "--config", "smoke")
COMMANDS = ["sample", "ingest", "annotate", "dedup", "publish", "run", "versions", "pin", "unpin", "show", "doctor"]


def fails(done: subprocess.CompletedProcess[str], code: int, *told: str) -> None:
    """It stopped with ``code`` and a last line that tells all of ``told``."""
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == code, done.stderr[-2000:]
    assert "Traceback" not in done.stderr and "\tat " not in done.stderr
    for text in told:
        assert text in last, last


def publish(lake: Path, setting: str) -> subprocess.CompletedProcess[str]:
    """`winnow publish` with one setting changed."""
    place = ("--config", "smoke", "--lake", str(lake))
    return commands.winnow("publish", *place, sets=[*commands.SMALL, setting])


def test_a_missing_input_is_told_before_spark_starts_and_makes_no_lake(tmp_path: Path) -> None:
    done = commands.winnow(*RUN, "--input", str(tmp_path / "none"), "--lake", str(tmp_path / "lake"))
    fails(done, 3, "input not found", "none")
    assert not (tmp_path / "lake").exists()


def test_an_empty_folder_is_no_input(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    fails(commands.winnow(*RUN, "--input", str(tmp_path / "in"), "--lake", str(tmp_path / "lake")), 3, "no input file")


def test_wrong_settings_are_all_told_at_once(tmp_path: Path) -> None:
    done = commands.winnow(
        *RUN, "--input", str(tmp_path), "--lake", str(tmp_path / "l"), sets=["dedup.treshold=0.7", "dedup.bands=no"]
    )
    assert done.returncode == 2
    assert "dedup.threshold" in done.stderr and "dedup.bands" in done.stderr


def test_a_recipe_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text("version: 2\n")
    done = commands.winnow("annotate", "--config", str(tmp_path / "old.yaml"), "--lake", str(tmp_path / "lake"))
    fails(done, 2, "version 1")


def test_an_unknown_command_and_a_missing_option_are_usage_errors() -> None:
    assert commands.winnow("publsh").returncode == 2
    assert commands.winnow("ingest", "--lake", "x").returncode == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0 and f"Example: winnow {command}" in capsys.readouterr().out


def test_a_folder_that_is_not_ours_is_left_alone(small_sample: Path, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "photo.jpg").write_bytes(b"x")
    done = commands.winnow(
        "ingest", "--input", str(small_sample), "--lake", str(tmp_path / "theirs"), sets=commands.SMALL
    )
    fails(done, 2, "not a Winnow lake")
    assert [path.name for path in (tmp_path / "theirs").iterdir()] == ["photo.jpg"]


def test_a_lake_that_cannot_be_written_is_told(small_sample: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    done = commands.winnow(
        "ingest", "--input", str(small_sample), "--lake", str(tmp_path / "file" / "lake"), sets=commands.SMALL
    )
    assert done.returncode == 2 and "Traceback" not in done.stderr


def test_a_torn_commit_is_a_damaged_lake(lake: Lake, small_sample: Path, tmp_path: Path) -> None:
    shutil.copytree(lake.path, tmp_path / "lake")
    log = tmp_path / "lake" / tables.CONVERSATIONS / "_delta_log" / f"{0:020d}.json"
    log.write_bytes(log.read_bytes()[:40])
    (log.parent / f".{log.name}.crc").unlink(missing_ok=True)
    done = commands.winnow("annotate", "--config", "smoke", "--lake", str(tmp_path / "lake"), sets=commands.SMALL)
    fails(done, 5, "conversations")


def test_a_gate_that_does_not_hold_publishes_nothing(lake: Lake, tmp_path: Path) -> None:
    shutil.copytree(lake.path, tmp_path / "lake")
    done = publish(tmp_path / "lake", "publish.gates.min_kept=0.99")
    fails(done, 4, "publish.gates.min_kept")
    assert Lake(lake.spark, str(tmp_path / "lake")).version(tables.DATASET) == lake.version(tables.DATASET)


def test_publishing_under_other_rules_than_dedup_saw_is_refused(lake: Lake, tmp_path: Path) -> None:
    shutil.copytree(lake.path, tmp_path / "lake")
    done = publish(tmp_path / "lake", "rules.language.keep=[en]")
    fails(done, 2, "run `winnow dedup`")


def test_strict_exits_3_when_anything_was_refused(lake: Lake, small_sample: Path, tmp_path: Path) -> None:
    shutil.copytree(lake.path, tmp_path / "lake")
    place = ("--input", str(small_sample), "--lake", str(tmp_path / "lake"))
    done = commands.winnow("ingest", "--config", "smoke", "--strict", *place, sets=commands.SMALL)
    fails(done, 3, "corrupt_file 1", "malformed_json")


def test_a_full_disk_is_told_and_the_lake_stays_as_it_was(small_sample: Path, tmp_path: Path) -> None:
    """On a file system of its own, of 160 kB."""
    place = tmp_path / "full"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"needs root to mount a small file system (.ci/run has it): {mounted.stderr.decode().strip()}")
    try:
        done = commands.winnow(
            "ingest", "--input", str(small_sample), "--lake", str(place / "lake"), sets=commands.SMALL
        )
        fails(done, 1, "disk is full")
        assert not list((place / "lake").glob("conversations_raw/_delta_log/*.json"))
    finally:
        subprocess.run(["umount", str(place)], check=True)
