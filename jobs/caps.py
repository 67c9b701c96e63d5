"""After the comparisons: at most so many conversations of a prompt and of a template stay. What is removed in all?"""

from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Dedup, PromptLevel, TemplateLevel
from jobs import policy, prompts
from jobs.prompts import PROMPT
from jobs.tables import SCHEMAS
from jobs.templates import families


class Capped(NamedTuple):
    """Rows of ``duplicates`` and of ``families``, and how many rows each of these levels removed."""

    duplicates: DataFrame
    families: DataFrame
    counts: dict[str, int]


def is_on(options: Dedup) -> bool:
    """Is there a cap at all? Else all that is removed is what ``matches`` has."""
    return not options.prompt.policy == options.template.policy == "off"


def cap(facts: DataFrame, signatures: DataFrame, matches: DataFrame, options: Dedup, work: str) -> Capped:
    """What is removed of the conversations ``facts``, ``matches`` being removed already.

    A row of ``matches`` whose kept row goes now goes with it, to the same kept row.
    """
    texts = signatures.select("conversation_id", "prompt")
    keyed = facts.join(signatures.select("conversation_id", F.col("prompt_key").alias("key")), "conversation_id")
    dropped = matches.where(F.col("level").isin(*policy.dropping(options))).select("conversation_id", "kept_id")
    everyone = keyed.join(dropped, "conversation_id", "left").persist()
    survivors = everyone.where(F.col("kept_id").isNull()).select("conversation_id", "key", "digest", "order")
    removed = everyone.where(F.col("kept_id").isNotNull()).select("conversation_id", "key", "kept_id")
    members = prompts.members(survivors, removed, texts, options, work)
    found = families(members, survivors, texts).select(*SCHEMAS[tables.FAMILIES].names)
    counts = members.where("is_removed").groupBy("level").count().collect()
    gone = members.where("is_removed").select(
        *("level", "conversation_id", "kept_id", "similarity"),
        *(F.lit(None).cast("string").alias(name) for name in ("copy_of", "cluster_id")),
        F.lit(None).cast("int").alias("bands_shared"),
        F.when(F.col("level") == PROMPT, _rule(options.prompt)).otherwise(_rule(options.template)).alias("rule"),
    )
    kept = matches.join(gone.select("conversation_id"), "conversation_id", "left_anti")
    duplicates = kept.unionByName(gone).select(*SCHEMAS[tables.DUPLICATES].names)
    return Capped(duplicates, found, {row["level"]: row["count"] for row in counts})


def _rule(level: PromptLevel | TemplateLevel) -> Column:
    return F.lit(f"{level.policy}{level.keep}")
