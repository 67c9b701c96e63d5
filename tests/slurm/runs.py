"""`winnow submit` and Slurm's own commands, for one cluster and one lake."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

PATIENCE = 900
"""Seconds after which a test gives up: far more than an idle machine takes, for one that is busy."""

SMALL = (
    "launch.processes_per_node=1",
    "launch.env={OMP_NUM_THREADS: '1'}",
    "launch.time_limit='01:00:00'",
    # So long before the limit that a limit of ten minutes is near at once.
    "launch.signal_seconds=600",
    "schedule.logging_steps=1",
    "schedule.max_steps=12",
    "schedule.eval_steps=0",
    "schedule.save_steps=0",
)


_ALIVE = ("PENDING", "RUNNING", "STOPPED", "SIGNALING", "COMPLETING")
"""States of a job that goes on; STOPPED is one that got SIGSTOP, SIGNALING one that a signal is on its way to."""


@dataclass(frozen=True)
class Cluster:
    """A running Slurm by its slurm.conf, and the folder with the lake that its runs train from."""

    conf: Path
    data: Path

    def ask(self, *command: str) -> str:
        """What a command of Slurm's answers."""
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout.strip()

    @property
    def environment(self) -> dict[str, str]:
        """Where Slurm's commands find the cluster."""
        return {**os.environ, "SLURM_CONF": str(self.conf)}

    def winnow(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `winnow`, as on a login node."""
        command = [sys.executable, "-m", "jobs.cli", *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=PATIENCE)

    def submit(self, name: str, *words: str, settings: tuple[str, ...] = ()) -> tuple[str, Path]:
        """`winnow submit` on two nodes; the job's id and the run's folder."""
        out = self.data / name
        lake, cache = self.data / "lake", f"data.cache={self.data / 'cache'}"
        chosen = [word for setting in (*SMALL, cache, *settings) for word in ("--set", setting)]
        where = ["--config", "smoke", "--scheduler", "slurm", "--nodes", "2", "--lake", str(lake), "--out", str(out)]
        pin = [] if "--pin" in words else ["--pin", "baseline"]
        submitted = self.winnow("submit", *where, *pin, *words, *chosen)
        assert submitted.returncode == 0, submitted.stderr
        return submitted.stdout.strip(), out

    def job(self, job_id: str) -> dict[str, str]:
        """The fields of `scontrol show job`."""
        return dict(re.findall(r"(\w+)=(\S*)", self.ask("scontrol", "show", "job", job_id)))

    def until(self, job_id: str, state: str) -> dict[str, str]:
        """Wait until the job is in this state; its fields."""
        return wait_for(f"job {job_id} is {state}", lambda: self._if(job_id, state))

    def _if(self, job_id: str, state: str) -> dict[str, str] | None:
        found = self.job(job_id)
        return found if found["JobState"] == state else None

    def sees(self, job_id: str, what: str, found: Callable[[], Any]) -> Any:
        """The first true answer while the job lives; AssertionError if it fails first."""

        def answer() -> Any:
            state = self.job(job_id)["JobState"]
            assert state in _ALIVE, f"{state} before {what}"
            return found()

        return wait_for(what, answer)

    def until_ended(self, job_id: str) -> tuple[str, str]:
        """Wait until the job is neither waiting nor running; its state and exit code."""

        def ended() -> dict[str, str] | None:
            found = self.job(job_id)
            return None if found["JobState"] in _ALIVE else found

        found = wait_for(f"job {job_id} has ended", ended)
        return found["JobState"], found["ExitCode"]

    def state(self, out: Path) -> dict[str, Any]:
        """What `winnow jobs --json` says of a run."""
        found: dict[str, Any] = json.loads(self.winnow("jobs", str(out), "--json").stdout)
        return found


def losses(out: Path) -> list[tuple[int, float]]:
    """Step and loss of each line of a run's numbers."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line["loss"]) for line in lines if "loss" in line]


def log(out: Path) -> str:
    """Everything the job has printed."""
    return "".join(path.read_text() for path in out.glob("*.out"))


def rank_process(out: Path, rank: int) -> int | None:
    """The process that trains this run as this rank, once there is one."""
    ranks = (one for one in _processes(out) if one.command[1:3] == [b"-m", b"training.sft"])
    return next((one.number for one in ranks if f"RANK={rank}".encode() in one.environment), None)


def preparing_process(out: Path) -> int | None:
    """The process that prepares this run, once there is one."""
    return next((one.number for one in _processes(out) if b"--prepare" in one.command), None)


class _Process(NamedTuple):
    number: int
    command: list[bytes]
    environment: list[bytes]


def _processes(out: Path) -> Iterator[_Process]:
    """All that name the run's folder on their command line."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(out).encode() in command:
            yield _Process(int(folder.name), command, environment)


def wait_for(what: str, found: Callable[[], Any]) -> Any:
    """The first true answer; AssertionError if there is none for very long."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := found()):
        assert time.monotonic() < deadline, f"waited {PATIENCE} s until {what}"
        time.sleep(0.3)
    return answer
