"""What does an added batch cost? The last tenth of the rows, compared with nine tenths that were compared before.

    python -m benchmarks.dedup_added --input FOLDER [--set dedup.contained=off] [--share 0.9]

The input is a folder of LMSYS-schema parquet. Prints wall and CPU seconds, session included, each run in a process of
its own: of the rows before, of the rows added to them, of the same rows alone, and what Spark takes to hand the
signatures of the rows before to an empty Arrow function.
"""

import argparse
import os

from benchmarks import growth


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True, metavar="FOLDER")
    parser.add_argument("--share", type=float, default=0.9, help="of the rows, those before (default: 0.9)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a setting")
    parser.add_argument("--work", metavar="FOLDER", help="where lakes are built (default: a temporary folder)")
    parser.add_argument("--limit", type=int, default=1_800, metavar="SECONDS", help="for one run (default: 1800)")
    options = parser.parse_args()
    with growth.workspace(options.work) as folder:
        _compare(options, os.path.join(folder, "lake"), os.path.join(folder, "alone"))
    return 0


def _compare(options: argparse.Namespace, lake: str, alone: str) -> None:
    before, after = ["--share", str(options.share)], ["--after", str(options.share)]
    print("| | wall s | CPU-s |\n|---|--:|--:|")
    growth.build(options.input, lake, options.limit, *before)
    _told("before", lake, options)
    scan, _ = _told("their signatures, read", lake, options, "index")
    growth.build(options.input, lake, options.limit, *after)
    added, _ = _told("added to them", lake, options)
    growth.build(options.input, alone, options.limit, *after)
    by_itself, _ = _told("alone", alone, options)
    times = f"{added / by_itself:.2f} times what it takes alone"
    print(f"\nan added batch takes {times}, and {(added - scan) / by_itself:.2f} times without reading the signatures")


def _told(name: str, lake: str, options: argparse.Namespace, what: str = "dedup") -> tuple[float, float]:
    """Wall and CPU seconds of a run, which are printed; of a read those of the session are left out."""
    overrides = [word for one in options.set for word in ("--set", one)]
    found = growth.measure("benchmarks.dedup_once", [what, "--lake", lake, *overrides], 0, options.limit)
    wall, cpu = (found.wall, found.cpu) if what == "dedup" else found.stages["read"]
    print(f"| {name} | {wall:.1f} | {cpu:.1f} |", flush=True)
    return wall, cpu


if __name__ == "__main__":
    raise SystemExit(main())
