"""Makes ``udfs/trigrams.bin``, the table that :mod:`udfs.facts.gibberish` reads, from labelled texts in many languages.

    python -m benchmarks.trigrams langid_bench.jsonl

Only texts of open licences are counted (see ``LICENCES``); the table holds how frequent a trigram is in its script,
four bits a cell, and no text can be read from it. A trigram counts by its mean share over the languages of its script,
or by an eighth of its share in the one that has it most, so that a language with few relatives is not odd.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa

from udfs import scripts
from udfs.facts import gibberish

LICENCES = ("Apache", "MIT", "BSD", "CC0", "CC-BY", "CC BY", "Public", "public", "UDHR")
ORDINARY = 5
_NO_PROSE = ("code_only", "url_only", "emoji_only")


def table(texts: dict[str, list[str]]) -> bytes:
    """The packed levels, from texts by language."""
    by_script: dict[str, list[np.ndarray]] = defaultdict(list)
    for said in texts.values():
        column = pa.array(said, pa.string())
        script = scripts.NAMES[scripts.count(column).sum(axis=0)[1:].argmax() + 1]
        counts = gibberish.count(column).astype(float)
        if counts.sum() >= 500:
            by_script[script].append(counts / counts.sum())
    levels = np.min([_levels(np.array(found)) for found in by_script.values()], axis=0).astype(np.uint8)
    return bytes((levels[::2] << 4) | levels[1::2])


def _levels(by_language: np.ndarray) -> np.ndarray:
    """Levels of one script's trigrams; :data:`ORDINARY` is the mean level of its texts, however large its alphabet."""
    mean = by_language.mean(axis=0)
    shares = np.maximum(mean, by_language.max(axis=0) / 8)
    halvings = -np.log2(np.maximum(shares, 2.0**-40))
    levels = np.round(halvings - (mean * halvings).sum() + ORDINARY)
    return np.where(shares > 0, np.clip(levels, 0, gibberish.RAREST), gibberish.RAREST)


def main(source: str) -> int:
    texts: dict[str, list[str]] = defaultdict(list)
    with open(source, encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            if any(word in str(record.get("license")) for word in LICENCES) and record["kind"] not in _NO_PROSE:
                texts[record["lang"]].append(record["text"])
    target = Path(gibberish.__file__).with_name("trigrams.bin")
    target.write_bytes(table(texts))
    print(f"{target}: {sum(map(len, texts.values())):,} texts in {len(texts)} languages")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
