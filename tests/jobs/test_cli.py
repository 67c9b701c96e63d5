"""The command line itself: what its options mean, and where it prints."""

import os
import subprocess
import sys
from pathlib import Path

from jobs import cli
from tests.versions.lakes import make_lake


def test_a_path_of_any_letters_can_be_given_by_an_option() -> None:
    options = ["--against", "/data/😀 漢/lake#first", "--keywords", '/data/a "b"\\c']
    settings = cli._settings(cli._parser().parse_args(["publish", "--lake", "lake", *options]))
    assert settings.dedup.against == "/data/😀 漢/lake#first"
    assert settings.rules.keywords.folder == '/data/a "b"\\c'


def test_a_terminal_without_some_letters_is_shown_the_others(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake", 2)
    command = [sys.executable, "-m", "jobs.cli", "show", "--lake", lake]
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, env=latin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "  user: v0 user 0 é \\u6f22\n" in done.stdout.decode("latin-1")
