"""Too many conversations of one prompt, or of one template? Keep K of each, and name the kept row for every other.

Runs after the levels that compare whole conversations, on what they left. Distinct prompts are compared, once each;
conversations that begin alike are then judged together (:mod:`capping`), some 200 bytes each. For any number of
conversations; of few :mod:`jobs.duplicates.caps_on_driver` finds the same sooner.
"""

import numpy as np
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from conf.duplicates import Dedup, PromptLevel
from jobs import policy
from jobs.duplicates import matching
from jobs.duplicates.prompts import Found, ascending, caps, near_same
from jobs.duplicates.templates import templates, written
from jobs.parts import map_groups
from jobs.tables import digits, frame
from jobs.tasks import Rows
from jobs.upsert import named
from udfs.dedup import capping
from udfs.dedup.capping import FOUND
from udfs.dedup.templates import GIVEN

_FEW_GONE = 2_000_000
"""Removed rows whose numbers every task is told, 8 bytes each."""


def cap(facts: DataFrame, signatures: Rows, matches: Rows, options: Dedup, work: str) -> Found:
    """See :func:`jobs.duplicates.caps.cap`. Facts and signatures are read twice."""
    signed = signatures.frame()
    keyed = facts.join(signed.select("conversation_id", F.col("prompt_key").alias("key")), "conversation_id")
    is_dropped = F.col("level").isin(*policy.comparing(options))
    dropped = matches.frame().where(is_dropped).select("conversation_id", "kept_id")
    everyone = keyed.join(dropped, "conversation_id", "left").persist()
    standing = everyone.where(F.col("kept_id").isNull()).select("conversation_id", "key", "digest", "order")
    survivors = standing.where(F.col("key").isNotNull())
    removed = everyone.where(F.col("kept_id").isNotNull()).select("conversation_id", "key", "kept_id")
    texts = signed.select("conversation_id", "prompt")
    distinct = _distinct(survivors, texts, options.prompt).persist(StorageLevel.MEMORY_AND_DISK)
    members = _members(survivors, removed, distinct, options, work)
    gone = members.where("is_removed")
    counts = {row["level"]: row["count"] for row in gone.groupBy("level").count().collect()}
    told = named(gone, sum(counts.values()) <= _FEW_GONE)
    return Found(Rows(signatures.spark, lambda: members), told, counts, _families(members, survivors, distinct))


def _members(survivors: DataFrame, removed: DataFrame, distinct: DataFrame, options: Dedup, work: str) -> DataFrame:
    """The members of :class:`jobs.duplicates.prompts.Found`, materialised."""
    united = near_same(Rows(distinct.sparkSession, lambda: distinct), options, work).localCheckpoint()
    known = _known(distinct, united, _slots(distinct, united, options), options).localCheckpoint()
    rows = survivors.join(known, "key").drop("key").localCheckpoint()
    standing = rows.withColumn("kept_id", F.lit(None).cast("string")).withColumn("order", ascending())
    units = standing.unionByName(_dependents(rows, removed, known))
    by_prompt, by_template = caps(options)
    cap = lambda batches: capping.cap(batches, by_prompt, by_template)  # noqa: E731
    return map_groups(units, "unit", cap, from_arrow_schema(FOUND)).localCheckpoint()


def _dependents(rows: DataFrame, removed: DataFrame, known: DataFrame) -> DataFrame:
    """The rows that were removed for one of ``rows``, in that one's unit, with what is known of their own prompts."""
    heads = rows.select(F.col("conversation_id").alias("kept_id"), F.col("unit").alias("of_unit"))
    own = removed.join(heads, "kept_id").join(known.drop("unit"), "key", "left").drop("key")
    own = own.withColumn("digest", F.lit("")).withColumn("order", F.array().cast("array<double>"))
    return own.withColumnRenamed("of_unit", "unit")


def _distinct(survivors: DataFrame, texts: DataFrame, level: PromptLevel) -> DataFrame:
    """One row a prompt, as :func:`prompts.near_same` takes it, spelled as in its first conversation; and how many
    ``rows`` have it."""
    numbers = ascending() if level.policy == "best" else F.array().cast("array<double>")
    first = F.min(F.struct(numbers.alias("order"), "digest", "conversation_id")).alias("rank")
    found = survivors.groupBy("key").agg(F.count(F.lit(1)).alias("rows"), first)
    found = found.select("key", F.xxhash64("key").alias("row"), "rows", "rank.*")
    return texts.join(matching.broadcast_if_small(found), "conversation_id")


def _slots(distinct: DataFrame, united: DataFrame, options: Dedup) -> DataFrame:
    """``founder``, ``template``, ``coverage`` of prompts of a template. Nearly the same prompts are one prompt here."""
    spark = distinct.sparkSession
    if options.template.policy == "off":
        return frame(spark, [], from_arrow_schema(GIVEN)).withColumnRenamed("key", "founder")
    founders = distinct.join(united.select("key"), "key", "left_anti")
    none = spark.sparkContext.broadcast(np.empty(0, np.int64))
    found = templates(Rows(spark, lambda: founders), none, options.template)
    return found.withColumnRenamed("key", "founder")


def _known(distinct: DataFrame, united: DataFrame, slots: DataFrame, options: Dedup) -> DataFrame:
    """What is known of each prompt in a template or in a family of more than ``keep`` rows, a small part of all.

    ``key``; ``unit``, the template or else the family; ``family`` of nearly the same prompts, null if smaller, and
    ``similarity``; ``template`` if any, and ``coverage``.
    """
    founder, similarity = F.coalesce("founder", "key"), F.coalesce("similarity", F.lit(1.0))
    founded = distinct.select("key", "rows").join(united, "key", "left")
    founded = founded.select("key", "rows", founder.alias("founder"), similarity.alias("similarity"))
    is_large = (F.sum("rows") > options.prompt.keep) & F.lit(options.prompt.policy != "off")
    sizes = founded.groupBy("founder").agg(is_large.alias("is_large")).join(slots, "founder", "left")
    concerned = sizes.where("is_large or template is not null")
    family = F.when(F.col("is_large"), digits("founder")).alias("family")
    unit = F.coalesce("template", digits("founder")).alias("unit")
    return founded.join(concerned, "founder").select("key", unit, family, "similarity", "template", "coverage")


def _families(members: DataFrame, survivors: DataFrame, distinct: DataFrame) -> DataFrame:
    """Rows of ``families``: of each its ``rows`` that earlier levels left, of which ``removed`` are gone now, and how
    many distinct ``prompts`` they have."""
    place = F.struct("digest", "conversation_id")
    counted = (
        members.join(survivors.drop("order"), "conversation_id")
        .groupBy("level", "family")
        .agg(
            F.min_by("key", place).alias("first"),
            F.max_by("key", place).alias("last"),
            F.count(F.lit(1)).alias("rows"),
            F.count_if("is_removed").alias("removed"),
            F.count_distinct("key").alias("prompts"),
        )
    )
    for name, key in (("example", "first"), ("other", "last")):
        texts = distinct.select(F.col("key").alias(key), F.col("prompt").alias(name))
        counted = texts.join(matching.broadcast_if_small(counted), key)
    return written(counted)
