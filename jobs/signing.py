"""Keep ``signatures`` in step with ``conversations``: exactly one row for each, by the rule in force."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Dedup
from jobs.lake import Lake
from jobs.ledger import Run
from jobs.tables import SCHEMAS
from udfs import signatures
from udfs.signatures import Signing


def signing(options: Dedup) -> Signing:
    """How these settings make signatures."""
    return Signing(options.shingle, options.min_shingles, options.bands, options.rows, options.seed)


def bring_up(lake: Lake, job: Run, version: int, how: Signing) -> None:
    """Sign what has no signature at this version of ``conversations``: what was appended where the table only grew,
    what is new or has other messages where it changed, all of it under a new rule."""
    if job.has_written(tables.SIGNATURES):
        return
    last = lake.lineage(tables.SIGNATURES)
    conversations = lake.read(tables.CONVERSATIONS, version)
    signed = lake.read(tables.SIGNATURES)
    if last is None or not _has_rule(signed, how):
        job.commit(tables.SIGNATURES, sign(conversations, how), "overwrite")
        return
    since = last.inputs.get(tables.CONVERSATIONS, -1)
    if lake.is_grown(tables.CONVERSATIONS, since):
        if since < version:
            job.commit(tables.SIGNATURES, sign(lake.added(tables.CONVERSATIONS, since), how), "append")
        return
    key = ["conversation_id", "digest"]
    known = signed.join(conversations.select(key), key, "left_semi").select(*SCHEMAS[tables.SIGNATURES].names)
    missing = conversations.join(known.select(key), key, "left_anti")
    job.commit(tables.SIGNATURES, known.unionByName(sign(missing, how)), "overwrite")


def _has_rule(signed: DataFrame, how: Signing) -> bool:
    first = signed.select("rule").first()
    return first is not None and first["rule"] == how.rule


def version_for(lake: Lake, conversations: int) -> int:
    """The version of ``signatures`` that belongs to this version of ``conversations``; -1 where there is none."""
    for commit in lake.commits(tables.SIGNATURES):
        if commit.lineage and commit.lineage.get("inputs", {}).get(tables.CONVERSATIONS, -1) <= conversations:
            return commit.version
    return -1


def sign(conversations: DataFrame, how: Signing) -> DataFrame:
    """The signatures of these rows (``conversation_id``, ``digest``, ``messages``), one each; text crosses once."""
    texts = conversations.select(
        "conversation_id",
        row_of("conversation_id").alias("row"),
        "digest",
        F.col("messages.role").alias("roles"),
        F.col("messages.content").alias("contents"),
    )
    return texts.mapInArrow(lambda batches: signatures.sign(batches, how), SCHEMAS[tables.SIGNATURES])


def row_of(name: str) -> Column:
    """The 64-bit number that stands for a conversation id where ids are many."""
    return F.xxhash64(name)
