"""What became of the conversations that were compared, as rows of the tables and as counts."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Dedup
from jobs.tables import SCHEMAS
from udfs.candidates import COUNTERS, LEVELS, NAMES
from udfs.signatures import Signing
from udfs.verifying import CONTAINED, NEAR


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
    sums = (F.sum(name).alias(name) for name in COUNTERS)
    found = rows.groupBy("level").agg(F.count(F.lit(1)).alias("rows"), *sums).collect()
    removed = {row["level"]: row["rows"] for row in found}
    totals = {name: sum(row[name] for row in found) for name in COUNTERS}
    return {level: removed.get(level, 0) for level in LEVELS} | totals


def _rule(signing: Signing, options: Dedup) -> Column:
    return (
        F.when(F.col("level") == NAMES[NEAR], F.lit(f"{signing.rule}j{options.threshold}"))
        .when(F.col("level") == NAMES[CONTAINED], F.lit(f"{signing.rule}c{options.containment}"))
        .otherwise(F.lit("folded"))
    )
