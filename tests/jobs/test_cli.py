"""The command line itself: what its options mean, and where it prints."""

import json
import os
import re
import shlex
import subprocess
import sys
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs import chain, cli
from jobs.errors import UsageError
from jobs.lake import check_path
from jobs.outlet import Outlet
from tests.commands import ROOT, SMALL, environment, winnow
from tests.versions.lakes import make_lake
from udfs.delta.versions import read_pins, resolve


def test_a_path_of_any_letters_can_be_given_by_an_option() -> None:
    options = ["--against", "/data/😀 漢/lake#first", "--keywords", '/data/a "b"\\c']
    settings = cli._settings(cli._parser().parse_args(["publish", "--lake", "lake", *options]))
    assert settings.dedup.against == "/data/😀 漢/lake#first"
    assert settings.rules.keywords.folder == '/data/a "b"\\c'


def parsers(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    """The commands of a command, and those of these."""
    for action in parser._actions:
        for command in action.choices.values() if isinstance(action, _SubParsersAction) else ():
            yield command
            yield from parsers(command)


@pytest.mark.parametrize("command", ["ingest", "run"])
def test_inputs_given_one_by_one_are_all_read(command: str) -> None:
    words = [command, "--input", "a", "b", "--lake", "lake", "--input", "c"]
    assert cli._parser().parse_args(words).input == ["a", "b", "c"]


def test_every_command_has_an_example_that_it_takes_and_shows_stack_traces_if_asked() -> None:
    for command in parsers(cli._parser()):
        line = re.search(rf"{command.prog}\b.*", (command.epilog or "").replace("\\\n", ""))
        assert line, command.prog
        assert cli._parser().parse_args([*shlex.split(line[0])[1:], "--debug"]).debug


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("show --lake ''", "lake"),
        ("run --lake lake --input a.jsonl ''", "input"),
        ("run --lake lake --input=", "input"),
        ("publish --lake lake --pin ''", "pin"),
        ("dedup --lake lake --against ''", "against"),
        ("annotate --lake lake --keywords ''", "keywords"),
        ("annotate --lake lake --config ''", "config"),
        ("sample --out ''", "out"),
        ("why '' --lake lake", "name"),
        ("train --lake '' --out run", "lake"),
        ("adapter verify run/adapter --lake ''", "lake"),
    ],
)
def test_an_empty_value_is_a_usage_error(line: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(shlex.split(line)) == 2
    told = capsys.readouterr().err
    assert told == f"winnow: {name}: expected a value, found nothing: is a variable of the shell not set?\n"


@pytest.mark.parametrize("line", ["pin base --lake nowhere --why ''", "chat --adapter nowhere --system ''"])
def test_a_text_may_be_empty(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(shlex.split(line)) > 0
    assert "found nothing" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lake", "told"),
    [
        *((root, "the root") for root in ("/", "///", "file:/", "file:///")),
        *((escaped, "escapes") for escaped in ("/data/a%20b", "file:///data/a%20b", "s3://bucket/a%2Fb")),
    ],
)
@pytest.mark.parametrize("job", ["ingest --input a.jsonl", "dedup"])
def test_a_path_that_no_lake_can_have_is_refused(
    job: str, lake: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([*job.split(), "--lake", lake]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("winnow: ")]
    assert told in line and lake in line


def test_a_lake_below_an_escaped_name_is_refused_and_one_with_a_plain_percent_sign_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "%41").mkdir()
    monkeypatch.chdir(tmp_path / "%41")
    with pytest.raises(UsageError, match=f"found %41 in {tmp_path}/%41/lake"):
        check_path("lake")
    check_path(str(tmp_path / "100% of a%zz"))


def test_the_example_of_decontaminate_has_something_to_look_for() -> None:
    command = next(each for each in parsers(cli._parser()) if each.prog.endswith(" decontaminate"))
    words = shlex.split((command.epilog or "").partition("winnow ")[2])
    assert cli._settings(cli._parser().parse_args(words)).decontaminate.is_on


def test_an_unknown_format_is_told_with_its_key_once(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["ingest", "--input", "chats", "--lake", "lake", "--set", "input.format=sharegtp"]
    assert cli.main(arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith("winnow: input.format: unknown format 'sharegtp' (did you mean 'sharegpt'?); expected auto")


def test_what_to_do_next_can_be_pasted_into_a_shell() -> None:
    for line in chain._next("/data/my chats #1/lake's", "base"):
        told = shlex.split(line, comments=True)
        assert told[told.index("--lake") + 1] == "/data/my chats #1/lake's"


def test_a_terminal_without_some_letters_is_shown_the_others(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake", 2)
    command = [sys.executable, "-m", "jobs.cli", "show", "--lake", lake]
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, env=latin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "  user: v0 user 0 é \\u6f22\n" in done.stdout.decode("latin-1")


def unread(*arguments: str, lines: int = 0) -> int:
    """The exit code of a `winnow` whose output goes into a pipe that is closed behind so many lines."""
    command = [sys.executable, "-m", "jobs.cli", *arguments]
    options: dict[str, Any] = {"env": environment(), "cwd": ROOT, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, stdout=subprocess.PIPE, **options) as process:
        assert process.stdout
        told = [process.stdout.readline() for _ in range(lines)]
        process.stdout.close()
        code = process.wait(timeout=300)
    assert all(told) and b"Traceback" not in b"".join(told)
    return code


def test_a_job_whose_reader_is_gone_goes_on_to_its_end(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "Tell me."}, {"role": "assistant", "content": "The old bridge was closed."}]
    (tmp_path / "a.jsonl").write_text(json.dumps({"messages": chat}))
    lake, sets = str(tmp_path / "lake"), [part for each in SMALL for part in ("--set", each)]
    assert unread("run", "--input", str(tmp_path / "a.jsonl"), "--lake", lake, *sets, lines=1) == 0
    assert resolve(lake).rows == 1 and len(read_pins(lake)) == 1


def test_a_pin_that_is_taken_is_told_behind_what_was_published(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"prompt": "Who was here?", "response": "The old bridge was closed."}))
    lake = make_lake(tmp_path / "lake", 2)
    assert cli.main(["pin", "base", "--lake", lake]) == 0
    done = winnow("run", "--input", str(tmp_path / "a.jsonl"), "--lake", lake, "--pin", "base", sets=SMALL)
    assert done.returncode == 2 and "pin base already means version 0" in done.stderr
    assert "1 conversations = 1 kept" in done.stdout and "dataset version 1, digest 1-" in done.stdout


@pytest.mark.parametrize("lines", [0, 1])
def test_a_failure_nobody_reads_has_its_exit_code(tmp_path: Path, lines: int) -> None:
    (tmp_path / "my.yaml").write_text("dedup: {rows: 0}\nname: a b\n")
    command = ["annotate", "--lake", str(tmp_path / "lake"), "--config", str(tmp_path / "my.yaml")]
    assert unread(*command, lines=lines) == 2


def test_a_sample_nobody_reads_about_is_written(tmp_path: Path) -> None:
    assert unread("sample", "--out", str(tmp_path / "sample"), "--conversations", "200") == 0
    assert any((tmp_path / "sample").iterdir())


@pytest.mark.parametrize(("limit", "lines"), [("5", 0), ("5000", 2)])
def test_what_is_shown_to_a_reader_who_leaves_ends_quietly(tmp_path: Path, limit: str, lines: int) -> None:
    lake = make_lake(tmp_path / "lake", 5000)
    assert unread("show", "--lake", lake, "--limit", limit, lines=lines) == 0


def test_an_outlet_keeps_other_errors() -> None:
    with open("/dev/full", "w") as full:
        outlet = Outlet(full)
        outlet.write("x")
        with pytest.raises(OSError, match="No space left"):
            outlet.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())


def test_a_cluster_is_refused_without_spark_submit(
    small_sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["ingest", "--input", str(small_sample), "--lake", str(tmp_path / "lake")]
    assert cli.main([*words, "--set", "spark.spark.master=spark://head:7077"]) == 2
    assert "found 'spark://head:7077': on a cluster jobs are started by spark-submit" in capsys.readouterr().err
    assert not (tmp_path / "lake").exists()
