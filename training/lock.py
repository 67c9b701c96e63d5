"""At most one run at a time in a run's folder: a lock that the kernel drops with the last process that holds it."""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path

from training.errors import RunRefused

FILE = "lock"
INHERITED = "WINNOW_LOCK"
"""Tells a rank by which open file it holds the lock of the `winnow train` that started it."""
REQUEUE_SECONDS = 120.0
"""How long a requeued job waits for its own last attempt: a file server may learn late that a node is gone."""

_held: set[int] = set()


@contextmanager
def held(out: Path) -> Iterator[int]:
    """Hold ``out`` in this block; yields the open file that holds it, for processes that are to hold it too.

    Raises RunRefused at once, naming the process, if another run is at work there.
    """
    inherited = os.environ.get(INHERITED)
    if inherited is not None:
        os.set_inheritable(int(inherited), False)
    file = _take(out) if inherited is None else int(inherited)
    _held.add(file)
    try:
        yield file
    finally:
        _held.discard(file)
        os.close(file)


def check(out: Path) -> None:
    """Raises RunRefused if a run is at work in ``out`` now, or none could write there. Holds and writes nothing."""
    _check_place(out)
    try:
        file = os.open(out / FILE, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        if not _lock(file, LOCK_SH):
            raise _refusal(out, _holder(file))
    finally:
        os.close(file)


def _check_place(out: Path) -> None:
    there = next(place for place in (out.absolute(), *out.absolute().parents) if place.exists())
    if not there.is_dir():
        raise RunRefused(f"--out: expected a folder, found the file {there}: give another --out")
    if not os.access(there, os.W_OK | os.X_OK):
        raise RunRefused(f"--out: expected a folder that this user may write to, found {there}: give another --out")


def _take(out: Path) -> int:
    _check_place(out)
    out.mkdir(parents=True, exist_ok=True)
    file = os.open(out / FILE, os.O_RDWR | os.O_CREAT, 0o666)
    deadline = time.monotonic() + REQUEUE_SECONDS
    while not _lock(file, LOCK_EX):
        holder = _holder(file)
        if not _is_last_attempt(holder) or time.monotonic() > deadline:
            os.close(file)
            raise _refusal(out, holder)
        time.sleep(0.5)
    me = {"host": os.uname().nodename, "pid": os.getpid(), "job": os.environ.get("SLURM_JOB_ID", "")}
    os.ftruncate(file, 0)
    os.pwrite(file, json.dumps(me).encode(), 0)
    return file


def _lock(file: int, kind: int) -> bool:
    try:
        flock(file, kind | LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        print(f"no other run is kept out: no locks on this file system ({error.strerror})", file=sys.stderr)
    return True


def _holder(file: int) -> dict[str, str | int]:
    """Who wrote itself down last; empty between its taking the lock and its writing."""
    try:
        found: dict[str, str | int] = json.loads(os.pread(file, 4096, 0))
        return found
    except ValueError:
        return {}


def _is_last_attempt(holder: dict[str, str | int]) -> bool:
    is_requeued = os.environ.get("SLURM_RESTART_COUNT", "0") != "0"
    return is_requeued and holder.get("job") == os.environ.get("SLURM_JOB_ID")


def _refusal(out: Path, holder: dict[str, str | int]) -> RunRefused:
    job = holder.get("job")
    who = f"process {holder['pid']} on {holder['host']}, or a rank it started" if holder else "another process"
    stop = f"scancel {job}" if job else "kill -USR1: it saves and stops"
    return RunRefused(
        f"expected no run at work in {out}, found one: {who}. Wait until it has ended, stop it ({stop}), "
        "or give another --out."
    )


def _let_go() -> None:
    """A forked child, such as one that loads rows, would hold the lock on after its parent is killed."""
    for file in _held:
        os.close(file)
    _held.clear()


os.register_at_fork(after_in_child=_let_go)
