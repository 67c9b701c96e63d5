"""How well do these settings find duplicates in this very data? Edits planted in a sample of it, and who finds them.

``winnow dedup --measure``. The same kernels as the job's sign, match and verify the sample and its edited copies, in
memory; what should have been found is worked out without them.
"""

from collections import defaultdict
from dataclasses import asdict, dataclass
from random import Random

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from conf import recipe, tables
from conf.settings import Dedup, Settings
from jobs import matching, signing
from jobs.lake import Lake
from jobs.ledger import Run, is_done, lineage
from jobs.progress import Progress
from jobs.tables import SCHEMAS
from udfs import buckets, candidates, scripts
from udfs.buckets import DIGEST_BYTES
from udfs.edits import EDITS, Messages
from udfs.members import SIGNED, Members, messages, sets_of
from udfs.signatures import sign
from udfs.thinning import Bounds
from udfs.unions import union_find

A_LANGUAGE, IN_ALL = 60, 1_500
"""Conversations of a language, and in all, in a sample."""
SHORT, LONG = 50, 300
"""Shingles below which a conversation is short, and from which it is long."""


@dataclass(frozen=True)
class Score:
    """One edit in one class of conversations: copies planted; of them those that the levels' bounds call duplicates;
    of these those found; and rows removed although no bound is met (there are none)."""

    edit: str
    script: str
    length: str
    planted: int
    due: int
    found: int
    wrong: int


def run(lake: Lake, settings: Settings, progress: Progress) -> bool:
    """Measure these settings on the newest ``conversations``, keep the scores in ``measures`` and print them. Returns
    whether anything was committed: the same data and settings are not measured twice."""
    inputs = {tables.CONVERSATIONS: lake.version(tables.CONVERSATIONS)}
    stamp = lineage("measure", settings, recipe.sections(settings, "dedup"), inputs)
    has_news = not is_done(lake, tables.MEASURES, stamp)
    if has_news:
        with Run(lake, settings, stamp) as job, progress.stage("measure"):
            scores = measure(sample(lake.read(tables.CONVERSATIONS)), settings.dedup)
            rows = lake.spark.createDataFrame([asdict(score) for score in scores], SCHEMAS[tables.MEASURES])
            job.commit(tables.MEASURES, rows.coalesce(1), "overwrite")
    found = [Score(**row.asDict()) for row in lake.read(tables.MEASURES).collect()]
    print("\n".join(as_lines(sorted(found, key=lambda score: (score.edit, score.script, score.length)))))
    return has_news


def sample(conversations: DataFrame) -> list[tuple[list[str], Messages]]:
    """Roles and contents of up to :data:`A_LANGUAGE` conversations a language, :data:`IN_ALL` in all, those first by a
    hash of their content: the same data, the same sample."""
    place = F.sha2("digest", 256)
    nth = F.row_number().over(Window.partitionBy("language").orderBy(place, "conversation_id"))
    talks = conversations.where(F.size("messages") > 0).withColumn("nth", nth).where(F.col("nth") <= A_LANGUAGE)
    rows = talks.orderBy("nth", place, "conversation_id").limit(IN_ALL).select("messages.role", "messages.content")
    return [(list(row["role"]), [text or "" for text in row["content"]]) for row in rows.collect()]


def measure(talks: list[tuple[list[str], Messages]], options: Dedup) -> list[Score]:
    """The score of every edit in every class of these conversations, in the order of :data:`EDITS`, then by class."""
    scores = []
    for name, edit in EDITS.items():
        copies = []
        for place, (roles, texts) in enumerate(talks):
            other = talks[place - 1][1]
            copies.append((roles, edit(texts, other, Random(f"{name}{place}"))))
        scores += _scores(name, talks, copies, options)
    return scores


def as_lines(scores: list[Score]) -> list[str]:
    """A line an edit: planted, due, found and their share, and what was wrong; then the classes below 99 %."""
    lines = [f"{'planted edit':<28}{'planted':>9}{'due':>7}{'found':>7}{'recall':>9}{'wrong':>7}"]
    for name in EDITS:
        lines.append(_line(name, [score for score in scores if score.edit == name]))
    weak = [score for score in scores if score.due and score.found < 0.99 * score.due]
    return lines + [_line(f"  {s.edit}: {s.script}, {s.length}", [s]) for s in weak]


def _line(name: str, scores: list[Score]) -> str:
    planted, due, found, wrong = (sum(getattr(s, n) for s in scores) for n in ("planted", "due", "found", "wrong"))
    recall = f"{found / due:.2%}" if due else "-"
    return f"{name:<28}{planted:>9,}{due:>7,}{found:>7,}{recall:>9}{wrong:>7,}"


