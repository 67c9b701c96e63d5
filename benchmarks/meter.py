"""What does a piece of work cost? Wall seconds, CPU seconds and memory of this process and all its descendants. Linux.

The JVM and Spark's Python workers are descendants of the process that opened the session, so they are counted.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_TICK_SECONDS = 0.5
_CLOCK = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """``cpu`` is user and system time of all processes, those that ended included."""

    wall: float
    cpu: float


class Meter:
    """Costs of named stages, and while the meter runs the ``peak`` of the memory of all together and the ``largest``
    process of each program below this one.

    It has the two methods that jobs call on :class:`jobs.progress.Progress`, so a job can be measured from within. What
    looking at memory costs, up to a second in twenty, is not counted.
    """

    def __init__(self) -> None:
        self.stages: dict[str, Cost] = {}
        self.peak = 0
        self.largest: dict[str, int] = {}
        self._own = 0.0
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "Meter":
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._sampler.join()

    @contextmanager
    def stage(self, name: str, size: int = 0) -> Iterator[None]:
        """Add what the block costs to the stage of this name."""
        wall, cpu = time.monotonic(), cpu_seconds(os.getpid()) - self._own
        yield
        before = self.stages.get(name, Cost(0.0, 0.0))
        spent = Cost(time.monotonic() - wall, cpu_seconds(os.getpid()) - self._own - cpu)
        self.stages[name] = Cost(before.wall + spent.wall, before.cpu + spent.cpu)

    def say(self, text: str) -> None:
        """What a job says is not what is measured."""

    def total(self) -> Cost:
        """All stages together."""
        return Cost(sum(cost.wall for cost in self.stages.values()), sum(cost.cpu for cost in self.stages.values()))

    def _sample(self) -> None:
        while not self._done.wait(_TICK_SECONDS):
            self.peak = max(self.peak, memory(os.getpid()))
            for program, size in largest(os.getpid()).items():
                self.largest[program] = max(self.largest.get(program, 0), size)
            self._own = time.thread_time()


def cpu_seconds(leader: int) -> float:
    """User and system time of a process and its descendants, with what their ended and reaped children used."""
    ticks = [_stat(process)[11:15] for process in tree(leader)]
    return sum(int(value) for fields in ticks for value in fields) / _CLOCK


def memory(leader: int) -> int:
    """Bytes held by a process and its descendants (proportional set size: a page several share is counted once)."""
    return sum(_held(process) for process in tree(leader))


def largest(leader: int) -> dict[str, int]:
    """By program, ``java`` or ``python``, the most bytes that one descendant of a process has held so far: its resident
    set, with what it shares with others."""
    found: dict[str, int] = {}
    for process in tree(leader)[1:]:
        name, size = _status(process)
        program = name.rstrip("0123456789.")  # python3.11 is a python
        found[program] = max(found.get(program, 0), size)
    return found


def tree(leader: int) -> list[int]:
    """A process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [leader]
    for process in found:
        found += children.get(process, [])
    return found


def _stat(process: int) -> list[str]:
    """The fields of /proc/PID/stat after the name (which may hold spaces); none when the process is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _held(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def _status(process: int) -> tuple[str, int]:
    """A process's name and the largest size (bytes) of its resident set; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return "", 0
    fields = dict(line.split(":", 1) for line in lines)
    return fields["Name"].strip(), int(fields.get("VmHWM", "0").split()[0]) * 1024
