"""Duplicates among conversations of which most were compared before: the cost follows the new ones.

What is known of the others is read from four tables: their keys and shingle sets (``signatures``), the groups they are
looked at in (``components``), what became of them (``matches``). A new conversation touches the
components it shares a key with; those are judged anew as wholes, the others stay as they are. Hence the result is that
of comparing all with all: what became of a row depends on its component alone.
"""

from pyspark import Broadcast
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.duplicates import Dedup
from jobs import matching, signing
from jobs.lake import Lake, Lineage
from jobs.ledger import Run, is_current
from jobs.renewal import numbers
from jobs.tasks import Rows, table_rows
from udfs.members import among

_FEW_FRESH = 1_000_000
"""New conversations whose keys the driver is told, some 300 bytes each. Of more, hardly any key is not among them."""
WRITTEN = (tables.MATCHES, tables.COMPONENTS, tables.DUPLICATES, tables.FAMILIES, tables.CLUSTERS)


def is_whole(lake: Lake, run: Lineage) -> bool:
    """Is every table as this run left it (one that was killed later may have written some)?"""
    return all(is_current(lake, table, run) for table in WRITTEN)


def can_grow(lake: Lake, job: Run, last: Lineage | None) -> bool:
    """Were conversations only added since ``last``, under the same settings and code, and is every table of that run
    as it left it (a run that was killed while it wrote may have changed some)?"""
    if last is None or any(job.has_written(table) for table in WRITTEN):
        return False
    is_same = (last.config_digest, last.code_version) == (job.lineage.config_digest, job.lineage.code_version)
    is_grown = lake.is_grown(tables.CONVERSATIONS, last.inputs[tables.CONVERSATIONS])
    return is_same and is_whole(lake, last) and is_grown and _has_same_contamination(lake, last)


def _has_same_contamination(lake: Lake, last: Lineage) -> bool:
    """Are the conversations of that time that are dropped for a benchmark's question the same today?"""
    if tables.CONTAMINATION not in last.inputs:
        return True
    then = last.inputs[tables.CONTAMINATION]
    if not lake.is_kept(tables.CONTAMINATION, then):
        return False
    now, before = (
        lake.read(tables.CONTAMINATION, version).where("hit").select("conversation_id") for version in (None, then)
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
    everything, new = table_rows(lake, tables.SIGNATURES), numbers(fresh.frame().select("row"))
    if len(new.value) <= _FEW_FRESH:
        members = matching.joined_members(fresh, known, _edges_before(lake), options, work)
    else:
        members = matching.members(everything, options, work)
    return matching.judged(everything, facts, _touched(members, new), options, work), members


def _edges_before(lake: Lake) -> DataFrame:
    """What hung together before, and what had the same messages (:func:`udfs.buckets.edges`)."""
    tied = lake.read(tables.COMPONENTS).where("row != component")
    edges = tied.select(F.col("component").alias("a"), F.col("row").alias("b"), F.lit(False).alias("is_equal"))
    copies = lake.read(tables.MATCHES).where("copy_of is not null")
    ends = [signing.row_of(name) for name in ("copy_of", "conversation_id")]
    return edges.unionAll(copies.select(*ends, F.lit(True)))


def _touched(members: Rows, new: Broadcast) -> Rows:
    """The members of components that have a new one."""
    labelled = "row bigint, component bigint"
    found = members.map(["row", "component"], lambda batches: among(batches, "row", new.value), labelled)
    touched = numbers(found.select("component"))
    schema = members.frame().schema
    kernel = lambda batches: among(batches, "component", touched.value)  # noqa: E731
    return Rows(members.spark, lambda: members.map(schema.names, kernel, schema))
