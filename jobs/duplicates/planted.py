"""Are planted copies found, and is what goes rightly gone? The job's own kernels judge a sample and its edited copies.

What is due and what is right follows from the texts by the definitions of the levels: folded messages for exact and
snapshot, whole shingle sets for near and contained, and for contained those of the last message. No key and no digest
that the kernels go by is asked.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from conf.duplicates import Dedup
from jobs.duplicates import matching, signing
from udfs import scripts, tokens
from udfs.dedup import buckets, candidates
from udfs.dedup.candidates import EXACT, LEVELS
from udfs.dedup.members import SIGNED, Members, messages, sets_of
from udfs.dedup.signatures import sign
from udfs.dedup.thinning import Bounds
from udfs.dedup.unions import union_find
from udfs.dedup.verifying import CLOSING_SHARE
from udfs.folding import fold
from udfs.perturbations import EDITS, Edit, Messages

SHORT, LONG = 50, 300
"""Shingles below which a conversation is short, and from which it is long."""

Talk = tuple[list[str], Messages]
"""Roles and contents."""
Verdict = tuple[str, int] | None
"""For which row one was removed, and at which level; None where it stays."""


@dataclass(frozen=True)
class Score:
    """One edit in one class of conversations: copies planted; of them those that a level's bound calls duplicates; of
    these those found. Rows removed, originals and copies; of these those removed wrongly: the bound of the level they
    went at does not hold."""

    edit: str
    script: str
    length: str
    planted: int
    due: int
    found: int
    removed: int
    wrong: int


class Seen(NamedTuple):
    """A conversation as the levels define duplicates: roles with folded messages, shingles (ascending), and of these
    those that stand for its last message (:func:`udfs.shingles.closings`)."""

    said: list[tuple[str, str]]
    shingles: np.ndarray
    closing: np.ndarray
    script: str

    @property
    def length(self) -> str:
        """``short``, ``medium`` or ``long``, by its shingles."""
        count = len(self.shingles)
        return "short" if count < SHORT else "long" if count >= LONG else "medium"


def measure(talks: Sequence[Talk], options: Dedup) -> list[Score]:
    """The score of every edit in every class of these conversations, in the order of :data:`EDITS`, then by class."""
    scores: list[Score] = []
    for name, edit in EDITS.items() if talks else ():
        copies = [_edited(talk, talks[place - 1], edit, Random(f"{name}{place}")) for place, talk in enumerate(talks)]
        both = [*talks, *copies]
        signed = _signed(both, options)
        scores += score(name, _seen(both, signed), judged(signed, options), options)
    return scores


def _edited(talk: Talk, other: Talk, edit: Edit, random: Random) -> Talk:
    """The conversation after the edit. Messages that this adds are the other's first ones."""
    said = edit(talk[1], other[1], random)
    return [*talk[0], *other[0]][: len(said)], said


def score(edit: str, seen: Sequence[Seen], verdicts: Sequence[Verdict], options: Dedup) -> list[Score]:
    """The scores of one edit, by class of the original: the first half of ``seen`` are originals, the second half their
    copies in the same order, and a verdict each."""
    count = len(seen) // 2
    classes: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros(5, np.int64))
    for place, original in enumerate(seen[:count]):
        gone = [(row, verdicts[row]) for row in (place, place + count)]
        removed = [(row, *verdict) for row, verdict in gone if verdict]
        wrong = sum(not is_right(level, seen[row], seen[kept], options) for row, level, kept in removed)
        due = is_due(original, seen[place + count], options)
        told = 1, due, due and bool(removed), len(removed), wrong
        classes[original.script, original.length] += np.array(told, np.int64)
    return [Score(edit, *key, *map(int, values)) for key, values in sorted(classes.items())]


def is_due(a: Seen, b: Seen, options: Dedup) -> bool:
    """Does the bound of a level that is not off hold for the two, whichever of them goes?"""
    wanted = [level for level in LEVELS if getattr(options, level) != "off"]
    return any(is_right(level, *pair, options) for level in wanted for pair in ((a, b), (b, a)))


def is_right(level: str, row: Seen, kept: Seen, options: Dedup) -> bool:
    """Does the bound of the level hold for a row that is removed for another?"""
    if level == EXACT:
        return row.said == kept.said
    if level == "snapshot":
        return len(row.said) < len(kept.said) and row.said == kept.said[: len(row.said)]
    sizes = len(row.shingles), len(kept.shingles)
    if min(sizes) < options.min_shingles:
        return False
    common = len(np.intersect1d(row.shingles, kept.shingles))
    if level == "near":
        return common / (sum(sizes) - common) >= options.threshold
    is_ending_there = np.isin(row.closing, kept.shingles).mean() >= CLOSING_SHARE
    return is_ending_there and sizes[0] <= sizes[1] and common / sizes[0] >= options.containment


def judged(signed: pa.RecordBatch, options: Dedup) -> list[Verdict]:
    """What the job would do with the conversations of these signatures alone, if it kept one of a kind (``near_keep``
    1). Ids are numbers."""
    levels, count = matching.levels(options), len(signed)
    found = list(buckets.edges(buckets.pack([signed], levels, 1)))
    a, b = (np.concatenate([np.empty(0, np.int64), *(edges[end].to_numpy() for edges in found)]) for end in "ab")
    columns = {
        **{name: signed[name] for name in ("conversation_id", "digest")},
        "component": pa.array(union_find(a, b, count)),
        "order": pa.array([[0.0]] * count, pa.list_(pa.float64())),
        "is_fixed": pa.array([False] * count),
    }
    bounds = Bounds(options.threshold, options.related, options.containment, options.bucket_limit)
    rows, sets = pa.RecordBatch.from_pydict(columns), sets_of(signed["sets"])
    members = Members(rows, messages(signed), np.arange(count), signed.select(SIGNED), sets)
    told = candidates.thin(members, levels, bounds).select(["level", "kept_id"]).to_pylist()
    return [(row["level"], int(row["kept_id"])) if row["kept_id"] else None for row in told]


def _signed(talks: Sequence[Talk], options: Dedup) -> pa.RecordBatch:
    texts = pa.list_(pa.string())
    batch = pa.RecordBatch.from_pydict(
        {
            "conversation_id": pa.array([f"{place:06}" for place in range(len(talks))]),
            "row": pa.array(np.arange(len(talks))),
            "digest": pa.array([f"{place:064}" for place in range(len(talks))]),
            "roles": pa.array([roles for roles, _ in talks], texts),
            "contents": pa.array([contents for _, contents in talks], texts),
        }
    )
    (signed,) = sign([batch], signing.signing(options))
    return signed


def _seen(talks: Sequence[Talk], signed: pa.RecordBatch) -> list[Seen]:
    letters = scripts.count(pa.array([" ".join(contents) for _, contents in talks]))[:, 1:]
    names = [scripts.NAMES[1 + place] for place in letters.argmax(axis=1)]
    flat = pa.array([text for _, contents in talks for text in contents], pa.string())
    folded = iter(fold(tokens.compose(flat)).to_pylist())
    said = [[(role, next(folded)) for role in roles] for roles, _ in talks]
    hashes = ([np.frombuffer(value, np.uint32) for value in signed[name].to_pylist()] for name in ("sets", "closing"))
    return [Seen(*each) for each in zip(said, *hashes, names, strict=True)]
