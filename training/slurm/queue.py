"""What Slurm is asked: to take a batch script, and what became of a job."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from training.errors import RunRefused

ASK_SECONDS = 60
"""How long Slurm's commands may take; its controller answers within seconds or is not there."""


class JobState(NamedTuple):
    """``name`` in Slurm's words (PENDING, RUNNING, COMPLETED, FAILED, TIMEOUT …), and its reason or nodes."""

    name: str
    detail: str = ""


def submit(script: Path) -> str:
    """Hand the script to Slurm and return the job's id. Raises RunRefused with Slurm's own words if it says no."""
    return _ask(["sbatch", "--parsable", str(script)]).split(";")[0].strip()


def state(job_id: str) -> JobState | None:
    """The job's state; None when Slurm no longer knows the job, or is not there to be asked."""
    try:
        return _queued(job_id) or _accounted(job_id)
    except RunRefused:
        return None


def _queued(job_id: str) -> JobState | None:
    # Slurm keeps a job here for some minutes after its end (MinJobAge); an older one is an error, not an empty answer.
    try:
        lines = _ask(["squeue", "--noheader", "--states=all", "--jobs", job_id, "--format=%T|%R"]).splitlines()
    except RunRefused:
        return None
    return JobState(*lines[-1].split("|", 1)) if lines else None


def _accounted(job_id: str) -> JobState | None:
    """From the accounting database, or from the log of completed jobs where there is no database.

    Of the allocation alone: the steps of a job are lines of their own, and the last one is not how the job ended.
    """
    for source in ([], ["--completion"]):
        command = ["sacct", *source, "--allocations", "--noheader", "--parsable2", "--jobs", job_id, "--format=state"]
        lines = _ask(command, allowed=(0, 1)).splitlines()
        if lines:
            return JobState(lines[-1].split()[0])
    return None


def _ask(command: Sequence[str], allowed: Sequence[int] = (0,)) -> str:
    if shutil.which(command[0]) is None:
        raise RunRefused(
            f"expected Slurm's `{command[0]}` on the PATH, found none: run this on a login node of the cluster, or use "
            "--scheduler local"
        )
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS)
    except subprocess.TimeoutExpired:
        raise RunRefused(
            f"`{command[0]}` did not answer in {ASK_SECONDS} s: is slurmctld up? (scontrol ping)"
        ) from None
    if answer.returncode not in allowed:
        words = " ".join(answer.stderr.split()) or f"exit code {answer.returncode}"
        raise RunRefused(f"Slurm refused `{' '.join(command)}`: {words}")
    return answer.stdout
