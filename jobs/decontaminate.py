"""``conversations`` and the user's benchmark files -> ``overlaps`` -> ``contamination``: who contains which question.

spark-submit ... jobs/decontaminate.py --config conf/lmsys.yaml --set decontaminate.benchmarks=evals --lake lake
"""

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import IntegerType, LongType, StructField, StructType

from conf import recipe, tables
from conf.duplicates import Decontaminate
from conf.settings import Settings
from jobs import questions
from jobs.errors import UsageError
from jobs.lake import Lake, Lineage
from jobs.ledger import Run, is_done, lineage
from jobs.progress import Progress
from jobs.questions import Item
from jobs.tables import SCHEMAS, only_row
from udfs import contamination
from udfs.contamination import SHOWN, Searched
from udfs.questions import Features, Part, Shape, features

WHOLE = 0.9
"""From which share of its features on a question counts as asked in full, if perhaps with a slip."""

_NAMED = 5
"""Questions named where many cannot be found."""
_GRAM = StructType([StructField("gram", LongType())])
_FEWER = StructType([StructField("part", IntegerType()), StructField("fewer", IntegerType())])


def run(lake: Lake, settings: Settings, progress: Progress) -> bool:
    """Bring the two tables up to the newest ``conversations``. Returns whether anything was committed.

    Only conversations that are new since the last run are read while benchmarks, features and code are the same.
    Raises :class:`InputUnreadable` with every mistake in the benchmark files before any conversation is read.
    """
    options = settings.decontaminate
    items = questions.read(require_on(options))
    rule = name_rule(items, options)
    stamp = _stamp(lake, settings, rule)
    if is_done(lake, tables.CONTAMINATION, stamp):
        return False
    with Run(lake, settings, stamp) as job:
        searched = prepare(items, options, rule)
        lost = unfindable(searched)
        if lost:
            progress.say(_told_lost(lost, len(items), options))
        with progress.stage("scan"):
            _scan(lake, job, searched)
        with progress.stage("judge"):
            judged = judge(lake.read(tables.OVERLAPS), searched.features, options).localCheckpoint()
            job.counts = {"questions": len(items), "questions_unfindable": len(lost), **_counts(judged)}
            job.commit(tables.CONTAMINATION, judged, "overwrite")
    return True


def _stamp(lake: Lake, settings: Settings, rule: str) -> Lineage:
    inputs = {tables.CONVERSATIONS: lake.version(tables.CONVERSATIONS)}
    return lineage("decontaminate", settings, recipe.sections(settings, "decontaminate"), inputs, rule)


def require_on(options: Decontaminate) -> Decontaminate:
    """The options, if they ask for anything; else :class:`UsageError`."""
    if not options.is_on:
        asked = "decontaminate.benchmarks names a folder and decontaminate.policy is drop or tag"
        raise UsageError(f"nothing to look for: expected that {asked}; set both, or leave the command out")
    return options


def contaminated(lake: Lake, settings: Settings) -> DataFrame:
    """``conversation_id`` of every conversation that the policy drops for a benchmark question, each once; none where
    decontamination is off or only tags.

    Raises :class:`UsageError` unless ``contamination`` is about the newest conversations and today's questions, under
    these settings.
    """
    if not drops(settings):
        return lake.read(tables.CONVERSATIONS).select("conversation_id").limit(0)
    options, found = settings.decontaminate, lake.lineage(tables.CONTAMINATION)
    wanted = _stamp(lake, settings, name_rule(questions.read(options), options))
    if found is None or found.run_id != wanted.run_id:
        is_newest = found is not None and found.inputs == wanted.inputs
        other = "has other settings or questions" if is_newest else "is of older conversations"
        what = "is missing" if found is None else other
        raise UsageError(f"table {tables.CONTAMINATION} {what}: run `winnow decontaminate` with this config first")
    return lake.read(tables.CONTAMINATION).where("hit").select("conversation_id").distinct()


def drops(settings: Settings) -> bool:
    """Does the recipe drop conversations for benchmark questions?"""
    return settings.decontaminate.is_on and settings.decontaminate.policy == "drop"


def name_rule(items: Sequence[Item], options: Decontaminate) -> str:
    """The name under which overlaps can be added to each other: what is a feature, and a digest of the questions."""
    content = hashlib.sha256(json.dumps(items).encode()).hexdigest()[:16]
    return f"n{options.ngram}m{options.min_run}c{options.common}u{unicodedata.unidata_version}-{content}"


def prepare(items: Sequence[Item], options: Decontaminate, rule: str) -> Searched:
    """The questions as features to look for."""
    parts = [
        Part(number, text, is_question)
        for number, item in enumerate(items)
        for texts, is_question in ((item.texts(), True), (item.later, False))
        for text in texts
    ]
    labels = {
        "benchmark": [items[part.item].benchmark for part in parts],
        "item": [items[part.item].name for part in parts],
        "question": [part.text[:SHOWN] for part in parts],
    }
    shape = Shape(options.ngram, options.min_run, options.common)
    return Searched(features(parts, shape), pa.RecordBatch.from_pydict(labels), rule)


def unfindable(searched: Searched) -> list[str]:
    """``benchmark item`` of each question without a feature in any part: all its runs are common."""
    labels = zip(*(searched.labels.column(name).to_pylist() for name in ("benchmark", "item")), strict=True)
    totals: dict[str, int] = {}
    for (benchmark, item), total in zip(labels, searched.features.totals.tolist(), strict=True):
        name = f"{benchmark} {item}"
        totals[name] = max(total, totals.get(name, 0))
    return [name for name, total in totals.items() if not total]


