"""What ``winnow submit`` leaves in a run's folder for those who ask later: where it was placed, and how it ended."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conf.training import Training
from training.checkpoints import write_whole

FOLDER = "launch"
"""The folder below a run's ``--out`` with its script, its record (``RECORD``) and how it ended (``exit-code``)."""
RECORD = "launch.json"


def write(out: Path, settings: Training, job_id: str | None, pid: int | None = None) -> None:
    """What ``winnow jobs`` needs to find the run again: the Slurm job's id, or its process and host where there is no
    job."""
    launch = settings.launch
    record = {
        "name": settings.name,
        "scheduler": launch.scheduler,
        "job_id": job_id,
        "pid": pid,
        "host": None if pid is None else os.uname().nodename,
        "nodes": launch.nodes,
        "processes_per_node": launch.local_ranks,
        "submitted": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_whole(folder(out) / RECORD, json.dumps(record, indent=1) + "\n")  # `winnow jobs` may read it right now


def read(out: Path) -> dict[str, Any] | None:
    """What ``write`` wrote; None for a folder that no run was submitted to."""
    try:
        found: dict[str, Any] = json.loads((out / FOLDER / RECORD).read_text(encoding="utf-8"))
        return found
    except FileNotFoundError:
        return None


def clear_end(out: Path) -> None:
    """Forget how the run here before this one ended."""
    _end(out, None).unlink(missing_ok=True)


def write_end(out: Path, code: int) -> None:
    """How the run here ended."""
    folder(out)
    write_whole(_end(out, None), f"{code}\n")


def exit_code(out: Path, job_id: str | None) -> str | None:
    """How this Slurm job, or the run here (None), ended, if it has and could still say so."""
    try:
        return _end(out, job_id).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def _end(out: Path, job_id: str | None) -> Path:
    """A Slurm job has a file of its own, which its script writes: one may be started by hand beside another."""
    return out / FOLDER / (f"exit-code-{job_id}" if job_id else "exit-code")


def folder(out: Path) -> Path:
    """``FOLDER`` of a run, there from now on."""
    made = out / FOLDER
    made.mkdir(parents=True, exist_ok=True)
    return made
