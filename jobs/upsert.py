"""A table after an upsert: rows made now, and the old rows of all other conversations."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
from pyspark import Broadcast
from pyspark.sql import DataFrame

from jobs.duplicates import signing
from jobs.tasks import Made, Rows, unchanged
from udfs.dedup.members import are_in

Named = DataFrame | Broadcast
"""Conversations: by ``conversation_id``, or, if they are few, an ascending array of their ``row``."""


def named(told: DataFrame, are_few: bool) -> Named:
    """The conversations of these rows; of few, every task is told the numbers, 8 bytes each."""
    if not are_few:
        return told.select("conversation_id")
    return numbers(Rows(told.sparkSession, lambda: told.select(signing.id_hash("conversation_id").alias("row"))), "row")


def numbers(rows: Rows, column: str) -> Broadcast:
    """The values of a column of 64-bit numbers, ascending, for all executors."""
    found = rows.read(pa.schema([(column, pa.int64())]))
    return rows.spark.sparkContext.broadcast(np.unique(found[column].to_numpy()))


def upserted(before: Rows, now: Made, seen: Named) -> Made:
    """The rows of a table as they are ``now``, and of the conversations that were not ``seen`` as they were."""
    if isinstance(seen, DataFrame):
        others = Rows(before.spark, lambda: before.frame().join(seen, "conversation_id", "left_anti"))
        kept = unchanged(others, now.schema)
    else:
        kept = Made(before, now.schema.names, lambda batches: _without(batches, seen.value), now.schema)
    return replace(now, beside=kept)


def _without(batches: Iterable[pa.RecordBatch], rows: np.ndarray) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        found = signing.id_hashes(batch.column("conversation_id").to_pylist())
        yield batch.filter(pa.array(~are_in(found, rows)))
