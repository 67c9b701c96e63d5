"""Two records with one id: the same content collapses to one row, different content is kept under a longer id."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.refusals import DUPLICATE_RECORD

SAME_AS = "same content as conversation_id "
"""What quarantine says of a copy, in front of the id of the row it equals."""

_PLACE = ("file", "file_id", "record", "part")
"""What tells two rows apart. A file may be called as a member of an archive is, ``ARCHIVE!MEMBER``."""

_SUFFIX = 16
"""Of eight digits, two of 77,000 contents under one id would as soon as not have the same."""


def settle(rows: DataFrame, existing: DataFrame) -> tuple[DataFrame, DataFrame | None]:
    """``rows`` with ids that are unique among themselves and ``existing``, and the rows that were collapsed, as
    quarantine rows that name the row they equal (None: no id clashes).

    Content is the ``digest`` column. Of different contents under one id the one already in the lake keeps the id, else
    the new one with the smallest digest; the others get ``-`` and 16 digits of their digest, with ``renamed_from`` set.
    Text is not shuffled; only ids that clash are looked at.
    """
    decisions = _decide(_clashing(_keys(rows), _known(existing))).localCheckpoint()
    if decisions.isEmpty():
        return rows, None
    joined = rows.drop("renamed_from").join(decisions, [*_PLACE], "left")
    collapsed = joined.where(F.col("is_copy")).select(
        *("source", "file", "file_id", "record", "part", "offset", "format", "digest"),
        F.lit(DUPLICATE_RECORD).alias("reason"),
        F.concat(F.lit(SAME_AS), "settled_id").alias("detail"),
    )
    is_renamed = F.col("settled_id").isNotNull() & (F.col("settled_id") != F.col("conversation_id"))
    kept = joined.where(~F.coalesce("is_copy", F.lit(False)))
    kept = kept.withColumn("renamed_from", F.when(is_renamed, F.col("conversation_id")))
    return kept.withColumn("conversation_id", F.coalesce("settled_id", "conversation_id")), collapsed


def _keys(rows: DataFrame) -> DataFrame:
    order = F.struct("redacted", "language", F.xxhash64("metadata").alias("m"), "file", "record", "part")
    return rows.select("conversation_id", "digest", *_PLACE, order.alias("order"))


def _known(existing: DataFrame) -> DataFrame:
    """What each id of the lake stands for, and each that a row was renamed from, with the id this row has now."""
    held = existing.select("digest", F.col("conversation_id").alias("held_id"), "conversation_id", "renamed_from")
    renamed = held.where(F.col("renamed_from").isNotNull()).withColumn("conversation_id", F.col("renamed_from"))
    both = held.withColumn("standing", F.lit(2)).unionByName(renamed.withColumn("standing", F.lit(1)))
    return both.drop("renamed_from")


def _clashing(keys: DataFrame, known: DataFrame) -> DataFrame:
    """Rows and known rows of every id that stands more than once. ``standing``: 2 holds the id, 1 left it, 0 new."""
    everyone = keys.withColumn("standing", F.lit(0)).unionByName(known, allowMissingColumns=True)
    counts = everyone.groupBy("conversation_id").agg(
        F.count(F.lit(1)).alias("times"), F.min("standing").alias("newest")
    )
    clashes = counts.where((F.col("times") > 1) & (F.col("newest") == 0)).select("conversation_id")
    return everyone.join(clashes, "conversation_id", "left_semi")


def _decide(members: DataFrame) -> DataFrame:
    """Per new row of a clashing id: the id it (or the row it equals) has in the end, and whether it is a copy."""
    content = Window.partitionBy("conversation_id", "digest")
    standing = members.withColumn("best", F.max("standing").over(content))
    standing = standing.withColumn("held_id", F.max("held_id").over(content))
    standing = standing.withColumn("nth", F.row_number().over(content.orderBy(F.desc("standing"), "order")))
    holders = Window.partitionBy("conversation_id").orderBy((F.col("best") == 2).desc(), F.col("best") == 1, "digest")
    ranked = standing.withColumn("rank", F.dense_rank().over(holders))
    return ranked.where(F.col("standing") == 0).select(
        *_PLACE, _settled().alias("settled_id"), (F.col("nth") > 1).alias("is_copy")
    )


def _settled() -> Column:
    longer = F.concat("conversation_id", F.lit("-"), F.substring("digest", 1, _SUFFIX))
    return F.coalesce("held_id", F.when(F.col("rank") == 1, F.col("conversation_id")).otherwise(longer))
