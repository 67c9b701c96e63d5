"""What does a job cost on inputs of several sizes? Each run is a process of its own that prints what it took."""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """One run on ``rows`` conversations: wall and CPU seconds by stage, of which ``session`` and ``job`` are all, and
    whatever else the run printed, by name (bytes of memory ...)."""

    rows: int
    stages: dict[str, list[float]]
    facts: dict[str, int]

    @property
    def wall(self) -> float:
        """Seconds, session included."""
        return self.stages["session"][0] + self.stages["job"][0]

    @property
    def cpu(self) -> float:
        """CPU seconds, session included."""
        return self.stages["session"][1] + self.stages["job"][1]


def build(source: str, lake: str, limit: int, *more: str) -> int:
    """A new lake with the conversations of a folder of LMSYS-schema parquet (benchmarks/chatlake.py, which gets
    ``more`` too); returns how many there are."""
    return int(said("benchmarks.chatlake", ["--input", source, "--lake", lake, *more], limit))


def measure(module: str, arguments: list[str], rows: int, limit: int) -> Measured:
    """Run a module of ours whose last line is JSON with ``stages``."""
    found = json.loads(said(module, arguments, limit))
    return Measured(rows, found.pop("stages"), found)


def workspace(below: str | None) -> tempfile.TemporaryDirectory[str]:
    """A folder for lakes that goes in the end, below this one, which is made if there is none (default: the system's
    temporary folder)."""
    if below:
        os.makedirs(below, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=below)


def once(doc: str | None, runs: list[str]) -> argparse.Namespace:
    """What the command line of such a run says: ``what`` of ``runs``, ``lake`` and overrides ``set``."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=runs)
    parser.add_argument("--lake", required=True)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    return parser.parse_args()


def said(module: str, arguments: list[str], limit: int) -> str:
    """The last line that a module of ours prints, run in a process of its own for at most ``limit`` seconds."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=limit)
    return done.stdout.strip().splitlines()[-1]


def exponents(fixed: Measured, before: Measured, now: Measured) -> tuple[float, float]:
    """By which power of the rows wall and CPU seconds over the fixed cost grew: 1 is in proportion; not a number where
    a run took no more than the fixed cost."""
    growth = now.rows / before.rows
    wall = _power(growth, now.wall - fixed.wall, before.wall - fixed.wall)
    return wall, _power(growth, now.cpu - fixed.cpu, before.cpu - fixed.cpu)


def _power(growth: float, now: float, before: float) -> float:
    return math.log(now / before) / math.log(growth) if min(now, before) > 0 else math.nan
