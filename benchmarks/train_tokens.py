"""How fast do chats become masked, packed tokens? Ours against TRL's preparation of the same rows (``datasets.map``).

    python -m benchmarks.train_tokens [--trl PYTHON] [--lmsys FOLDER] [--rows 4000]

``PYTHON`` is an interpreter whose environment has trl 1.16 beside what ``.[train]`` installs; without it only
our own speed is printed. ``FOLDER`` holds chats as LMSYS-Chat-1M has them; without it they are made up. The tokenizer
is a byte-level BPE trained on the rows, the same for both. Seconds of CPU are those of all processes together, so that
rows a CPU second can be compared on a busy machine. Reading the lake and writing the cache are in our seconds; TRL has
its rows in memory.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from benchmarks.meter import cpu_seconds
from benchmarks.train_loop import conversations
from conf.recipe import load
from conf.training import Training

MAX_TOKENS = 2048


def main() -> None:
    """Print one line a way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trl", metavar="PYTHON", help="interpreter of an environment with trl")
    parser.add_argument("--lmsys", metavar="FOLDER", help="chats as LMSYS-Chat-1M has them, in Parquet")
    parser.add_argument("--rows", type=int, default=4000)
    args = parser.parse_args()
    chats = lmsys(args.lmsys, args.rows) if args.lmsys else conversations(args.rows)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), chats, args.trl)


def lmsys(folder: str, rows: int) -> list[list[dict[str, str]]]:
    """The first conversations of a folder of Parquet files."""
    chats = pq.read_table(folder, columns=["conversation"]).slice(0, rows)["conversation"].to_pylist()
    return [[{"role": turn["role"], "content": turn["content"]} for turn in chat] for chat in chats]


def measure(folder: Path, chats: list[list[dict[str, str]]], trl: str | None) -> None:
    """Prepare the same rows each way."""
    from tests.versions.lakes import make_lake, publish, rows_of
    from training.corpus import open_version
    from training.tiny import base_model

    lake = make_lake(folder / "lake", 1)
    publish(lake, rows_of(chats))
    corpus = open_version(lake)
    model = base_model(corpus, settings_for(folder, 1))
    ours = {workers: prepare(corpus, model, settings_for(folder, workers)) for workers in (1, 2)}
    for workers, (wall, cpu, packs, tokens) in ours.items():
        tell(f"winnow, {workers} process{'es' * (workers > 1)}", len(chats), wall, cpu, packs)
        print(f"{'':<28}{tokens / cpu:>9,.0f} tokens a CPU second")
    if not trl:
        return
    rows = folder / "rows.jsonl"
    rows.write_text("".join(json.dumps({"messages": chat}) + "\n" for chat in chats))
    for processes in (0, 2):
        command = [trl, "-m", "benchmarks.trl_tokens", model, str(rows), str(MAX_TOKENS), str(processes)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        wall, cpu, packs = map(float, done.stdout.split()[-3:])
        tell(f"TRL, {f'num_proc={processes}' if processes else 'one process'}", len(chats), wall, cpu, packs)
        best_wall, best_cpu = (min(one[place] for one in ours.values()) for place in (0, 1))
        print(f"{'':<28}winnow's best is {cpu / best_cpu:.1f} x a CPU second, {wall / best_wall:.1f} x in wall time")


def settings_for(folder: Path, workers: int) -> Training:
    """The smoke recipe with a long context and a cache of its own for each number of workers."""
    cache = folder / f"cache{workers}"
    changes = [f"data.cache={cache}", f"data.workers={workers}", f"data.max_tokens={MAX_TOKENS}"]
    return load("smoke", changes, tree=Training)


def prepare(corpus: Any, model: str, settings: Training) -> tuple[float, float, int, int]:
    """Wall and CPU seconds from the lake to packs, the number of packs, and of tokens."""
    from training import tokens
    from training.packing import PackedRows

    PackedRows(tokens.look(corpus, model, settings, 1).train, MAX_TOKENS)  # compiles the packing kernel, once a machine
    before, start = cpu_seconds(os.getpid()), time.perf_counter()
    made = tokens.look(corpus, model, settings, corpus.rows)
    packs = sum(len(PackedRows(split, MAX_TOKENS)) for split in (made.train, made.eval))
    seen = int(made.stats["train.tokens"] + made.stats["eval.tokens"])
    return time.perf_counter() - start, cpu_seconds(os.getpid()) - before, packs, seen


def tell(who: str, rows: int, wall: float, cpu: float, packs: float) -> None:
    """One line."""
    print(f"{who:<24}{rows / wall:>9,.0f} rows/s {rows / cpu:>9,.0f} rows a CPU second  {packs:,.0f} packs", flush=True)


if __name__ == "__main__":
    main()
