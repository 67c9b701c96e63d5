"""`winnow submit --scheduler local`: the run itself, in the place of the command."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.slurm.runs import wait_for
from training import monitor


def test_a_local_run_is_the_command_and_winnow_jobs_knows_it(data: Path, tmp_path: Path) -> None:
    settings = ("schedule.max_steps=3", "launch.processes_per_node=1", f"data.cache={data / 'cache'}")
    where = ["--lake", str(data / "lake"), "--pin", "baseline", "--out", str(tmp_path / "run")]
    chosen = [word for setting in settings for word in ("--set", setting)]
    command = [sys.executable, "-m", "jobs.cli", "submit", "--config", "smoke", "--scheduler", "local"]
    done = subprocess.run([*command, *where, *chosen], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    state = monitor.state(tmp_path / "run")
    assert (state.state, state.job, state.metrics["step"]) == ("COMPLETED", "local", 3)


def test_a_local_run_that_is_refused_has_the_exit_code_of_the_refusal(data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jobs.cli", "submit", "--config", "smoke", "--scheduler", "local"]
    where = ["--lake", str(data / "lake"), "--pin", "baseline", "--out", str(tmp_path / "run")]
    model = ["--set", "base.tiny=off", "--set", "base.model=/nowhere"]
    done = subprocess.run([*command, *where, *model], capture_output=True, text=True, timeout=900)
    assert done.returncode == 2 and "/nowhere" in done.stderr
    state = monitor.state(tmp_path / "run")
    assert (state.state, state.detail) == ("FAILED", "exit code 2")


def submitted(data: Path, run: Path, script: str) -> list[str]:
    """The command that places a run here, with this shell script in the place of Python."""
    python = run.with_name("python")
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    command = [sys.executable, "-m", "jobs.cli", "submit", "--config", "smoke", "--scheduler", "local"]
    where = ["--lake", str(data / "lake"), "--pin", "baseline", "--out", str(run)]
    return [*command, *where, "--set", f"launch.python={python}", "--set", "launch.env={GREETING: it is heard}"]


ENDS = [("exit 3", 3, "exit code 3"), ("kill -9 $$", 137, "exit code 137")]


@pytest.mark.parametrize(("script", "code", "detail"), ENDS)
def test_a_local_run_has_launch_env_and_leaves_how_it_ended(
    data: Path, tmp_path: Path, script: str, code: int, detail: str
) -> None:
    run = tmp_path / "run"
    (run / "launch").mkdir(parents=True)
    (run / "launch" / "exit-code").write_text("0\n")  # of a job on Slurm, long ago
    seen = f'test -e {run}/launch/exit-code || echo "$GREETING"'
    done = subprocess.run(submitted(data, run, f"{seen}\n{script}"), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (code, "it is heard\n")
    state = monitor.state(run)
    assert (state.state, state.detail) == ("FAILED", detail)


def test_a_signal_to_a_local_run_is_heard_by_it(data: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    script = "trap 'exit 75' USR1\necho ready\nwhile :; do sleep 0.1; done"
    with subprocess.Popen(submitted(data, run, script), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        wait_for("it is on record", lambda: (run / "launch" / "launch.json").is_file())
        assert monitor.state(run).state == "RUNNING"
        process.send_signal(signal.SIGUSR1)
        assert process.wait(60) == 75
    state = monitor.state(run)
    assert (state.state, state.detail) == ("SAVED", "exit code 75: stopped as asked; the same command goes on")
