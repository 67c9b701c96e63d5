"""Was the right taken away, and enough of it? Removals and known pairs, each Jaccard worked out again in plain Python.

A truth folder holds, as parquet, any of: ``exact_pairs*.parquet`` (``id_a, id_b, jaccard``: all pairs there are),
``planted.parquet`` (``conversation_id, source_id, root_id, jaccard_w5, jaccard_w5_root``), ``truth.parquet``
(``conversation_id, root_id``).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from benchmarks import plainjaccard
from udfs import scripts

BANDS = ((0.8, 1.01), (0.7, 0.8))
"""Pairs are judged in these bands of similarity, from and below."""
_ANY_SCRIPT = "all"
_LEAST_TOLD = 0.6
"""Pairs of which the truth itself says less are not worked out again."""

Pair = tuple[str, str]


class Text(NamedTuple):
    """One conversation: its shingles and the script of most of its letters."""

    shingles: frozenset[tuple[str, ...]]
    script: str


class Removals(NamedTuple):
    """Removals looked at again: ``wrong`` have a Jaccard below the threshold with the row kept for them."""

    checked: int
    wrong: int
    least: float


class Left(NamedTuple):
    """Rows that had a partner in a band, and those of them that are kept and still have a kept partner there."""

    had: int
    still: int


def read_texts(folder: str, ids: Iterable[str]) -> dict[str, Text]:
    """The conversations with these ids from a folder of LMSYS-schema parquet."""
    wanted = pc.field("conversation_id").isin(pa.array(sorted(set(ids)), pa.string()))
    files = sorted(str(path) for path in Path(folder).glob("*-*.parquet"))
    found = {}
    for batch in ds.dataset(files).to_batches(columns=["conversation_id", "conversation"], filter=wanted):
        rows = batch.to_pydict()
        for name, messages in zip(rows["conversation_id"], rows["conversation"], strict=True):
            contents = [message["content"] for message in messages]
            found[name] = Text(plainjaccard.shingles(contents), _script(contents))
    return found


def _script(contents: list[str]) -> str:
    counts = scripts.count(pa.array(["".join(contents)]))[0]
    counts[0] = 0
    return scripts.NAMES[counts.argmax()] if counts.any() else "none"


def known_pairs(folder: str) -> list[Pair]:
    """The pairs of conversations that the truth folder says may be alike, each once, in order."""
    pairs: set[Pair] = set()
    for path in sorted(Path(folder).glob("*.parquet")):
        table = pq.read_table(path)
        if {"id_a", "id_b", "jaccard"} <= set(table.column_names):
            pairs |= _pairs(table, "id_a", "id_b", "jaccard")
        elif {"source_id", "jaccard_w5"} <= set(table.column_names):
            pairs |= _pairs(table, "conversation_id", "source_id", "jaccard_w5")
            pairs |= _pairs(table, "conversation_id", "root_id", "jaccard_w5_root")
        elif path.stem == "truth":
            pairs |= _pairs(table, "conversation_id", "root_id", None)
    return sorted(pairs)


def _pairs(table: pa.Table, one: str, other: str, told: str | None) -> set[Pair]:
    table = table if told is None else table.filter(pc.field(told) >= _LEAST_TOLD)
    both = zip(table[one].to_pylist(), table[other].to_pylist(), strict=True)
    return {(min(a, b), max(a, b)) for a, b in both if a != b}


def sample(items: list[Pair], most: int) -> list[Pair]:
    """At most so many of the pairs, the same ones every time."""
    if len(items) <= most:
        return items
    return [items[place] for place in np.sort(np.random.default_rng(1).permutation(len(items))[:most])]


def check_removals(removed: list[Pair], texts: Mapping[str, Text], threshold: float) -> Removals:
    """Look at (removed, kept) pairs again."""
    found = [plainjaccard.jaccard(texts[row].shingles, texts[kept].shingles) for row, kept in removed]
    return Removals(len(found), sum(similarity < threshold for similarity in found), min(found, default=1.0))


def similarities(pairs: list[Pair], texts: Mapping[str, Text]) -> dict[Pair, float]:
    """The Jaccard of every pair whose texts are both there."""
    there = [pair for pair in pairs if pair[0] in texts and pair[1] in texts]
    return {pair: plainjaccard.jaccard(*(texts[row].shingles for row in pair)) for pair in there}


def left_over(
    found: Mapping[Pair, float], removed: set[str], texts: Mapping[str, Text], band: tuple[float, float]
) -> dict[str, Left]:
    """By script, and for all: rows whose best partner is in the band, and how many still have a kept partner there."""
    best: dict[str, float] = defaultdict(float)
    still: set[str] = set()
    for (a, b), similarity in found.items():
        best[a], best[b] = max(best[a], similarity), max(best[b], similarity)
        if band[0] <= similarity < band[1] and not removed & {a, b}:
            still |= {a, b}
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row, similarity in best.items():
        if band[0] <= similarity < band[1]:
            for name in (_ANY_SCRIPT, texts[row].script):
                counts[name][0] += 1
                counts[name][1] += row in still
    return {name: Left(*pair) for name, pair in sorted(counts.items(), key=lambda item: (-item[1][0], item[0]))}


def pairs_hit(found: Mapping[Pair, float], removed: set[str], band: tuple[float, float]) -> float:
    """The share of the pairs in the band of which at least one row is removed."""
    pairs = [pair for pair, similarity in found.items() if band[0] <= similarity < band[1]]
    return sum(bool(removed & set(pair)) for pair in pairs) / max(1, len(pairs))
