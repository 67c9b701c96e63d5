"""How fast and how right is the near-duplicate engine? The real job on real tables, one process a run.

    python -m benchmarks.dedup --input 10k/data --truth 10k/truth --input 100k/data --truth 100k/truth --input 1m
    python -m benchmarks.dedup --input corpus_1m --hot       (200,000 copies of one text among as many other rows)

Inputs are folders of LMSYS-schema parquet, smallest first; for each, in the same order, a truth folder (see
benchmarks/dedup_quality.py; ``-``: none). Prints wall and CPU seconds by stage (session included; Java and Python,
children included), the peak of their memory, bytes shuffled; the floor: the same texts read by Spark into an Arrow
function that does nothing, and by pyarrow; the growth from input to input over the fixed cost (the first input's first
thousandth); and what was missed and what was wrongly removed, every Jaccard worked out again in plain Python. Linux.
"""

import argparse
import os
from dataclasses import dataclass

import pyarrow.compute as pc
from deltalake import DeltaTable

from benchmarks import dedup_quality as quality
from benchmarks import growth
from benchmarks.growth import Measured
from conf import recipe, tables

_PAIRS, _REMOVALS = 20_000, 20_000
"""How many pairs of a truth folder and how many removals are worked out again, at most."""
_HOT_SHARE = 0.4


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    inputs: list[str]
    truths: list[str]
    folder: str
    set: list[str]
    limit: int


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", action="append", required=True, metavar="FOLDER")
    parser.add_argument("--truth", action="append", default=[], metavar="FOLDER")
    parser.add_argument("--hot", action="store_true", help="only the hot bucket, on the last input")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a setting")
    parser.add_argument("--work", metavar="FOLDER", help="where lakes are built (default: a temporary folder)")
    parser.add_argument("--limit", type=int, default=1_800, metavar="SECONDS", help="for one run (default: 1800)")
    given = parser.parse_args()
    with growth.workspace(given.work) as folder:
        options = Options(given.input, given.truth, folder, given.set, given.limit)
        (_hot if given.hot else _growth)(options)
    return 0


def _growth(options: Options) -> None:
    fixed = _measure(_build(options, options.inputs[0], "fixed", "--share", "0.001"), options)
    print(f"fixed cost ({fixed.rows:,} rows): {fixed.wall:.1f} s wall, {fixed.cpu:.1f} CPU-s, {os.cpu_count()} cores\n")
    before = None
    for place, source in enumerate(options.inputs):
        lake = _build(options, source, f"lake{place}")
        found = _measure(lake, options)
        _print_costs(source, found, lake, options)
        if before is not None:
            _print_exponent(fixed, before, found)
        if place < len(options.truths) and options.truths[place] != "-":
            _print_quality(source, options.truths[place], lake[0], options)
        before = found


def _hot(options: Options) -> None:
    source = options.inputs[-1]
    fixed = _measure(_build(options, source, "fixed", "--share", "0.001"), options)
    plain = 0.0
    print("| rows | | wall s | CPU-s | us of CPU a row over the fixed cost | peak GB |\n|--:|---|--:|--:|--:|--:|")
    for kind in ("none", "identical", "nearly"):
        lake = _build(options, source, kind, "--share", str(_HOT_SHARE), "--hot", kind)
        found = _measure(lake, options)
        each = (found.cpu - fixed.cpu) / found.rows * 1e6
        plain = plain or each
        name = "as they are" if kind == "none" else f"half of them {kind} one text"
        ratio = "" if kind == "none" else f" ({each / plain:.2f} times)"
        memory = found.facts["peak"] / 1e9
        print(
            f"| {found.rows:,} | {name} | {found.wall:.1f} | {found.cpu:.1f} | {each:.0f}{ratio} | {memory:.2f} |",
            flush=True,
        )


def _build(options: Options, source: str, name: str, *more: str) -> tuple[str, int]:
    """A new lake with the source's conversations; its path and rows."""
    lake = os.path.join(options.folder, name)
    return lake, growth.build(source, lake, options.limit, *more)


