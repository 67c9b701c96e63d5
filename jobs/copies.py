"""Which conversations have equal messages, up to case and spacing, and which of them stands for the others?"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from conf.settings import Dedup, Settings
from jobs import policy
from jobs.matching import kept_at_hand
from jobs.signing import row_of
from udfs.buckets import DIGEST_BYTES

_INCOMPLETE = ("unanswered", "unfinished_answer", "serving_error")


def facts(conversations: DataFrame, settings: Settings) -> DataFrame:
    """What decides who is kept, of the conversations that nothing else drops (so that a row kept for another is kept
    in the end): ``conversation_id, row, digest, order, is_fixed``. No text is read."""
    eligible = conversations.where(F.size(policy.drop_reasons(settings.rules)) == 0)
    return eligible.select(
        *("conversation_id", row_of("conversation_id").alias("row"), "digest"),
        order(settings.dedup.survivor).alias("order"),
        F.lit(False).alias("is_fixed"),
    )


def order(names: Sequence[str]) -> Column:
    """The survivor's order as an array of numbers, larger is better; the id breaks ties, smaller first.

    ``complete``: answered to the end, as far as the recipe's reasons look. ``earliest``: by the source's time; a
    conversation without one comes after all that have it.
    """
    is_broken = F.arrays_overlap("reasons", F.array(*map(F.lit, _INCOMPLETE)))
    numbers = {
        "complete": (~is_broken).cast("double"),
        "answered": (~F.array_contains("reasons", "unanswered")).cast("double"),
        "quality": F.col("quality"),
        "earliest": F.coalesce(-F.col("time"), F.lit(float("-inf"))),
        "not_redacted": (~F.coalesce("redacted", F.lit(False))).cast("double"),
        "turns": F.col("turns").cast("double"),
        "characters": F.col("characters").cast("double"),
    }
    return F.array(*(numbers[name] for name in names)).cast("array<double>")


def normal() -> Column:
    """``normal`` of a signature: the digest of all messages, equal for equal messages up to case and spacing."""
    return F.substring("prefixes", -DIGEST_BYTES, DIGEST_BYTES).alias("normal")


def twins(facts: DataFrame, signatures: DataFrame, options: Dedup) -> DataFrame:
    """The conversations of ``facts`` whose messages another one has too: ``conversation_id``, ``exact_id`` (the one
    that stands for it, maybe itself) and ``least`` (the least content digest of those with these messages)."""
    if options.exact == "off":
        nobody = facts.where("false")
        return nobody.select(
            "conversation_id", F.col("conversation_id").alias("exact_id"), F.col("digest").alias("least")
        )
    # Most messages are unique: to find those that are not, one number each is counted, and no row is sorted.
    keyed = signatures.select("conversation_id", normal())
    several = keyed.groupBy("normal").count().where(F.col("count") > 1).select("normal")
    rows = facts.join(kept_at_hand(keyed.join(kept_at_hand(several), "normal")), "conversation_id")
    group = Window.partitionBy("normal")
    best = group.orderBy(F.desc("is_fixed"), F.desc("order"), "conversation_id")
    found = rows.select(
        "conversation_id",
        F.first("conversation_id").over(best).alias("exact_id"),
        F.min("digest").over(group).alias("least"),
        F.count(F.lit(1)).over(group).alias("copies"),
    )
    return found.where("copies > 1").drop("copies").persist()
