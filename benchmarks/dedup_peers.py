"""How does the engine compare with others on the same rows, in one table?

    python -m benchmarks.dedup_peers --install                     (once: a virtual environment for each peer)
    python -m benchmarks.dedup_peers --input corpus_10k/data --truth corpus_10k/truth [--only rensa,winnow]

Each peer runs by its own script in ``benchmarks/peers`` with its usual settings, in a process of its own with a time
limit; one that is not installed is named and skipped. The rows are those of the input, messages joined by line ends.

- wall and CPU seconds, child processes included, from start to removals written; for us from the lake's table;
- known pairs of the truth folder of which at least one row is removed, by exact Jaccard;
- errors: removed rows without any kept row, of those the peer removed them for, at Jaccard 0.7 or more (of a sample).

Every Jaccard is worked out in plain Python by the definitions of udfs/tokens.py. Linux.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from deltalake import DeltaTable

from benchmarks import dedup_quality as quality
from benchmarks import plainjaccard
from benchmarks.meter import cpu_seconds
from conf import tables

THRESHOLD = 0.7
PEERS = {
    "datasketch": ("datasketch_lsh.py", ["datasketch"]),
    "rensa": ("rensa_lsh.py", ["rensa"]),
    "gaoya": ("gaoya_index.py", ["gaoya"]),
    "datatrove": ("datatrove_minhash.py", ["datatrove[processing,io]", "orjson", "spacy"]),
    "text-dedup": ("text_dedup_minhash.py", ["text-dedup"]),
    "spark-ml": ("sparkml_lsh.py", ["pyspark==4.1.2"]),
}
"""Each peer's script and what is installed for it, besides pyarrow and numpy."""
OURS = "winnow"
_SAMPLE = 10_000
_TICK_SECONDS = 0.1


class Cost(NamedTuple):
    """Seconds; ``problem`` says in a word why there is no result."""

    wall: float
    cpu: float
    problem: str = ""