def _scores(name: str, originals: list, copies: list, options: Dedup) -> list[Score]:
    members = _judged([*originals, *copies], options)
    sets, folded = _sets(members.signed), _folded(members.signed)
    count = len(originals)
    classes: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for place, key in enumerate(_classes(originals, sets)):
        a, b = place, place + count
        is_due = _is_due(sets[a], sets[b], folded[a] == folded[b], options)
        is_found = folded[a] == folded[b] or not (members.kept_of[a] < 0 and members.kept_of[b] < 0)
        wrong = sum(_is_wrong(row, members, sets, options) for row in (a, b))
        for column, value in enumerate((1, is_due, is_due and is_found, wrong)):
            classes[key][column] += int(value)
    return [Score(name, *key, *values) for key, values in sorted(classes.items())]


@dataclass(frozen=True)
class _Members:
    signed: pa.RecordBatch
    kept_of: np.ndarray
    level: list


def _judged(talks: list, options: Dedup) -> _Members:
    """What the job would do with these conversations alone, if it kept one of a kind (``near_keep`` 1)."""
    levels, count = matching.levels(options), len(talks)
    ids = pa.array([f"{place:06}" for place in range(count)])
    batch = pa.RecordBatch.from_pydict(
        {
            "conversation_id": ids,
            "row": pa.array(np.arange(count)),
            "digest": pa.array([f"{place:064}" for place in range(count)]),
            "roles": pa.array([roles for roles, _ in talks], pa.list_(pa.string())),
            "contents": pa.array([contents for _, contents in talks], pa.list_(pa.string())),
        }
    )
    (signed,) = sign([batch], signing.signing(options))
    found = list(buckets.edges(buckets.pack([signed], levels, 1)))
    a, b = (np.concatenate([np.empty(0, np.int64), *(edges[end].to_numpy() for edges in found)]) for end in "ab")
    columns = {
        **{name: signed[name] for name in ("conversation_id", "digest")},
        "component": pa.array(union_find(a, b, count)),
        "order": pa.array([[0.0]] * count),
        "is_fixed": pa.array([False] * count),
    }
    bounds = Bounds(options.threshold, options.related, options.containment, options.bucket_limit)
    rows, sets = pa.RecordBatch.from_pydict(columns), sets_of(signed["sets"])
    members = Members(rows, messages(signed), np.arange(count), signed.select(SIGNED), sets)
    verdicts = candidates.thin(members, levels, bounds)
    kept_of = [-1 if kept is None else int(kept) for kept in verdicts["kept_id"].to_pylist()]
    return _Members(signed, np.array(kept_of), verdicts["level"].to_pylist())


def _sets(signed: pa.RecordBatch) -> list[np.ndarray]:
    return [np.frombuffer(value, np.uint32) for value in signed["sets"].to_pylist()]


def _folded(signed: pa.RecordBatch) -> list[bytes]:
    return [value[-DIGEST_BYTES:] for value in signed["prefixes"].to_pylist()]


def _classes(talks: list, sets: list[np.ndarray]) -> list[tuple[str, str]]:
    """The script with most letters, and the length, of each conversation."""
    letters = scripts.count(pa.array([" ".join(contents) for _, contents in talks]))[:, 1:]
    names = [scripts.NAMES[1 + place] for place in letters.argmax(axis=1)]
    lengths = ["short" if len(s) < SHORT else "long" if len(s) >= LONG else "medium" for s in sets]
    return list(zip(names, lengths, strict=False))


def _is_due(a: np.ndarray, b: np.ndarray, is_equal: bool, options: Dedup) -> bool:
    if is_equal:
        return options.exact != "off"
    if min(len(a), len(b)) < options.min_shingles:
        return False
    is_near = options.near != "off" and _jaccard(a, b) >= options.threshold
    return is_near or (options.contained != "off" and _contained(a, b) >= options.containment)


def _is_wrong(row: int, members: _Members, sets: list[np.ndarray], options: Dedup) -> bool:
    kept, level = members.kept_of[row], members.level[row]
    if kept < 0 or level == "snapshot":
        return False
    if level == "exact":
        return not np.array_equal(sets[row], sets[kept])
    if level == "near":
        return _jaccard(sets[row], sets[kept]) < options.threshold
    return len(np.intersect1d(sets[row], sets[kept])) / len(sets[row]) < options.containment


def _jaccard(a: np.ndarray, b: np.ndarray) -> float:
    return len(np.intersect1d(a, b)) / max(1, len(np.union1d(a, b)))


def _contained(a: np.ndarray, b: np.ndarray) -> float:
    return len(np.intersect1d(a, b)) / max(1, min(len(a), len(b)))
