"""What every peer's script shares: rows in, removals out, words. Runs in the peers' environments: nothing of ours."""

import re

import pyarrow as pa
import pyarrow.parquet as pq

THRESHOLD = 0.7
_WORD = re.compile(r"\w+")


def read(path):
    """Ids and texts, in order."""
    table = pq.read_table(path, columns=["id", "text"])
    return table["id"].to_pylist(), table["text"].to_pylist()


def write(path, pairs):
    """(removed, kept) pairs of ids; a removed row may have several."""
    removed, kept = zip(*pairs, strict=True) if pairs else ((), ())
    pq.write_table(pa.table({"removed": pa.array(removed, pa.string()), "kept": pa.array(kept, pa.string())}), path)


def grams(text):
    """Every five words in a row, lower case; all of them where there are fewer. These libraries leave this to users."""
    words = _WORD.findall(text.lower())
    return [" ".join(words[i : i + 5]) for i in range(max(1, len(words) - 4))]