def _told_lost(lost: list[str], count: int, options: Decontaminate) -> str:
    why = f"more than decontaminate.common = {options.common} questions have whatever they say"
    names = ", ".join(lost[:_NAMED]) + (" ..." if len(lost) > _NAMED else "")
    return f"{len(lost):,} of {count:,} questions cannot be found, as {why}: {names}"


def _scan(lake: Lake, job: Run, searched: Searched) -> None:
    """Add the overlaps of new conversations; all of them when questions, features, code or old conversations differ."""
    last, version = lake.lineage(tables.OVERLAPS), job.lineage.inputs[tables.CONVERSATIONS]
    conversations = lake.read(tables.CONVERSATIONS, version)
    since = last.inputs.get(tables.CONVERSATIONS, -1) if last else -1
    is_same = last is not None and (last.digest, last.code_version) == (searched.rule, job.lineage.code_version)
    is_growing = is_same and lake.is_grown(tables.CONVERSATIONS, since)
    if is_growing and since == version:
        return
    if is_growing:
        seen = lake.read(tables.CONVERSATIONS, since).select("conversation_id")
        conversations = conversations.join(seen, "conversation_id", "left_anti")
    mode = "append" if is_growing else "overwrite"
    job.commit(tables.OVERLAPS, overlaps(conversations, searched), mode, searched.rule)


def overlaps(conversations: DataFrame, searched: Searched) -> DataFrame:
    """Rows of ``overlaps`` for these conversations: their user turns go through Python once."""
    handle = conversations.sparkSession.sparkContext.broadcast(searched)
    roles = F.col("messages.role")
    is_user = lambda place: F.get(roles, place) == "user"  # noqa: E731
    turns = conversations.select(
        "conversation_id",
        F.filter("messages.content", lambda _, place: is_user(place)).alias("contents"),
        F.filter(F.sequence(F.lit(0), F.size(roles) - 1), is_user).alias("places"),
    )
    turns = turns.where(F.size("contents") > 0)
    return turns.mapInArrow(lambda batches: contamination.scan(batches, handle.value), SCHEMAS[tables.OVERLAPS])


def judge(overlapping: DataFrame, known: Features, options: Decontaminate) -> DataFrame:
    """Rows of ``contamination``: for each conversation and question the part that overlaps most.

    The overlap is the share of a part's features found, those left out that are common in the data: more than
    ``common`` conversations have them without the rest of the question, and more than have them with it.
    """
    spark = overlapping.sparkSession
    grams = overlapping.withColumn("share", F.size("grams") / F.col("features"))
    grams = grams.withColumn("gram", F.explode("grams")).drop("grams")
    common = _common(grams, options)
    rare = grams.join(F.broadcast(spark.createDataFrame([(gram,) for gram in common.tolist()], _GRAM)), "gram", "anti")
    fewer = spark.createDataFrame(_fewer(known, common), _FEWER)
    kept = ["conversation_id", "part", "benchmark", "item", "question", "message", "text", "rule", "features"]
    counted = rare.groupBy(*kept).agg(F.count(F.lit(1)).cast("int").alias("matched"))
    counted = counted.join(F.broadcast(fewer), "part", "left")
    counted = counted.withColumn("features", F.col("features") - F.coalesce("fewer", F.lit(0)))
    counted = counted.withColumn("overlap", F.col("matched") / F.col("features"))
    best = Window.partitionBy("conversation_id", "benchmark", "item")
    best = best.orderBy(F.desc("overlap"), F.desc("matched"), "part")
    rows = counted.withColumn("place", F.row_number().over(best)).where("place = 1")
    return rows.withColumn("hit", _is_hit(options)).select(*SCHEMAS[tables.CONTAMINATION].names)


def _is_hit(options: Decontaminate) -> Column:
    return F.col("overlap") >= options.min_overlap


def _common(grams: DataFrame, options: Decontaminate) -> np.ndarray:
    """Features that are common in the data, as int64, sorted. Being frequent is not enough: the questions of a known
    benchmark are what many users ask."""
    best = grams.groupBy("conversation_id", "gram").agg((F.max("share") >= WHOLE).alias("whole"))
    tally = best.groupBy("gram").agg(F.count_if("whole").alias("with"), F.count_if(~F.col("whole")).alias("without"))
    found = tally.where((F.col("without") > options.common) & (F.col("without") > F.col("with"))).select("gram")
    frame: Any = found.toPandas()  # Spark 3.5 has no toArrow
    return np.sort(frame["gram"].to_numpy(np.int64))


def _fewer(known: Features, common: np.ndarray) -> list[tuple[int, int]]:
    """(part, how many of its features are common) where there are any."""
    slots = np.flatnonzero(np.isin(known.keys.values.view(np.int64), common))
    parts = [known.parts[known.starts[slot] : known.starts[slot + 1]] for slot in slots]
    counts = np.bincount(np.concatenate([*parts, np.empty(0, np.int32)]).astype(np.int64))
    return [(int(part), int(counts[part])) for part in np.flatnonzero(counts)]


def _counts(judged: DataFrame) -> dict[str, int]:
    hits = F.col("hit")
    totals = judged.agg(
        F.count(F.lit(1)).alias("pairs"),
        F.coalesce(F.sum(hits.cast("long")), F.lit(0)).alias("hits"),
        F.count_distinct(F.when(hits, F.col("conversation_id"))).alias("conversations"),
        F.count_distinct(F.when(hits, F.struct("benchmark", "item"))).alias("questions_hit"),
    )
    return {name: int(value) for name, value in only_row(totals).asDict().items()}


if __name__ == "__main__":
    import sys

    from jobs.cli import main

    raise SystemExit(main(["decontaminate", *sys.argv[1:]]))
