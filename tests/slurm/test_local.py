"""`winnow submit --scheduler local`: the run itself, in the place of the command."""

import subprocess
import sys
from pathlib import Path

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
    assert monitor.state(tmp_path / "run").state == "GONE"
