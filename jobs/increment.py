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
from jobs import matching, signing
from jobs.lake import Lake, Lineage
from jobs.ledger import Run
from jobs.tasks import Rows, table_rows

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


def find(lake: Lake, facts: DataFrame, since: int, options: Dedup, work: str) -> tuple[Rows, Rows]:
    """What became of the conversations that those touch which were added after version ``since`` of ``conversations``,
    as :func:`udfs.candidates.thin` tells it, and the members of all components. ``facts`` are those of all."""
    earlier = signing.version_for(lake, since)
    fresh = table_rows(lake, tables.SIGNATURES, since=earlier)
    known = table_rows(lake, tables.SIGNATURES, earlier)
    members = matching.joined_members(fresh, known, lake.read(tables.COMPONENTS), options, work)
    everyone = members.frame().persist()
    new = fresh.frame().select("row")
    touched = everyone.join(everyone.join(new, "row").select("component").distinct(), "component")
    places = _with_old_copies(touched, lake.read(tables.MATCHES)).persist()
    judged = matching.judged(
        table_rows(lake, tables.SIGNATURES), facts, Rows(lake.spark, lambda: places), options, work
    )
    return judged, members


def _with_old_copies(touched: DataFrame, matches: DataFrame) -> DataFrame:
    """The touched rows, with ``is_copy`` as it was found before where no new conversation has the same messages."""
    copies = matches.where(F.col("copy_of").isNotNull()).select(signing.row_of("conversation_id").alias("row"))
    told = touched.join(copies.distinct().withColumn("was_copy", F.lit(True)), "row", "left")
    return told.withColumn("is_copy", F.coalesce("is_copy", "was_copy")).drop("was_copy")
