"""Duplicates among conversations of which most were compared before: the cost follows the new ones.

What is known of the others is read from four tables: their keys and shingle sets (``signatures``), the groups they are
looked at in (``components``), what became of them (``matches``). A new conversation touches the
components it shares a key with; those are judged anew as wholes, the others stay as they are. Hence the result is that
of comparing all with all: what became of a row depends on its component alone.
"""

import numpy as np
import pyarrow as pa
from pyspark import Broadcast
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.duplicates import Dedup
from jobs.duplicates import matching, signing
from jobs.duplicates.connected import MEMBERS
from jobs.duplicates.matching import Before
from jobs.lake import Lake, Lineage
from jobs.ledger import Run, is_current
from jobs.tasks import Rows, rows_from_memory, table_rows
from jobs.upsert import Named, numbers
from udfs.dedup.members import among, are_in

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


def find(lake: Lake, facts: DataFrame, since: int, options: Dedup, work: str) -> tuple[Rows, Rows, Named]:
    """What became of the conversations that those touch which were added after version ``since`` of ``conversations``,
    as :func:`candidates.thin` tells it; the members of all components; and the conversations that were looked at.
    ``facts`` are those of all."""
    earlier = signing.version_for(lake, since)
    fresh = table_rows(lake, tables.SIGNATURES, since=earlier)
    known = table_rows(lake, tables.SIGNATURES, earlier)
    everything, new = table_rows(lake, tables.SIGNATURES), numbers(fresh, "row")
    if len(new.value) <= _FEW_FRESH:
        members = matching.joined_members(fresh, known, _before(lake), options, work)
    else:
        members = matching.members(everything, options, work)
    touched = _touched(members, new, work)
    found = matching.judged(everything, facts, touched, options, work)
    seen = found.frame().select("conversation_id") if touched.files is None else numbers(touched, "row")
    return found, members, seen


def _before(lake: Lake) -> Before:
    """What hung together before, and what had the same messages."""
    copies = lake.read(tables.MATCHES).where("copy_of is not null")
    ends = [signing.id_hash(name).alias(end) for name, end in (("copy_of", "a"), ("conversation_id", "b"))]
    return Before(table_rows(lake, tables.COMPONENTS), copies.select(*ends, F.lit(True).alias("is_equal")))


def _touched(members: Rows, new: Broadcast, work: str) -> Rows:
    """The members of components that have a new one."""
    if members.files is not None:
        found = members.read(MEMBERS)
        labels = found["component"].filter(pa.array(are_in(found["row"].to_numpy(), new.value)))
        has_new = are_in(found["component"].to_numpy(), np.unique(labels.to_numpy()))
        return rows_from_memory(members.spark, found.filter(pa.array(has_new)), f"{work}/touched")
    labelled = "row bigint, component bigint"
    found = members.map(["row", "component"], lambda batches: among(batches, "row", new.value), labelled)
    touched = numbers(Rows(members.spark, lambda: found), "component")
    schema = members.frame().schema
    kernel = lambda batches: among(batches, "component", touched.value)  # noqa: E731
    return Rows(members.spark, lambda: members.map(schema.names, kernel, schema))
