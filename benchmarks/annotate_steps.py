"""Which rule takes how much of annotate's kernel? Each step alone, in one process, on what it gets in the whole pass.

    python -m benchmarks.annotate_steps --input FOLDER [--rows 10000] [--times 3] [--set KEY=VALUE]

FOLDER: parquet of the LMSYS-Chat-1M schema. One core, no Spark, batches of as many conversations as Spark hands over;
CPU microseconds a message, the best of several rounds after one that compiles. What the steps come to is near the whole
pass, not equal to it: there edits are made in rounds, and memory is not as warm.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from conf import recipe
from jobs.annotate import plan as plan_of
from udfs import digest, facts, keywords, language, pii, quality, rules, turns
from udfs.annotation import Plan, annotate
from udfs.batch import Batch, batch_of, sum_of

BATCH = 2_000
"""Conversations at a time, as in jobs/session.py."""
WHOLE = "the whole pass"


class Chats(NamedTuple):
    """A batch as the kernel gets it: messages flat, conversation ``i`` is messages ``offsets[i]:offsets[i+1]``."""

    roles: pa.Array
    contents: pa.Array
    offsets: np.ndarray


class Clock:
    """CPU seconds of this process by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add what the block takes to the step of this name."""
        started = time.process_time()
        yield
        self.seconds[name] += time.process_time() - started


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True, metavar="FOLDER")
    parser.add_argument("--rows", type=int, default=10_000, help="conversations (default: 10000)")
    parser.add_argument("--times", type=int, default=3, help="rounds, of which the best counts (default: 3)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a setting")
    options = parser.parse_args()
    chats = read(Path(options.input), options.rows)
    found = measure(chats, plan_of(recipe.load("lmsys", options.set).rules), options.times)
    messages = sum(len(batch.roles) for batch in chats)
    size = sum(pc.sum(pc.binary_length(batch.contents)).as_py() for batch in chats) / 1e6
    rows = sum(len(batch.offsets) - 1 for batch in chats)
    print(f"{rows:,} conversations, {messages:,} messages, {size:.1f} MB of text, one core\n")
    for line in table(found, messages):
        print(line)
    return 0


def read(folder: Path, rows: int) -> list[Chats]:
    """The first conversations of the folder's files, in batches."""
    paths = sorted(folder.glob("*-*.parquet"))
    first: list[pa.Table] = []
    for path in paths:
        if sum(map(len, first)) < rows:
            first.append(pq.read_table(path, columns=["conversation"]))
    said = pa.concat_tables(first).slice(0, rows).combine_chunks().column(0)
    return [_flat(batch.column(0)) for batch in pa.table({"said": said}).to_batches(BATCH)]


def _flat(said: pa.ListArray) -> Chats:
    messages, offsets = said.flatten(), said.offsets.to_numpy()
    return Chats(messages.field("role"), messages.field("content"), (offsets - offsets[0]).astype(np.int32))


def measure(chats: list[Chats], plan: Plan, times: int) -> dict[str, float]:
    """CPU seconds of each step for all batches, in the order they run, and of :data:`WHOLE`."""
    _round(chats[:1], plan)  # compiles, and reads lists and models
    rounds = [_round(chats, plan) for _ in range(times)]
    return {name: min(seconds[name] for seconds in rounds) for name in rounds[0]}


def _round(chats: list[Chats], plan: Plan) -> dict[str, float]:
    clock = Clock()
    for batch in chats:
        mended = _edit(batch, plan, clock)
        batch_, labels = _label(mended, plan, clock)
        _judge(batch_, labels, plan, clock)
        with clock.step(WHOLE):
            annotate(*batch, plan)
    return clock.seconds


def _edit(chats: Chats, plan: Plan, clock: Clock) -> Chats:
    roles, contents, offsets = chats
    for edit in rules.EDITS:
        if edit.name in plan.edits:
            with clock.step(edit.name):
                contents, _ = rules.edit(contents, roles, (edit.name,), plan.options)
    with clock.step("repairs of turns"):
        mended = turns.repair(roles, contents, offsets, plan.repairs)
    contents = mended.contents
    for kind in pii.KINDS:
        if kind.name in plan.pii:
            with clock.step(pii.PREFIX + kind.name):
                contents = pii.mask(contents, mended.offsets, (kind.name,)).contents
    return Chats(mended.roles, contents, mended.offsets)


def _label(chats: Chats, plan: Plan, clock: Clock) -> tuple[Batch, pa.Array]:
    """The batch that facts see, and the keyword categories of each message."""
    roles, contents, offsets = chats
    with clock.step("language"):
        verdict = language.detect(contents, plan.min_confidence)
    lists = plan.lists or keywords.shipped()
    with clock.step("keywords"):
        hits = keywords.find(contents, roles, lists)
        labels = keywords.categories(hits, len(contents), lists)
        keywords.of_conversations(labels, offsets)
        keywords.nest(hits, roles, offsets, lists)
    with clock.step("lengths"):
        batch = batch_of(roles, contents, offsets, verdict.codes)
    with clock.step("language"):
        language.of_conversations(verdict, batch.lengths, batch.is_by("user"), offsets)
    return batch, labels


def _judge(batch: Batch, labels: pa.Array, plan: Plan, clock: Clock) -> None:
    found = {}
    for fact in facts.FACTS:
        if fact.name in {*plan.facts, *quality.USES}:
            with clock.step(fact.name):
                found[fact.name] = fact.holds(batch, plan.limits)
    with clock.step("quality"):
        quality.score(batch, found, labels)
    with clock.step("counts and digest"):
        sum_of(batch.is_by("user"), batch.offsets)
        sum_of(batch.lengths, batch.offsets)
        digest.conversations(batch.roles, batch.contents, batch.offsets)


def table(found: dict[str, float], messages: int) -> Iterator[str]:
    """Lines of Markdown, dearest step first: microseconds a message and share of all steps."""
    steps = {name: seconds for name, seconds in found.items() if name != WHOLE}
    total = sum(steps.values())
    yield "| step | us a message | share |\n|---|--:|--:|"
    for name, seconds in sorted(steps.items(), key=lambda item: -item[1]):
        yield f"| {name} | {seconds / messages * 1e6:.2f} | {seconds / total:.1%} |"
    yield f"| all steps | {total / messages * 1e6:.2f} | 100.0% |"
    yield f"| {WHOLE} | {found[WHOLE] / messages * 1e6:.2f} | {found[WHOLE] / total:.1%} |"


if __name__ == "__main__":
    sys.exit(main())
