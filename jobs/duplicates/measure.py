"""How well do these settings find duplicates in this very data? Edits planted in a sample of it, and who finds them.

``winnow dedup --measure``. The same kernels as the job's sign, match and verify the sample and its edited copies, in
memory; what should have been found is worked out without them (:mod:`jobs.duplicates.planted`).
"""

from collections.abc import Callable, Sequence
from dataclasses import astuple

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Settings
from jobs import dedup
from jobs.duplicates import planted
from jobs.duplicates.planted import Score, Talk
from jobs.lake import Lake
from jobs.ledger import Run, is_done, lineage
from jobs.progress import Progress
from jobs.tables import SCHEMAS, frame

A_LANGUAGE, IN_ALL = 60, 1_500
"""Conversations of a language, and in all, in a sample."""
_COUNTS = ("planted", "due", "found", "removed", "wrong")
_ENOUGH = 0.99
"""Recall below which an edit in a class has a line of its own."""


def run(lake: Lake, settings: Settings, progress: Progress) -> bool:
    """Measure these settings on the newest ``conversations``, keep the scores in ``measures`` and print them. Returns
    whether anything was committed: the same data and settings are not measured twice."""
    inputs = {tables.CONVERSATIONS: lake.version(tables.CONVERSATIONS)}
    # Dedup's stamp has the same settings, so that the report can tell which run the scores are of.
    stamp = lineage("measure", settings, dedup.section(settings), inputs)
    has_news = not is_done(lake, tables.MEASURES, stamp)
    if has_news:
        with Run(lake, settings, stamp) as job, progress.stage("measure"):
            scores = planted.measure(sample(lake.read(tables.CONVERSATIONS)), settings.dedup)
            rows = frame(lake.spark, list(map(astuple, scores)), SCHEMAS[tables.MEASURES])
            job.commit(tables.MEASURES, rows.coalesce(1), "overwrite")
    print("\n".join(as_lines(stored(lake))))
    return has_news


def stored(lake: Lake) -> list[Score]:
    """The scores in ``measures``, in order."""
    found = [Score(**row.asDict()) for row in lake.read(tables.MEASURES).collect()]
    return sorted(found, key=lambda score: (score.edit, score.script, score.length))


def sample(conversations: DataFrame) -> list[Talk]:
    """Roles and contents of up to :data:`A_LANGUAGE` conversations a language, :data:`IN_ALL` in all, those first by a
    hash of their content: the same data, the same sample."""
    place = F.sha2("digest", 256)
    nth = F.row_number().over(Window.partitionBy("language").orderBy(place, "conversation_id"))
    talks = conversations.where(F.size("messages") > 0).withColumn("nth", nth).where(F.col("nth") <= A_LANGUAGE)
    rows = talks.orderBy("nth", place, "conversation_id").limit(IN_ALL).select("messages.role", "messages.content")
    return [(list(row["role"]), [text or "" for text in row["content"]]) for row in rows.collect()]


def as_lines(scores: Sequence[Score]) -> list[str]:
    """A line for every edit, then for every class of conversations: copies planted, due, found and their share; rows
    removed, wrongly, and the share of the others. Last the classes where an edit's recall is below 99 %, or anything
    is wrong."""
    if not scores:
        return ["nothing was planted: no conversation has a message"]
    header = f"{'planted edit':<28}{'planted':>9}{'due':>7}{'found':>7}{'recall':>9}"
    weak = [score for score in scores if score.wrong or score.found < _ENOUGH * score.due]
    return [
        f"{header}{'removed':>9}{'wrong':>7}{'precision':>11}",
        *(_line(name, of) for name, of in grouped(scores, lambda score: score.edit).items()),
        "in conversations",
        *(_line(f"  {name}", of) for name, of in by_class(scores).items()),
        *(["of these"] if weak else []),
        *(_line(f"  {score.edit}: {score.script}, {score.length}", [score]) for score in weak),
    ]


def by_class(scores: Sequence[Score]) -> dict[str, list[Score]]:
    """The scores of all edits by class: ``Latin, long``."""
    return grouped(scores, lambda score: f"{score.script}, {score.length}")


def grouped(scores: Sequence[Score], name: Callable[[Score], str]) -> dict[str, list[Score]]:
    """Scores of one name together, names in order."""
    return {each: [score for score in scores if name(score) == each] for each in sorted(set(map(name, scores)))}


def shares(scores: Sequence[Score]) -> tuple[str, str]:
    """Recall, found of due, and precision, rightly removed of removed, of these scores together."""
    _, due, found, removed, wrong = _summed(scores)
    return _share(found, due), _share(removed - wrong, removed)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"


def _summed(scores: Sequence[Score]) -> list[int]:
    return [sum(getattr(score, name) for score in scores) for name in _COUNTS]


def _line(name: str, scores: Sequence[Score]) -> str:
    planted, due, found, removed, wrong = _summed(scores)
    recall, precision = shares(scores)
    told = f"{name:<28}{planted:>9,}{due:>7,}{found:>7,}{recall:>9}"
    return f"{told}{removed:>9,}{wrong:>7,}{precision:>11}"
