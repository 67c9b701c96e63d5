"""How fast is annotate, and what does each rule cost? The real job on real tables, one process a run.

    python -m benchmarks.annotate --input 10k/data --input 100k/data --input 1m

Inputs are folders of LMSYS-schema parquet, smallest first. Prints for each, under the recipe ``lmsys``: conversations
and MB of text a second, wall and CPU seconds (Java and Python, children included), the largest Java and the largest
Python process; the floor, Spark reading the same texts and counting their characters; and the growth from input to
input over the fixed cost (a thousandth of the first input). Then, from a sample of the last input, what naive code
takes for edits and masks alone (benchmarks/annotate_rows.py), against all of annotate over its fixed cost; and each
step's share of the kernel on the first input (benchmarks/annotate_steps.py). Linux.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass

from benchmarks import growth
from benchmarks.growth import Measured
from conf import tables

_ONCE = "benchmarks.annotate_once"
_FIXED_SHARE = 0.001


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    inputs: list[str]
    folder: str
    overrides: list[str]
    limit: int
    sample: int


@dataclass(frozen=True)
class Lake:
    """A lake to annotate and how many conversations it has."""

    path: str
    rows: int


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", action="append", required=True, metavar="FOLDER")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a setting")
    parser.add_argument("--work", metavar="FOLDER", help="where lakes are built (default: a temporary folder)")
    parser.add_argument("--limit", type=int, default=1_800, metavar="SECONDS", help="for one run (default: 1800)")
    parser.add_argument("--sample", type=int, default=2_000, help="conversations for naive code (default: 2000)")
    given = parser.parse_args()
    with growth.workspace(given.work) as folder:
        overrides = [word for one in given.set for word in ("--set", one)]
        options = Options(given.input, folder, overrides, given.limit, given.sample)
        fixed, last = _print_growth(options)
        _print_naive(fixed, last, options)
    return _print_steps(options)


def _print_growth(options: Options) -> tuple[Measured, Measured]:
    """Returns the fixed cost and what the last input took."""
    fixed = _once("annotate", _build(options, options.inputs[0], "fixed", _FIXED_SHARE), options)
    print(f"fixed cost ({fixed.rows:,} rows): {fixed.wall:.1f} s wall, {fixed.cpu:.1f} CPU-s, {os.cpu_count()} cores\n")
    found: list[Measured] = []
    for place, source in enumerate(options.inputs):
        lake = _build(options, source, f"lake{place}")
        floor = _once("floor", lake, options)
        found.append(_once("annotate", lake, options))
        _print_costs(source, found[-1], floor, fixed)
        if place:
            wall, cpu = growth.exponents(fixed, *found[-2:])
            grown = f"growth from {found[-2].rows:,} rows over the fixed cost"
            print(f"{grown}: exponent {wall:.2f} of wall, {cpu:.2f} of CPU\n", flush=True)
    return fixed, found[-1]


def _build(options: Options, source: str, name: str, share: float = 1.0) -> Lake:
    path = os.path.join(options.folder, name)
    more = ["--table", tables.CONVERSATIONS_RAW, "--share", str(share)]
    return Lake(path, growth.build(source, path, options.limit, *more))


def _once(what: str, lake: Lake, options: Options) -> Measured:
    return growth.measure(_ONCE, [what, "--lake", lake.path, *options.overrides], lake.rows, options.limit)


def _print_costs(source: str, found: Measured, floor: Measured, fixed: Measured) -> None:
    size = floor.facts["bytes"] / 1e6
    print(f"## {source}: {found.rows:,} conversations, {size:.1f} MB of text\n")
    print("| | wall s | CPU-s | conversations/s | MB/s |\n|---|--:|--:|--:|--:|")
    job, read = found.stages["job"], floor.stages["job"]
    for name, wall, cpu in (
        ("annotate", found.wall, found.cpu),
        ("of it, without the session", *job),
        ("of it, over the fixed cost", found.wall - fixed.wall, found.cpu - fixed.cpu),
        ("floor: Spark counts characters", floor.wall, floor.cpu),
        ("of it, without the session", *read),
    ):
        print(f"| {name} | {wall:.1f} | {cpu:.1f} | {found.rows / wall:,.0f} | {size / wall:.2f} |")
    ratio = f"{found.wall / floor.wall:.2f} times the floor's wall, {found.cpu / floor.cpu:.2f} times its CPU"
    java, worker = (found.facts[name] / 1e9 for name in ("java", "worker"))
    print(f"\n{ratio}; largest process: Java {java:.2f} GB, Python {worker:.2f} GB\n", flush=True)


def _print_naive(fixed: Measured, last: Measured, options: Options) -> None:
    """One plain UDF an edit or mask on a sample of the last input; what all rows would take follows from that."""
    lake = _build(options, options.inputs[-1], "sample", min(1.0, options.sample / last.rows))
    wall, cpu = _once("naive", lake, options).stages["job"]
    times = last.rows / lake.rows
    print(f"## Edits and masks, a plain Python UDF each, {lake.rows:,} conversations, without the session\n")
    more = wall * times / (last.wall - fixed.wall), cpu * times / (last.cpu - fixed.cpu)
    ratio = f"{more[0]:.1f} times the wall of all of annotate over its fixed cost, {more[1]:.1f} times its CPU"
    print(f"{wall:.1f} s wall, {cpu:.1f} CPU-s, when all is imported and compiled")
    print(f"extrapolated to {last.rows:,}: {wall * times:.0f} s wall, {cpu * times:.0f} CPU-s; {ratio}\n", flush=True)


def _print_steps(options: Options) -> int:
    """Each step's share of the kernel, on the first input; returns the exit code of the process."""
    print("## The kernel by step\n", flush=True)
    command = [sys.executable, "-m", "benchmarks.annotate_steps", "--input", options.inputs[0], *options.overrides]
    return subprocess.run(command, timeout=options.limit).returncode


if __name__ == "__main__":
    raise SystemExit(main())
