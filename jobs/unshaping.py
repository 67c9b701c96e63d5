"""Rows of a dataset -> the conversations that they are made of: parts put together again, joined ones taken apart."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs import shaping
from jobs.digests import content_digest

_COLUMNS = ("conversation_id", "messages", "digest")


def conversations(rows: DataFrame) -> DataFrame:
    """``conversation_id``, ``messages``, ``digest`` of every conversation in these rows of ``dataset``, each as it was
    before :func:`jobs.shaping.shape`."""
    is_part, is_joined = F.col("made_of")[0]["part"].isNotNull(), F.size("made_of") > 1
    if rows.where(is_part | is_joined).isEmpty():
        return rows.select(*_COLUMNS)
    parts = rows.where(is_part).withColumn("head", _head())
    parts = parts.withColumn("first", F.col("made_of")[0]["conversation_id"])
    again = shaping.join(parts.withColumn("place", F.col("made_of")[0]["part"] - 1))
    joined = rows.where(is_joined).withColumn("head", _head()).withColumn("names", F.col("made_of.conversation_id"))
    apart = shaping.cut(joined.withColumn("cuts", _exchanges()))
    apart = apart.withColumn("conversation_id", F.get("names", F.col("part") - 1))
    moved = again.select(*_COLUMNS[:2]).unionByName(apart.select(*_COLUMNS[:2]))
    moved = moved.withColumn("digest", content_digest())
    return rows.where(~is_part & ~is_joined).select(*_COLUMNS).unionByName(moved)


def _head() -> Column:
    return F.size("messages") - F.size(shaping.said())


def _exchanges() -> Column:
    """Where the exchanges of a joined row begin; :func:`udfs.exchanges.is_one_exchange` says why that is all."""
    role = lambda place: F.get("messages.role", place)  # noqa: E731
    places = F.sequence(F.col("head"), F.size("messages") - 1)
    begins = lambda place: (place == F.col("head")) | ((role(place) == "user") & (role(place - 1) == "assistant"))  # noqa: E731
    return F.filter(places, begins)
