"""Which conversations are compared, and by what order does one of several stay?"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf.settings import Settings
from jobs import policy
from jobs.duplicates.signing import id_hash

_INCOMPLETE = ("unanswered", "unfinished_answer", "serving_error")


def facts(conversations: DataFrame, settings: Settings) -> DataFrame:
    """What decides who is kept, of the conversations that nothing else drops (so that a row kept for another is kept
    in the end): ``conversation_id, row, digest, order, is_fixed``. No text is read."""
    eligible = conversations.where(F.size(policy.drop_reasons(settings.rules)) == 0)
    return eligible.select(
        *("conversation_id", id_hash("conversation_id").alias("row"), "digest"),
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