def _measure(lake: tuple[str, int], options: Options, what: str = "dedup") -> Measured:
    overrides = [word for one in options.set for word in ("--set", one)] if what == "dedup" else []
    return growth.measure("benchmarks.dedup_once", [what, "--lake", lake[0], *overrides], lake[1], options.limit)


def _print_costs(source: str, found: Measured, lake: tuple[str, int], options: Options) -> None:
    print(f"## {source}: {found.rows:,} conversations\n\n| stage | wall s | CPU-s |\n|---|--:|--:|")
    for name, (wall, cpu) in found.stages.items():
        if name != "job":
            print(f"| {name} | {wall:.1f} | {cpu:.1f} |")
    print(f"| all, with what lies between | {found.wall:.1f} | {found.cpu:.1f} |")
    floor = _measure(lake, options, "spark").stages
    wall, cpu = (floor["session"][side] + floor["read"][side] for side in (0, 1))
    scan = _measure(lake, options, "scan").stages["scan"]
    print(f"| floor: Spark into an empty Arrow function | {wall:.1f} | {cpu:.1f} |")
    print(f"| of it, without the session | {floor['read'][0]:.1f} | {floor['read'][1]:.1f} |")
    print(f"| floor: bare pyarrow scan | {scan[0]:.1f} | {scan[1]:.1f} |")
    ratio = f"{found.wall / wall:.2f} times the floor's wall, {found.cpu / cpu:.2f} times its CPU"
    peak, shuffled, spilled = (found.facts[name] for name in ("peak", "shuffled", "spilled"))
    sizes = f"peak memory {peak / 1e9:.2f} GB, shuffled {shuffled / 1e6:.0f} MB"
    print(f"\n{ratio}; {sizes}, spilled {spilled / 1e6:.0f} MB\n", flush=True)


def _print_exponent(fixed: Measured, before: Measured, now: Measured) -> None:
    wall, cpu = growth.exponents(fixed, before, now)
    print(f"growth from {before.rows:,} rows: exponent {wall:.2f} of wall, {cpu:.2f} of CPU, over the fixed cost\n")


def _print_quality(source: str, truth: str, lake: str, options: Options) -> None:
    columns = ["level", "conversation_id", "kept_id", "similarity"]
    removed = DeltaTable(os.path.join(lake, tables.DUPLICATES)).to_pyarrow_table(columns=columns)
    gone = set(removed["conversation_id"].to_pylist())
    near = removed.filter(pc.field("level") == "near")
    couples = sorted(zip(near["conversation_id"].to_pylist(), near["kept_id"].to_pylist(), strict=True))
    checked = quality.sample(couples, _REMOVALS)
    pairs = quality.sample(quality.known_pairs(truth), _PAIRS)
    texts = quality.read_texts(source, {row for pair in (*checked, *pairs) for row in pair})
    threshold = recipe.load(None, options.set).dedup.threshold
    again = quality.check_removals(checked, texts, threshold)
    unkept = len(gone & set(removed["kept_id"].to_pylist()))
    print(
        f"removed {len(gone):,}, {near.num_rows:,} of them at level near; {again.checked:,} of those worked out again: "
    )
    print(f"{again.wrong} below {threshold}, the least {again.least:.3f}; {unkept} kept rows that are not kept\n")
    found = quality.similarities(pairs, texts)
    print("| script | rows with a partner | still with a kept one | | of the known pairs hit |")
    print("|---|--:|--:|--:|--:|")
    for band in quality.BANDS:
        hit = quality.pairs_hit(found, gone, band)
        for script, (had, still) in quality.left_over(found, gone, texts, band).items():
            shown = f"{hit:.3f}" if script == "all" else ""
            print(f"| {script}, J from {band[0]} | {had:,} | {still:,} | {still / had:.2%} | {shown} |")
    print(flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
