"""Running `winnow` and `spark-submit` as a user does: another process, its output, its exit code."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
JAVA = (
    "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC "
    "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
)
"""For a JVM that lives for a minute: what is compiled must not cost more than it saves, and the classes of Spark's jars
are not verified anew at every start, as in the session that Winnow opens on one machine (0094)."""
INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
"""Queries over a handful of rows are interpreted: generating and compiling Java for each takes half of their time. On
the cluster of tests/cluster they are compiled, as in production, and must give the same dataset."""
SMALL = (
    "spark.spark.driver.memory=1g",
    f"spark.spark.driver.extraJavaOptions={JAVA}",
    f"spark.spark.executor.extraJavaOptions={JAVA}",
    "spark.spark.sql.shuffle.partitions=2",
    "spark.spark.default.parallelism=2",
    *(f"spark.{key}={value}" for key, value in INTERPRETED.items()),
)


def lacking(what: str) -> NoReturn:
    """Skip a test for what this machine lacks; .ci/run installs it and sets ``WINNOW_ALL_TESTS``: there it fails."""
    pytest.fail(what) if os.environ.get("WINNOW_ALL_TESTS") else pytest.skip(f"{what} (.ci/run runs this)")


def environment(**extra: str) -> dict[str, str]:
    """This environment, with our packages on the path of every Python it starts."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **extra}


def winnow(*arguments: str, sets: Sequence[str] = (), timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """One `winnow` command; ``sets`` become ``--set`` options."""
    options = [part for value in sets for part in ("--set", value)]
    command = [sys.executable, "-m", "jobs.cli", *arguments, *options]
    return subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=timeout, cwd=ROOT, check=False
    )


def kill_when(is_time: Callable[[str], bool], *arguments: str, sets: Sequence[str], timeout: float = 240) -> bool:
    """Start `winnow` and SIGKILL it and everything it started once ``is_time`` says so of what it printed so far.

    False when it came to its end first.
    """
    options = [part for value in sets for part in ("--set", value)]
    command = [sys.executable, "-m", "jobs.cli", *arguments, *options]
    log = Path(arguments[arguments.index("--lake") + 1] + ".log")
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment(), stdout=out, stderr=out, cwd=ROOT, start_new_session=True)
        deadline = time.monotonic() + timeout
        while process.poll() is None and time.monotonic() < deadline:
            if is_time(log.read_text(errors="replace")):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                return True
            time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
    return False
