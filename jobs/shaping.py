"""Kept conversations -> rows of the dataset, where the recipe asks for another cut: long ones in parts, short ones
joined. No turn is lost, and that is counted each time.

What is cut and joined is decided on ids and numbers (:mod:`udfs.shaping`); only the conversations concerned are moved.
"""

import hashlib
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Publish
from jobs import personas
from jobs.accounts import require_equal
from jobs.digests import content_digest
from jobs.errors import UsageError
from jobs.parts import map_groups
from jobs.tables import ORIGIN, SCHEMAS, only_row
from udfs import shaping, vocabulary
from udfs.shaping import Limits
from udfs.vocabulary import Vocabulary

_PLAN = (
    "conversation_id string, digest string, key string, head int, cuts array<int>, tokens bigint, head_tokens bigint"
)
_JOINED = "conversation_id string, first string, place int, head int"
_ID_DIGITS = 8


class Shaping(NamedTuple):
    """What to do: the limits, and what tokens are counted with (None: none are)."""

    limits: Limits
    words: Vocabulary | None

    @property
    def subject(self) -> str:
        """What besides the settings decides the result: a digest of the tokenizer, empty where none is used."""
        return hashlib.sha256(self.words.text.encode()).hexdigest() if self.words else ""


def prepare(options: Publish) -> Shaping | None:
    """What these settings ask for, None where that is nothing. Raises :class:`UsageError` with the file if the
    tokenizer cannot be loaded."""
    merge = options.merge_short
    limits = Limits(options.split_long, merge.exchanges, merge.tokens or options.split_long)
    if not (limits.part or limits.exchanges):
        return None
    if not limits.is_counting:
        return Shaping(limits, None)
    try:
        return Shaping(limits, Vocabulary(vocabulary.read(options.tokenizer), options.message_tokens))
    except ValueError as error:
        raise UsageError(f"publish.tokenizer: {error}") from error


def shape(rows: DataFrame, conversations: DataFrame, wanted: Shaping) -> DataFrame:
    """``rows`` of ``dataset``, each one of ``conversations``, cut and joined as wanted.

    A part is called ``ID#NUMBER-DIGEST``, a joined row ``FIRST ID+OTHERS-DIGEST``, with the first digits of its
    content's digest. ``copies``: a part has its conversation's, a joined row the sum.
    """
    sides = rows.select("conversation_id", "split")
    found = _plan(conversations.join(sides, "conversation_id"), wanted).localCheckpoint()
    short, merge = found.where("cuts is null"), lambda batches: shaping.join(batches, wanted.limits)
    joining = map_groups(short, "key", merge, _JOINED).localCheckpoint()
    cutting = found.where("cuts is not null").select("conversation_id", "head", "cuts")
    moved = cutting.select("conversation_id").unionByName(joining.select("conversation_id"))
    whole = rows.join(moved, "conversation_id", "left_anti")
    pieces = cut(rows.join(cutting, "conversation_id"))
    joined = join(rows.join(joining, "conversation_id"))
    return whole.unionByName(_named(pieces, "#", F.col("part"))).unionByName(_named(joined, "+", F.col("others")))


def _plan(conversations: DataFrame, wanted: Shaping) -> DataFrame:
    """What :func:`udfs.shaping.plan` finds in these rows, which have their ``split``; text crosses if it is counted."""
    asked = F.size(F.filter("messages", lambda message: message["role"] == "user"))
    same = F.struct(
        *("split", "source", "model", "language", personas.character().alias("character")),
        F.filter("messages", lambda message: message["role"] == "system")["content"].alias("system"),
        F.array_position("messages.role", "user").alias("head"),
    )
    texts = conversations.where(asked >= (1 if wanted.limits.exchanges else 2)).select(
        *("conversation_id", "digest", F.sha2(F.to_json(same), 256).alias("key")),
        F.col("messages.role").alias("roles"),
        *([F.col("messages.content").alias("contents")] if wanted.words else []),
    )
    handle = conversations.sparkSession.sparkContext.broadcast(wanted.words)
    return texts.mapInArrow(lambda batches: shaping.plan(batches, wanted.limits, handle.value), _PLAN)


