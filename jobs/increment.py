"""Duplicates among conversations of which most were compared before: the cost follows the new ones.

What is known of the others is read from four tables: their keys and shingle sets (``signatures``), the groups they are
looked at in (``components``), what became of them (``matches``). A new conversation touches the
components it shares a key with; those are judged anew as wholes, the others stay as they are. Hence the result is that
of comparing all with all: what became of a row depends on its component alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark import Broadcast
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Dedup
from jobs import matching, signing
from jobs.lake import Lake, Lineage
from jobs.ledger import Run, is_current
from jobs.tasks import Made, Rows, table_rows
from udfs.members import among, are_in

_FEW_FRESH = 1_000_000
"""New conversations whose keys the driver is told, some 300 bytes each. Of more, hardly any key is not among them."""
LookedAt = DataFrame | Broadcast
"""Conversations that were looked at: by ``conversation_id``, or, if they are few, as an ascending array of ``row``."""
WRITTEN = (tables.MATCHES, tables.COMPONENTS, tables.DUPLICATES, tables.FAMILIES, tables.CLUSTERS)


def can_grow(lake: Lake, job: Run, last: Lineage | None) -> bool:
    """Were conversations only added since ``last``, under the same settings and code, and is every table of that run
    as it left it (a run that was killed while it wrote may have changed some)?"""
    if last is None or any(job.has_written(table) for table in WRITTEN):
        return False
    is_same = (last.config_digest, last.code_version) == (job.lineage.config_digest, job.lineage.code_version)
    is_whole = all(is_current(lake, table, last) for table in WRITTEN)
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
    everything, new = table_rows(lake, tables.SIGNATURES), _numbers(fresh.map(["row"], lambda rows: rows, "row bigint"))
    if len(new.value) <= _FEW_FRESH:
        members = matching.joined_members(fresh, known, _edges_before(lake), options, work)
    else:
        members = matching.members(everything, options, work)
    return matching.judged(everything, facts, _touched(members, new), options, work), members


def looked_at(found: Rows) -> LookedAt:
    """The conversations that ``found`` tells of."""
    if found.files is None:
        return found.frame().select("conversation_id")
    return _numbers(found.map(["conversation_id"], signing.numbered, "row bigint"))


def renewed(lake: Lake, table: str, now: Made, seen: LookedAt | None) -> DataFrame | Made:
    """A table in which the conversations that were looked at are as they are ``now``, and the others as they were. If
    all were looked at (None), that is what they are now."""
    if seen is None:
        return now
    before = table_rows(lake, table)
    if isinstance(seen, DataFrame):
        return before.frame().join(seen, "conversation_id", "left_anti").unionByName(now.frame())
    others = lambda batches: _without(batches, seen.value)  # noqa: E731
    return replace(now, beside=Made(before, now.schema.names, others, now.schema))


def _without(batches: Iterable[pa.RecordBatch], rows: np.ndarray) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        found = signing.rows_of(batch.column("conversation_id").to_pylist())
        yield batch.filter(pa.array(~are_in(found, rows)))


def _edges_before(lake: Lake) -> DataFrame:
    """What hung together before, and what had the same messages (:func:`udfs.buckets.edges`)."""
    tied = lake.read(tables.COMPONENTS).where("row != component").withColumn("is_equal", F.lit(False))
    copies = lake.read(tables.MATCHES).where("copy_of is not null")
    ends = [signing.row_of(name) for name in ("copy_of", "conversation_id")]
    return (
        tied.select("component", "row", "is_equal")
        .toDF("a", "b", "is_equal")
        .unionAll(copies.select(*ends, F.lit(True)))
    )


def _touched(members: Rows, new: Broadcast) -> Rows:
    """The members of components that have a new one."""
    labelled = "row bigint, component bigint"
    found = members.map(["row", "component"], lambda batches: among(batches, "row", new.value), labelled)
    touched = _numbers(found.select("component"))
    schema = members.frame().schema
    kernel = lambda batches: among(batches, "component", touched.value)  # noqa: E731
    return Rows(members.spark, lambda: members.map(schema.names, kernel, schema))


def _numbers(column: DataFrame) -> Broadcast:
    """The values of a column of 64-bit numbers, ascending, for all executors."""
    found: Any = column.toPandas()
    return column.sparkSession.sparkContext.broadcast(np.unique(found.to_numpy(np.int64)))
