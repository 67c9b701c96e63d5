"""From what became of the distinct conversations to what became of all: exact copies go where their equal goes."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Dedup
from jobs.tables import SCHEMAS, only_row
from udfs.candidates import CLUSTER_DIGITS, COUNTERS, EXACT, LEVELS, NAMES
from udfs.signatures import Signing
from udfs.verifying import CONTAINED, NEAR


def merged(groups: DataFrame, judged: DataFrame) -> DataFrame:
    """One row for each conversation that is a copy, has one, or was compared with another.

    ``groups`` are the conversations whose messages stand more than once (``conversation_id, exact_id, least``),
    ``judged`` the distinct ones that were looked at. An exact copy of a removed row goes to that row's kept row: its
    signature is the same, so the verification is. Columns: ``conversation_id, level, kept_id, copy_of, similarity,
    bands_shared, nearest_id, cluster_id`` and the counters.
    """
    verdict = judged.withColumnRenamed("conversation_id", "exact_id").withColumnRenamed("kept_id", "of_equal")
    verdict = verdict.withColumnRenamed("level", "level_of_equal")
    joined = groups.select("conversation_id", "exact_id", "least").join(verdict, "exact_id", "full")
    joined = joined.withColumn("conversation_id", F.coalesce("conversation_id", "exact_id"))
    is_copy, is_removed = F.col("exact_id") != F.col("conversation_id"), F.col("of_equal").isNotNull()
    own = F.substring("least", 1, CLUSTER_DIGITS)  # null where nobody has the same messages
    return joined.select(
        "conversation_id",
        F.when(is_removed, F.col("level_of_equal")).when(is_copy, EXACT).alias("level"),
        F.coalesce("of_equal", F.when(is_copy, F.col("exact_id"))).alias("kept_id"),
        F.when(is_copy, F.col("exact_id")).alias("copy_of"),
        F.when(is_removed | ~is_copy, F.col("similarity")).otherwise(1.0).alias("similarity"),
        F.when(is_removed | ~is_copy, F.col("bands_shared")).alias("bands_shared"),
        F.when(~is_copy, F.col("nearest_id")).alias("nearest_id"),
        F.coalesce("cluster_id", own).alias("cluster_id"),
        *(F.when(is_copy, 0).otherwise(F.coalesce(name, F.lit(0))).alias(name) for name in COUNTERS),
    )


def duplicates(rows: DataFrame, signing: Signing, options: Dedup) -> DataFrame:
    """The removed ones as rows of ``duplicates``."""
    removed = rows.where(F.col("kept_id").isNotNull()).withColumn("rule", _rule(signing, options))
    return removed.select(*SCHEMAS[tables.DUPLICATES].names)


def clusters(rows: DataFrame) -> DataFrame:
    """Those with near copies as rows of ``clusters``."""
    tied = rows.where(F.col("cluster_id").isNotNull())
    is_told = F.col("nearest_id").isNotNull()
    scores = (F.when(is_told, F.col(name)).alias(name) for name in ("similarity", "bands_shared"))
    return tied.select("conversation_id", "cluster_id", "nearest_id", *scores)


def counts(rows: DataFrame) -> dict[str, int]:
    """Removed rows by level, and the counters of the verification."""
    found = {row["level"]: row["count"] for row in rows.groupBy("level").count().collect()}
    totals = only_row(rows.agg(*(F.coalesce(F.sum(name), F.lit(0)) for name in COUNTERS)))
    return {level: found.get(level, 0) for level in LEVELS} | dict(zip(COUNTERS, map(int, totals), strict=True))


def _rule(signing: Signing, options: Dedup) -> Column:
    return (
        F.when(F.col("level") == NAMES[NEAR], F.lit(f"{signing.rule}j{options.threshold}"))
        .when(F.col("level") == NAMES[CONTAINED], F.lit(f"{signing.rule}c{options.containment}"))
        .otherwise(F.lit("folded"))
    )