def cut(rows: DataFrame) -> DataFrame:
    """One row for each of ``cuts`` (the messages, from 0, at which parts begin), all with the first ``head`` messages;
    ``part``: its number from 1."""
    numbered = rows.select("*", F.posexplode("cuts").alias("index", "start"))
    end = F.coalesce(F.get("cuts", F.col("index") + 1), F.size("messages"))
    said = F.slice("messages", F.col("start") + 1, end - F.col("start"))
    rows = numbered.withColumn("messages", F.concat(F.slice("messages", F.lit(1), F.col("head")), said))
    rows = rows.withColumn("part", F.col("index") + 1)
    return rows.withColumn("made_of", F.array(_origin(F.col("made_of")[0]["conversation_id"], F.col("part"))))


def join(rows: DataFrame) -> DataFrame:
    """The rows of one ``first`` as one, which is its id, in the order of ``place``; their ``head`` messages, which are
    the same, are there once. ``others``: how many rows besides the first."""
    columns = ("place", "head", *rows.drop("first", "place", "head").columns)
    members = F.sort_array(F.collect_list(F.struct(*columns))).alias("members")
    grouped = rows.groupBy("first").agg(members, F.sum("copies").alias("copies"))
    last = lambda member: F.slice(member["messages"], member["head"] + 1, F.size(member["messages"]))  # noqa: E731
    messages = F.transform("members", lambda one: F.when(one["place"] == 0, one["messages"]).otherwise(last(one)))
    kept = ("source", "model", "language", "split")
    return grouped.select(
        F.col("first").alias("conversation_id"),
        *(F.col("members")[0][name].alias(name) for name in kept),
        *(F.flatten(messages).alias("messages"), "copies"),
        F.flatten("members.made_of").alias("made_of"),
        (F.size("members") - 1).alias("others"),
    )


def account(before: DataFrame, after: DataFrame) -> dict[str, int]:
    """Counts of what became of the conversations ``before`` in the rows ``after``: ``rows``; ``joined``, the
    conversations that are in the row of another; ``parts``, those after a conversation's first; ``turns``.

    Raises :class:`LakeDamaged` unless every conversation is there and its turns are, each as it was, and all ids
    differ: conversations = ``rows`` + ``joined`` - ``parts``.
    """
    had, has = (only_row(rows.agg(*_totals())) for rows in (before, after))
    joined = has["origins"] - has["rows"]
    require_equal(
        "nothing was published",
        ("conversations kept", had["rows"], "in the dataset's rows", has["origins"] - has["parts"]),
        ("turns kept", had["turns"], "in the dataset's rows", has["turns"]),
        ("sum of the hashes of turns kept", had["content"], "of those in the dataset's rows", has["content"]),
        ("rows of the dataset", has["rows"], "different ids among them", has["ids"]),
    )
    return {"rows": has["rows"], "joined": joined, "parts": has["parts"], "turns": has["turns"]}


def _totals() -> list[Column]:
    turns = said()
    add = lambda total, turn: total + F.hash(turn["role"], turn["content"])  # noqa: E731
    totals = {
        "origins": F.size("made_of"),
        "parts": F.size(F.filter("made_of", lambda origin: origin["part"] > 1)),
        "turns": F.size(turns),
        "content": F.aggregate(turns, F.lit(0).cast("bigint"), add),
    }
    sums = [F.coalesce(F.sum(total), F.lit(0)).alias(name) for name, total in totals.items()]
    return [F.count(F.lit(1)).alias("rows"), F.count_distinct("conversation_id").alias("ids"), *sums]


def said() -> Column:
    """``messages`` without the system messages at their start."""
    first = F.array_position(F.transform("messages.role", lambda role: role != "system"), True)
    return F.when(first > 0, F.slice("messages", first, F.size("messages"))).otherwise(F.slice("messages", 1, 0))


def _named(rows: DataFrame, sign: str, number: Column) -> DataFrame:
    """The rows with the digest of their messages, and an id that follows from it."""
    rows = rows.withColumn("digest", content_digest())
    digits = F.substring("digest", 1, _ID_DIGITS)
    name = F.concat("conversation_id", F.lit(sign), number.cast("string"), F.lit("-"), digits)
    return rows.withColumn("conversation_id", name).select(*SCHEMAS[tables.DATASET].names)


def whole(name: str) -> Column:
    """``made_of`` of a row that is one conversation, that of this id."""
    return F.array(_origin(F.col(name), F.lit(None)))


def _origin(conversation_id: Column, part: Column) -> Column:
    values = {"conversation_id": conversation_id, "part": part}
    return F.struct(*(values[field.name].cast(field.dataType).alias(field.name) for field in ORIGIN.fields))
