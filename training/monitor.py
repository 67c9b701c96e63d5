"""How do the runs stand? The state from the scheduler or the run's own files, the numbers from ``metrics.jsonl``.

Example:
    winnow jobs /shared/runs --follow
"""

import argparse
import json
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training import record
from training.commands import above_zero
from training.errors import STOPPED, RunRefused
from training.job import is_finished
from training.slurm import queue

COLUMNS = ("run", "job", "state", "step", "loss", "tokens/s", "left", "where")
TAIL_BYTES = 64_000
"""How much of the end of ``metrics.jsonl`` is read: hundreds of lines."""
ENDED = {
    *("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE"),
    *("PREEMPTED", "REVOKED", "SAVED", "GONE"),
}
"""States that nothing follows; a job that goes back into the queue after one of them is PENDING."""


@dataclass(frozen=True)
class RunState:
    """One run as people ask for it. ``state`` is in Slurm's words, whose STOPPED still holds its nodes; or SAVED, one
    that stopped as asked, to go on later; or GONE, one that ended without saying how; or UNKNOWN, one of another host.
    """

    run: str
    job: str
    state: str
    detail: str
    metrics: dict[str, Any]

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen without someone starting it again."""
        return self.state in ENDED

    def row(self) -> tuple[str, ...]:
        """The cells of ``COLUMNS``."""
        step, steps = self.metrics.get("step"), self.metrics.get("max_steps")
        return (
            self.run,
            self.job,
            self.state,
            f"{step}/{steps}" if step is not None else "-",
            _number(self.metrics.get("loss"), ".4f"),
            _number(self.metrics.get("tokens_per_second"), ",.0f"),
            "-" if self.has_ended else _left(self.metrics),
            self.detail,
        )


def add_commands(commands: Any) -> None:
    """Register ``winnow jobs``; it sets ``run``, a function of the parsed arguments."""
    parser: ArgumentParser = commands.add_parser(
        "jobs",
        help="say how training runs stand: state, step, loss, tokens/s",
        description="Say how the runs that `winnow submit` placed stand.",
        epilog="Example: winnow jobs /shared/runs --follow",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folders", nargs="*", default=["."], metavar="DIR", help="runs, or folders of runs (default: .)"
    )
    parser.add_argument(
        "--follow",
        action="store_true",
        help="print what changes until every run has ended; exit code 1 if one did not complete",
    )
    parser.add_argument("--every", type=above_zero, default=10.0, metavar="SECONDS", help="with --follow (default: 10)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run_jobs)


def run_jobs(args: Namespace) -> int:
    """``winnow jobs``: 0, or with ``--follow`` 1 if a run ended otherwise than COMPLETED."""
    told: list[RunState] = []
    while True:
        states = [state(folder) for folder in find(args.folders)]
        new = [one for one in states if one not in told]
        if new:
            _print(new, as_json=args.json, with_head=not told)
        told = states
        if not args.follow:
            return 0
        if all(one.has_ended for one in states):
            return 0 if all(one.state == "COMPLETED" for one in states) else 1
        time.sleep(args.every)


def find(folders: Sequence[str]) -> list[Path]:
    """The runs that are, or lie directly in, these folders, each once. Raises RunRefused if there are none."""
    found = list(dict.fromkeys(run for folder in folders for run in _runs(Path(folder))))
    if not found:
        raise RunRefused(f"found no run in {', '.join(folders)}: expected a folder given to `winnow submit --out`")
    return found


def state(run: Path) -> RunState:
    """How the run in this folder stands, now."""
    placed = record.read(run)
    if placed is None:
        raise RunRefused(f"expected a folder given to `winnow submit --out`, found none of its files in {run}")
    if placed["job_id"] is None:
        name, detail = _state_here(run, placed["pid"], placed.get("host"))
    else:
        asked = queue.state(placed["job_id"])
        name, detail = asked or _state_by_files(run, placed["job_id"])
    if name in ENDED and (code := record.exit_code(run, placed["job_id"])):
        name, detail = _told(name, code)
    return RunState(run.name, placed["job_id"] or "local", name, detail, last_metrics(run / "metrics.jsonl"))


def last_metrics(path: Path) -> dict[str, Any]:
    """The newest whole line of a run's numbers; empty if there is none yet. A loss is carried on over evaluations."""
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        lines = file.read().splitlines()
    found: dict[str, Any] = {}
    for line in lines:
        try:
            found |= json.loads(line)
        except ValueError:
            continue  # the first, cut by the seek, or the last, still being written
    return found


def _runs(folder: Path) -> Iterator[Path]:
    for place in (folder, *(sorted(folder.iterdir()) if folder.is_dir() else ())):
        if (place / record.FOLDER / record.RECORD).is_file():
            yield place.resolve()


def _state_here(run: Path, pid: int, host: str | None) -> tuple[str, str]:
    """A run without a scheduler, of which nobody knows but its host; a record of before hosts were written has none."""
    if record.exit_code(run, None) is not None or is_finished(run):  # another process may have the number by now
        return _state_by_files(run, None)
    if host not in (None, os.uname().nodename):
        return "UNKNOWN", f"unknown here: runs on {host}"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return _state_by_files(run, None)
    except PermissionError:
        pass
    return "RUNNING", f"process {pid}"


def _state_by_files(run: Path, job_id: str | None) -> tuple[str, str]:
    """What a run that nobody knows any more left behind."""
    code = record.exit_code(run, job_id)
    if is_finished(run) or code == "0":  # the adapter may have been moved away since
        return "COMPLETED", ""
    return ("FAILED", "") if code else ("GONE", "no longer known; its output says how far it came")


def _told(state: str, code: str) -> tuple[str, str]:
    """A run that stopped as asked is no failure, whatever its exit code is to a scheduler."""
    if code != str(STOPPED):
        return state, f"exit code {code}"
    return "SAVED" if state == "FAILED" else state, f"exit code {code}: stopped as asked; the same command goes on"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _left(metrics: dict[str, Any]) -> str:
    if "seconds_per_step" not in metrics:
        return "-"
    seconds = int((metrics["max_steps"] - metrics["step"]) * metrics["seconds_per_step"])
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


def _print(states: Sequence[RunState], as_json: bool, with_head: bool) -> None:
    if as_json:
        for one in states:
            print(json.dumps({"run": one.run, "job": one.job, "state": one.state, "detail": one.detail, **one.metrics}))
    else:
        rows = [*([COLUMNS] if with_head else []), *(one.row() for one in states)]
        widths = [max(len(row[column]) for row in [COLUMNS, *rows]) for column in range(len(COLUMNS))]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    sys.stdout.flush()