def main() -> int:
    """Install, or run and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", metavar="FOLDER")
    parser.add_argument("--truth", metavar="FOLDER")
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--only", metavar="NAMES", default=",".join([OURS, *PEERS]), help="default: all")
    parser.add_argument("--limit", type=int, default=900, metavar="SECONDS", help="for each (default: 900)")
    parser.add_argument("--environments", type=Path, default=_cache(), metavar="FOLDER", help="default: %(default)s")
    options = parser.parse_args()
    names = options.only.split(",")
    if unknown := set(names) - {OURS, *PEERS}:
        parser.error(f"--only: expected names among {', '.join([OURS, *PEERS])}, found {', '.join(sorted(unknown))}")
    if options.install:
        return sum(_install(options.environments / name, PEERS[name][1]) for name in names if name != OURS)
    if not options.input or not options.truth:
        parser.error("--input and --truth are needed, or --install")
    with tempfile.TemporaryDirectory() as work:
        _compare(options, names, Path(work))
    return 0


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "winnow-peers")


def _install(place: Path, packages: list[str]) -> int:
    """Make a peer's environment; returns 1, with what pip said on the screen, when that fails."""
    done = subprocess.run([sys.executable, "-m", "venv", str(place)])
    pip = [str(place / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "pyarrow", "numpy"]
    failed = done.returncode or subprocess.run([*pip, *packages]).returncode
    print(f"{place.name}: {'could not be installed' if failed else 'installed'}", flush=True)
    return int(bool(failed))


def _compare(options: argparse.Namespace, names: list[str], work: Path) -> None:
    rows = _write_rows(options.input, work / "rows.parquet")
    pairs = quality.sample(quality.known_pairs(options.truth), 2 * _SAMPLE)
    texts = quality.read_texts(options.input, {row for pair in pairs for row in pair})
    found = quality.similarities(pairs, texts)
    print(f"{options.input}: {rows:,} rows, {len(found):,} known pairs, {os.cpu_count()} cores\n")
    print(
        "| | CPU-s | wall s | pairs hit at J >= .8 | .7-.8 | removed | of them errors |\n|---|--:|--:|--:|--:|--:|--:|"
    )
    for name in names:
        out = work / f"{name}.parquet"
        cost = _run_ours(options, work, out) if name == OURS else _run_peer(name, options, work, out)
        if cost.problem:
            print(f"| {name} | {cost.cpu:.1f} | {cost.wall:.1f} | {cost.problem} | | | |", flush=True)
            continue
        removed = _removals(out)
        hits = [quality.pairs_hit(found, set(removed), band) for band in quality.BANDS]
        told = f"{hits[0]:.3f} | {hits[1]:.3f} | {len(removed):,} | {_errors(removed, options.input)}"
        print(f"| {name} | {cost.cpu:.1f} | {cost.wall:.1f} | {told} |", flush=True)


def _write_rows(folder: str, path: Path) -> int:
    """The input as ``id``, ``text``; returns how many."""
    files = sorted(str(file) for file in Path(folder).glob("*-*.parquet"))
    table = ds.dataset(files).to_table(columns=["conversation_id", "conversation"])
    texts = ["\n".join(message["content"] for message in messages) for messages in table["conversation"].to_pylist()]
    pq.write_table(pa.table({"id": table["conversation_id"], "text": texts}), path)
    return table.num_rows


def _run_peer(name: str, options: argparse.Namespace, work: Path, out: Path) -> Cost:
    python = options.environments / name / "bin" / "python"
    if not python.exists():
        return Cost(0, 0, f"not installed: run with --install --only {name}")
    script = Path(__file__).parent / "peers" / PEERS[name][0]
    inside = work / name
    inside.mkdir()
    return _timed([str(python), str(script), str(work / "rows.parquet"), str(out), str(inside)], options.limit, work)


def _run_ours(options: argparse.Namespace, work: Path, out: Path) -> Cost:
    lake, here = str(work / "lake"), [sys.executable, "-m"]
    _timed([*here, "benchmarks.chatlake", "--input", options.input, "--lake", lake], options.limit, work)
    cost = _timed([*here, "benchmarks.dedup_once", "dedup", "--lake", lake], options.limit, work)
    if not cost.problem:
        columns = ["conversation_id", "kept_id"]
        table = DeltaTable(os.path.join(lake, tables.DUPLICATES)).to_pyarrow_table(columns=columns)
        pq.write_table(table.rename_columns(["removed", "kept"]), out)
    return cost


def _timed(command: list[str], limit: int, work: Path) -> Cost:
    """Run to its end or the limit. CPU seconds are those of the process and its descendants, looked at often, since a
    JVM outlives the process that began it and is nobody's child then."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYSPARK_PYTHON": command[0]}
    said, started, cpu = work / "said", time.monotonic(), 0.0
    with said.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment, start_new_session=True)
    try:
        while process.poll() is None and time.monotonic() < started + limit:
            cpu = max(cpu, cpu_seconds(process.pid))
            time.sleep(_TICK_SECONDS)
    finally:
        wall, is_late = time.monotonic() - started, process.poll() is None
        if is_late:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if is_late:
        return Cost(wall, cpu, f"not done in {limit} s")
    lines = [line.strip() for line in said.read_text(errors="replace").splitlines() if line.strip()]
    last = lines[-1][:120] if lines else "without a word"
    return Cost(wall, cpu, f"failed: {last}" if process.returncode else "")


def _removals(path: Path) -> dict[str, list[str]]:
    """Each removed row, with the rows it was removed for."""
    found: dict[str, list[str]] = defaultdict(list)
    for row, kept in zip(*(column.to_pylist() for column in pq.read_table(path).columns), strict=True):
        found[row].append(kept)
    return found


def _errors(removed: dict[str, list[str]], folder: str) -> str:
    """How many of (a sample of) the removed rows are below the threshold with every kept row they were removed for."""
    chosen = quality.sample([(row, "") for row in sorted(removed)], _SAMPLE)
    kept_of = {row: [kept for kept in removed[row] if kept not in removed][:20] for row, _ in chosen}
    texts = quality.read_texts(folder, {one for row, kept in kept_of.items() for one in (row, *kept)})
    wrong = 0
    for row, kept in kept_of.items():
        alike = (plainjaccard.jaccard(texts[row].shingles, texts[one].shingles) for one in kept if one in texts)
        wrong += max(alike, default=0.0) < THRESHOLD
    return f"{wrong:,} of {len(kept_of):,}"


if __name__ == "__main__":
    raise SystemExit(main())
