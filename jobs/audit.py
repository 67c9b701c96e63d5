"""What should a person read to judge a job? Benchmark questions of every degree of overlap; the
largest families; questions that several personas answer."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from itertools import groupby, islice
from typing import Any

from conf import tables
from udfs.delta.lake import read_rows

BANDS = (0.25, 0.5, 0.75, 1.0)
"""Where degrees of overlap are divided; the last band is full overlap alone."""

Row = dict[str, Any]


def contamination(lake: str, limit: int) -> list[Row]:
    """``limit`` rows of table ``contamination``, as evenly from all bands as there are rows, in order of overlap.

    Rows of one question, verdict and text count once, the first by id, with their number as ``copies``. Which rows of a
    band are taken follows from a hash of their content: the same table, the same sample.
    """
    return sample(read_rows(lake, tables.CONTAMINATION), limit)


def families(lake: str, limit: int) -> list[Row]:
    """The ``limit`` largest rows of table ``families``, of equals by their name."""
    found = read_rows(lake, tables.FAMILIES)
    return sorted(found, key=lambda row: (-row["rows"], row["level"], row["family"]))[:limit]


def conflicts(lake: str, limit: int) -> list[list[Row]]:
    """The rows of table ``conflicts`` for ``limit`` questions: those that most personas answer, of equals those with
    most conversations, then by their key. Of each question the rows stand by persona and id."""
    found = read_rows(lake, tables.CONFLICTS)
    order = ("question", "persona", "conversation_id")
    found.sort(key=lambda row: (-row["personas"], -row["conversations"], *(row[name] for name in order)))
    groups = groupby(found, key=lambda row: row["question"])
    return [list(rows) for _, rows in islice(groups, limit)]


def sample(rows: Iterable[Row], limit: int) -> list[Row]:
    """The sample of these rows."""
    bands: list[list[Row]] = [[] for _ in range(len(BANDS) + 1)]
    for row in _distinct(rows):
        bands[bisect_right(BANDS, row["overlap"])].append(row)
    ranked = [
        (place, number, row)
        for number, band in enumerate(bands)
        for place, row in enumerate(sorted(band, key=_content_hash))
    ]
    taken = sorted(ranked, key=lambda one: one[:2])[:limit]
    return [row for *_, row in sorted(taken, key=lambda one: (one[2]["overlap"], _content_hash(one[2])))]


def _distinct(rows: Iterable[Row]) -> list[Row]:
    seen: dict[tuple, Row] = {}
    for row in sorted(rows, key=lambda row: row["conversation_id"]):
        first = seen.setdefault((row["benchmark"], row["item"], row["overlap"], row["text"]), {**row, "copies": 0})
        first["copies"] += 1
    return list(seen.values())


def _content_hash(row: Row) -> bytes:
    content = "\0".join((row["benchmark"], row["item"], row["text"], f"{row['overlap']:.6f}"))
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).digest()
