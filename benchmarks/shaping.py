"""How fast are tokens counted, and what would `publish.split_long` and `merge_short` make of a file?

    python -m benchmarks.shaping --input FOLDER --tokenizer tokenizer.json [--rows 20000] [--limit 2048] [--exchanges 8]

FOLDER: parquet of the LMSYS-Chat-1M schema. One core, in this process, no Spark: conversations and MB (UTF-8 text) a
second of CPU for finding exchanges, for finding what to cut, and for counting all that may be cut or joined; then how
many would be cut and joined.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from udfs import digest, shaping, vocabulary
from udfs.shaping import Limits
from udfs.vocabulary import Vocabulary

BATCH = 2_000
"""Conversations at a time, as many as Spark hands over or fewer."""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--tokenizer", required=True)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--limit", type=int, default=2_048, help="tokens of a part and of a joined row (default: 2048)")
    parser.add_argument("--exchanges", type=int, default=8, help="of a joined row (default: 8)")
    options = parser.parse_args()
    words = Vocabulary(vocabulary.read(options.tokenizer), 4)
    batches = _read(Path(options.input), options.rows)
    rows = sum(batch.num_rows for batch in batches)
    size = sum(pc.sum(pc.binary_length(batch.column("contents").flatten())).as_py() for batch in batches) / 1e6
    print(f"{rows:,} conversations, {size:.1f} MB of text, one core")
    limits = Limits(options.limit, options.exchanges, options.limit)
    list(shaping.plan(batches[:1], limits, words))  # compiles, fills the tokenizer's cache as a long run has it
    _timed("exchanges alone", rows, size, lambda: list(shaping.plan(batches, Limits(0, options.exchanges, 0), None)))
    _timed("to cut alone", rows, size, lambda: list(shaping.plan(batches, Limits(options.limit, 0, 0), words)))
    found = _timed("to cut and to join", rows, size, lambda: list(shaping.plan(batches, limits, words)))
    _print(pa.Table.from_batches(found), limits)
    return 0


def _read(folder: Path, rows: int) -> list[pa.RecordBatch]:
    """The first conversations of the folder's files, as :func:`udfs.shaping.plan` takes them."""
    files = sorted(folder.rglob("*.parquet")) if folder.is_dir() else [folder]
    tables = (pq.read_table(file, columns=["conversation_id", "model", "conversation"]) for file in files)
    first = pa.concat_tables(tables).slice(0, rows).combine_chunks()
    return [_flat(batch) for batch in first.to_batches(BATCH)]


def _flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    said = batch.column("conversation")
    offsets, messages = said.offsets, said.flatten()
    starts = pa.array(offsets.to_numpy() - offsets[0].as_py(), pa.int32())
    roles, contents = (pa.ListArray.from_arrays(starts, messages.field(name)) for name in ("role", "content"))
    names = ["conversation_id", "digest", "key", "roles", "contents"]
    identity = batch.column("conversation_id")
    columns = [identity, digest.texts(identity), batch.column("model").cast(pa.string()), roles, contents]
    return pa.RecordBatch.from_arrays(columns, names)


def _timed(what: str, rows: int, size: float, work: Callable[[], list]) -> list:
    started = time.process_time()
    found = work()
    seconds = time.process_time() - started
    print(f"{what:20} {seconds:7.2f} s of CPU {rows / seconds:10,.0f} conversations/s {size / seconds:8.1f} MB/s")
    return found


def _print(found: pa.Table, limits: Limits) -> None:
    is_cut = pc.is_valid(found.column("cuts"))
    parts = pc.sum(pc.list_value_length(found.filter(is_cut).column("cuts"))).as_py() or 0
    print(f"cut: {pc.sum(is_cut).as_py() or 0:,} conversations in {parts:,} parts")
    short = found.filter(pc.invert(is_cut)).select(
        ["conversation_id", "digest", "key", "head", "tokens", "head_tokens"]
    )
    started = time.process_time()
    joined = pa.Table.from_batches(list(shaping.join(short.to_batches(), limits)))
    made = len(np.unique(joined.column("first").to_numpy()))
    print(f"joined: {len(joined):,} of {len(short):,} in {made:,} rows, {time.process_time() - started:.2f} s of CPU")


if __name__ == "__main__":
    raise SystemExit(main())
