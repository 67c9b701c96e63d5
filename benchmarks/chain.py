"""How long does the whole job take, and how much memory does it need at most? One `winnow run` in a process of its own.

    python -m benchmarks.chain                       (our own sample of 20,000 conversations)
    python -m benchmarks.chain --input FOLDER --config lmsys

Prints what the run prints, then wall seconds and the peak of the memory of Java and all Python workers together (PSS:
pages they share are counted once), looked at twice a second. Linux.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from jobs.sample.generate import write_sample

_TICK_SECONDS = 0.5


def main() -> int:
    """Run, measure, print; returns the run's exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", nargs="+", help="default: our own sample")
    parser.add_argument("--config", default="smoke")
    parser.add_argument("--conversations", type=int, default=20_000, help="size of the sample (default: 20000)")
    parser.add_argument("--lake", help="default: a temporary one, removed in the end")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if not options.input:
            write_sample(f"{folder}/sample", options.conversations)
        inputs = options.input or [f"{folder}/sample"]
        return _measure(options.config, inputs, options.lake or f"{folder}/lake")


def _measure(config: str, inputs: list[str], lake: str) -> int:
    command = [sys.executable, "-m", "jobs.cli", "run", "--config", config, "--lake", lake, "--input", *inputs]
    started, peak = time.monotonic(), 0
    process = subprocess.Popen(command, start_new_session=True)
    while process.poll() is None:
        peak = max(peak, sum(_memory(pid) for pid in _session_of(process.pid)))
        time.sleep(_TICK_SECONDS)
    print(f"{time.monotonic() - started:.0f} s, peak memory {peak / 2**20:.2f} GB, {os.cpu_count()} cores")
    return process.returncode


def _session_of(leader: int) -> list[int]:
    """The processes of the session that ``leader`` began."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == leader:
                found.append(int(entry.name))
    return found


def _memory(pid: int) -> int:
    """Proportional set size of a process in kB; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


if __name__ == "__main__":
    raise SystemExit(main())
