"""After the comparisons: at most so many conversations of a prompt and of a template stay. What is removed in all?"""

from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Dedup, PromptLevel, TemplateLevel
from jobs import policy, prompts
from jobs.prompts import PROMPT
from jobs.renewal import named, renewed
from jobs.tables import SCHEMAS
from jobs.tasks import Made, Rows, as_they_are
from jobs.templates import families

_FEW_GONE = 2_000_000
"""Removed rows whose numbers every task is told, 8 bytes each."""
_DUPLICATE = SCHEMAS[tables.DUPLICATES]


class Capped(NamedTuple):
    """Rows of ``duplicates`` and of ``families``, and how many rows each of these levels removed."""

    duplicates: Made
    families: DataFrame
    counts: dict[str, int]


def is_on(options: Dedup) -> bool:
    """Is there a cap at all? Else all that is removed is what ``matches`` has."""
    return not options.prompt.policy == options.template.policy == "off"


def cap(facts: DataFrame, signatures: DataFrame, matches: Rows, options: Dedup, work: str) -> Capped:
    """What is removed of the conversations ``facts``, ``matches`` being removed already.

    A row of ``matches`` whose kept row goes now goes with it, to the same kept row.
    """
    texts = signatures.select("conversation_id", "prompt")
    keyed = facts.join(signatures.select("conversation_id", F.col("prompt_key").alias("key")), "conversation_id")
    dropped = matches.frame().where(F.col("level").isin(*policy.dropping(options))).select("conversation_id", "kept_id")
    everyone = keyed.join(dropped, "conversation_id", "left").persist()
    survivors = everyone.where(F.col("kept_id").isNull()).select("conversation_id", "key", "digest", "order")
    removed = everyone.where(F.col("kept_id").isNotNull()).select("conversation_id", "key", "kept_id")
    members = prompts.members(survivors, removed, texts, options, work)
    found = families(members, survivors, texts).select(*SCHEMAS[tables.FAMILIES].names)
    gone = members.where("is_removed")
    counts = {row["level"]: row["count"] for row in gone.groupBy("level").count().collect()}
    rows = Rows(facts.sparkSession, lambda: _gone(gone, options))
    duplicates = renewed(matches, as_they_are(rows, _DUPLICATE), named(gone, sum(counts.values()) <= _FEW_GONE))
    return Capped(duplicates, found, counts)


def _gone(gone: DataFrame, options: Dedup) -> DataFrame:
    """Removed ones as rows of ``duplicates``."""
    rule = F.when(F.col("level") == PROMPT, _rule(options.prompt)).otherwise(_rule(options.template))
    missing = [field for field in _DUPLICATE if field.name not in gone.columns]
    nothing = {field.name: F.lit(None).cast(field.dataType) for field in missing}
    return gone.withColumns(nothing | {"rule": rule}).select(*_DUPLICATE.names)


def _rule(level: PromptLevel | TemplateLevel) -> Column:
    return F.lit(f"{level.policy}{level.keep}")
