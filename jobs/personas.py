"""Which questions do several personas answer? A side table for people to read: nothing is dropped for it.

A persona is a system prompt, a character and a model together; a question is a first user message up to case,
punctuation and spaces (:mod:`udfs.personas`).
"""

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.duplicates import Dedup
from jobs import policy
from jobs.lake import Lake
from jobs.ledger import Run
from jobs.progress import Progress
from jobs.tables import SCHEMAS, digits, frame
from udfs import personas

ROLE_WORDS = ("ai", "bot", "counselor", "function_call", "gpt", "model", "sys", "tool_calls")
"""Names by which sources say that an assistant speaks, not which."""

_KEYED = (
    "conversation_id string, question binary, persona string, character string, model string, system string, "
    "text string"
)


def write(lake: Lake, job: Run, facts: DataFrame, options: Dedup, progress: Progress) -> None:
    """Bring ``conflicts`` up to what dedup leaves of the conversations ``facts``; empty it where it is not asked for
    any more."""
    if options.persona_conflict == "tag":
        removed = lake.read(tables.DUPLICATES).where(F.col("level").isin(*policy.dropping(options)))
        kept = facts.select("conversation_id").join(removed, "conversation_id", "left_anti")
        conversations = lake.read(tables.CONVERSATIONS, job.lineage.inputs[tables.CONVERSATIONS])
        with progress.stage("personas"):
            found = conflicts(conversations.join(kept, "conversation_id", "left_semi"))
            job.commit(tables.CONFLICTS, found, "overwrite")
    elif lake.has(tables.CONFLICTS):
        job.commit(tables.CONFLICTS, frame(lake.spark, [], SCHEMAS[tables.CONFLICTS]), "overwrite")


def conflicts(conversations: DataFrame) -> DataFrame:
    """Rows of ``conflicts`` for the conversations whose question is answered by another persona too.

    ``question`` and ``persona``: 32 hexadecimal digits. ``personas`` and ``conversations``: how many answer the
    question. ``character``, ``model``, ``system``, ``text`` (the question): for people, texts cut.
    """
    told = conversations.select(
        "conversation_id", question().alias("text"), system().alias("system"), character().alias("character"), "model"
    )
    keyed = told.where("text is not null").mapInArrow(personas.identify, _KEYED).where("question is not null")
    keyed = keyed.persist(StorageLevel.MEMORY_AND_DISK)
    counts = F.count_distinct("persona").alias("personas"), F.count(F.lit(1)).alias("conversations")
    groups = keyed.groupBy("question").agg(*counts).where("personas > 1")
    rows = keyed.join(groups, "question").withColumn("question", digits("question"))
    return rows.select(*SCHEMAS[tables.CONFLICTS].names)


def question() -> Column:
    """The first user message; null if none."""
    return F.get(F.filter("messages", lambda message: message["role"] == "user"), F.lit(0))["content"]


def system() -> Column:
    """All system messages, end to end; null if none."""
    said = F.filter("messages", lambda message: message["role"] == "system")["content"]
    return F.when(F.size(said) > 0, F.array_join(said, "\n"))


def character() -> Column:
    """The name that the source gives whoever answers, the first one; null if it gives none."""
    name = lambda message: F.lower(message["name"])  # noqa: E731
    is_named = lambda message: (message["role"] == "assistant") & ~name(message).isin(*ROLE_WORDS)  # noqa: E731
    return F.get(F.filter("messages", is_named), F.lit(0))["name"]
