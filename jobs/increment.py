"""Duplicates among conversations of which most were compared before: the cost follows the new ones.

What is known of the others is read from four tables: their keys and shingle sets (``signatures``), the groups they are
looked at in (``components``), what became of them (``matches``). A new conversation touches the
components it shares a key with; those are judged anew as wholes, the others stay as they are. Hence the result is that
of comparing all with all: what became of a row depends on its component alone.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Dedup
from jobs import copies, matching, signing
from jobs.lake import Lake, Lineage
from jobs.ledger import Run
from jobs.outcome import merged

_WRITTEN = (tables.MATCHES, tables.COMPONENTS, tables.DUPLICATES, tables.FAMILIES, tables.CLUSTERS)


def can_grow(lake: Lake, job: Run, last: Lineage | None) -> bool:
    """Were conversations only added since ``last``, under the same settings and code, and is every table of that run
    as it left it (a run that was killed while it wrote may have changed some)?"""
    if last is None or any(job.has_written(table) for table in _WRITTEN):
        return False
    is_same = (last.config_digest, last.code_version) == (job.lineage.config_digest, job.lineage.code_version)
    is_whole = all((lake.lineage(table) or last).run_id == last.run_id and lake.has(table) for table in _WRITTEN)
    is_grown = lake.is_grown(tables.CONVERSATIONS, last.inputs[tables.CONVERSATIONS])
    return is_same and is_whole and is_grown and _has_same_contamination(lake, last)


def _has_same_contamination(lake: Lake, last: Lineage) -> bool:
    """Are the conversations of that time that are dropped for a benchmark's question the same today?"""
    if tables.CONTAMINATION not in last.inputs:
        return True
    now, before = (
        lake.read(tables.CONTAMINATION, version).where("hit").select("conversation_id")
        for version in (None, last.inputs[tables.CONTAMINATION])
    )
    old = lake.read(tables.CONVERSATIONS, last.inputs[tables.CONVERSATIONS]).select("conversation_id")
    added = now.subtract(before).join(old, "conversation_id", "left_semi")
    return added.isEmpty() and before.subtract(now).isEmpty()


def find(lake: Lake, facts: DataFrame, since: int, options: Dedup, work: str) -> tuple[DataFrame, DataFrame]:
    """What became of the conversations that those touch which were added after version ``since`` of ``conversations``,
    as :func:`jobs.outcome.merged` tells it, and the members of all components. ``facts`` are those of all."""
    signatures = lake.read(tables.SIGNATURES)
    earlier = signing.version_for(lake, since)
    fresh, known = lake.added(tables.SIGNATURES, earlier), lake.read(tables.SIGNATURES, earlier)
    twins = copies.twins(_with_new_equals(facts, fresh, signatures), signatures, options)
    before = lake.read(tables.COMPONENTS)
    members = matching.joined_members(fresh, known, before, options, work).persist()
    touched = members.join(members.join(fresh.select("row"), "row").select("component").distinct(), "component")
    removed = lake.read(tables.MATCHES).where(F.col("copy_of").isNotNull()).select("conversation_id", "copy_of")
    chosen = _standing(facts.join(F.broadcast(touched), "row"), twins, removed).persist()
    places = matching.at_hand(chosen.select("row", "component", "part"))
    judged = matching.judged(signatures, chosen, places, options)
    return merged(_all_twins(twins, chosen, removed, facts), judged), members


def _with_new_equals(facts: DataFrame, fresh: DataFrame, signatures: DataFrame) -> DataFrame:
    """The facts of the new conversations and of all that have the messages of one."""
    wanted = fresh.select(copies.normal()).distinct()
    rows = signatures.select("row", "conversation_id", copies.normal()).join(F.broadcast(wanted), "normal", "left_semi")
    return facts.join(F.broadcast(rows.select("row", "conversation_id")), ["row", "conversation_id"], "left_semi")


def _standing(touched: DataFrame, twins: DataFrame, removed: DataFrame) -> DataFrame:
    """Of the touched rows those that stand for themselves: no exact copies of another."""
    joined = touched.join(twins.select("conversation_id", "exact_id"), "conversation_id", "left")
    joined = joined.join(removed, "conversation_id", "left")
    stands_for = F.coalesce("exact_id", "copy_of", "conversation_id")
    return joined.where(stands_for == F.col("conversation_id")).drop("exact_id", "copy_of")


def _all_twins(twins: DataFrame, chosen: DataFrame, removed: DataFrame, facts: DataFrame) -> DataFrame:
    """The groups of equal messages that are touched: those with a new row, and those whose standing row is judged."""
    others = chosen.select(F.col("conversation_id").alias("exact_id")).join(
        twins.select(F.col("conversation_id").alias("exact_id")), "exact_id", "left_anti"
    )
    ids = removed.withColumnRenamed("copy_of", "exact_id").join(others, "exact_id")
    ids = ids.unionByName(ids.select("exact_id").distinct().withColumn("conversation_id", F.col("exact_id")))
    old = facts.join(F.broadcast(ids), "conversation_id")
    least = old.groupBy("exact_id").agg(F.min("digest").alias("least"))
    columns = ["conversation_id", "exact_id", "least"]
    return twins.select(*columns).unionByName(old.join(least, "exact_id").select(*columns))
