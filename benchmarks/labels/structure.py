"""How often is a fact about a conversation right? Precision and recall on rows that were labelled by reading.

    python -m benchmarks.labels structure

``structure.jsonl`` holds ``file``, ``id``, ``fact`` and ``is_true``. Read were rows that the fact holds for (precision)
and rows near its border (recall; of all rows it is higher, for most are far from the border). For ``gibberish`` real
messages are garbled (:mod:`benchmarks.labels.garbling`) and both are judged.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.labels import corpus, garbling
from udfs import facts, scripts
from udfs.batch import Limits, batch_of
from udfs.facts import gibberish

SAMPLE = 2000
"""Messages garbled in each way."""


def labels() -> dict[str, dict[str, dict[str, bool]]]:
    """What was read: file -> fact -> id -> whether it is so."""
    found: dict[str, Any] = defaultdict(lambda: defaultdict(dict))
    for line in files("benchmarks.labels").joinpath("structure.jsonl").read_text().splitlines():
        label = json.loads(line)
        found[label["file"]][label["fact"]][label["id"]] = label["is_true"]
    return found


def compare(told: dict[str, bool], holds: dict[str, bool]) -> str:
    """Counts, precision and recall of one fact on the labelled rows."""
    right = sum(is_true and holds[row] for row, is_true in told.items())
    flagged, true = sum(holds[row] for row in told), sum(told.values())
    precision = f"{right / flagged:.1%}" if flagged else "-"
    recall = f"{right / true:.1%}" if true else "-"
    return f"labelled {len(told):4}  flagged {flagged:4}  true {true:4}  precision {precision:>6}  recall {recall:>6}"


def garbled(texts: list[str]) -> Iterable[str]:
    """For each way of garbling and each kind of script how many messages are found, and how many real ones are."""
    limits = Limits()
    for script in ("Latin", "Cyrillic", "Han", "Kana", "Hangul"):
        own = [text for text in texts if _script(text) == script][:SAMPLE]
        if len(own) < 30:
            continue
        real = _flagged(own, limits)
        yield f"  {script:9} real text {len(own):5}  wrongly found {real / len(own):.2%}"
        for name, garble in garbling.WAYS.items():
            random = Random(1)
            found = _flagged([garble(text, random) for text in own], limits)
            share = found / max(found + real, 1)
            yield f"  {script:9} {name:9} {len(own):5}  recall {found / len(own):.1%}  precision {share:.1%}"


def _flagged(texts: list[str], limits: Limits) -> int:
    column = pa.array(texts, pa.string())
    roles = pa.array(["user"] * len(texts))
    batch = batch_of(roles, column, np.arange(len(texts) + 1), pa.nulls(len(texts), pa.string()))
    return int(gibberish.gibberish(batch, limits).sum())


def _script(text: str) -> str:
    counts = scripts.count(pa.array([text]))[0]
    return scripts.NAMES[counts[1:].argmax() + 1] if counts[1:].any() else ""


def main(data: Path) -> None:
    """Print a line per fact with counts and cost, then how garbled copies of real messages are told from them."""
    for file, by_fact in labels().items():
        found = corpus.read(data / file / "data")
        batch = batch_of(found.roles, found.contents, found.offsets, pa.nulls(len(found.roles), pa.string()))
        for fact in facts.FACTS:
            started = time.process_time()
            holds = fact.holds(batch, Limits())
            cost = (time.process_time() - started) * 1e6 / len(found.ids)
            told = by_fact.get(fact.name, {})
            row = compare(told, dict(zip(found.ids, holds.tolist(), strict=True)))
            print(f"{file} {fact.name:18} {int(holds.sum()):6,} of {len(found.ids):,}  {cost:6.1f} us each  {row}")
        texts = batch.contents.filter(pa.array((batch.lengths >= 80) & (batch.lengths < 4000)))
        sample = Random(1).sample(texts.to_pylist(), min(4 * SAMPLE, len(texts)))
        print("gibberish on garbled copies of real messages (precision where as many are garbled as not)")
        print("\n".join(garbled(sample)))
