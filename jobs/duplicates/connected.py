"""Which rows hang together? The components of the edges: on the driver while they are few, by stars on Spark beyond."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs import stores
from jobs.errors import WinnowError
from jobs.parts import place
from jobs.tables import only_row
from jobs.tasks import Rows, rows_from_memory
from udfs.dedup import stars

_BLOCKS = "edges binary, count bigint, unsettled bigint"
CONTRACTED = f"{_BLOCKS}, digest bigint, is_equal boolean"
"""The columns of :func:`udfs.dedup.stars.contract`."""
_ROUTED = "part int, by_child boolean, edges binary"
_SIZES = "component bigint, size bigint"
_LABELS = "row bigint, component bigint, part int"
_COPIES = "row bigint, is_copy boolean"
MEMBERS = pa.schema([("row", pa.int64()), ("component", pa.int64()), ("part", pa.int32()), ("is_copy", pa.bool_())])
"""The columns of :func:`components`."""
KNOWN = pa.schema([("row", pa.int64()), ("component", pa.int64())])
"""The columns of what :func:`components` is told to be known."""
_HEAVY = 64
"""A component is heavy, and placed by its size, when it has more than one in so many of the rows of a part."""


def components(
    blocks: DataFrame, limit: int, parts: int, work: str, known: Rows | None = None, rounds: int = 40
) -> Rows:
    """The components of the edges in ``blocks`` (of :func:`udfs.dedup.stars.contract`), one line a row: ``row``,
    ``component`` (its least row), ``part`` (0 to ``parts`` - 1, whole components together, parts about equally heavy)
    and ``is_copy`` (of rows with equal messages: is it another than the least of them? null for other rows). ``known``
    are ``row`` and ``component`` of what is known to hang together.

    Rows without an edge to another are absent. If there are at most ``limit`` edges, they are collected and joined up
    on the driver, else by alternating stars on Spark. Both give the same components. The state after each round is
    kept below the folder ``work``, under a name that follows from the edges: a run that was killed goes on from its
    last whole round, and no other edges' state is taken up. The result is read from below that folder in either case,
    so the caller removes it, with :func:`jobs.stores.clear`, once the result is written. Raises WinnowError when it
    takes more than ``rounds`` rounds; a chain of n rows in random order, the worst case, takes up to log2(n) - 2.
    """
    blocks = blocks.persist()
    try:
        if _sum(blocks, "count") + (0 if known is None else known.count()) <= limit:
            return _on_driver(blocks, known, parts, work)
        if known is not None:
            blocks = blocks.unionByName(known.map(KNOWN.names, stars.contract_known, CONTRACTED))
        name = f"edges-{_sum(blocks, 'digest') % 2**40:010x}"
        steps = _Steps(blocks.sparkSession, f"{work}/{name}", parts)
        if steps.last() < 0:
            steps.begin(blocks)
    finally:
        blocks.unpersist()
    members = _labelled(_settle(steps, rounds), parts).join(steps.copies(), "row", "left")
    return Rows(steps.spark, lambda: members)


@dataclass(frozen=True)
class _Steps:
    """The state before (0) and after each round, as parquet under ``work``; a step is whole or not there."""

    spark: SparkSession
    work: str
    parts: int

    def last(self) -> int:
        """The last whole step, -1 before the first."""
        marks = stores.matching(self.spark, f"{stores.literal(self.work)}/step-*/_SUCCESS")
        return max((int(mark.split("/")[-2].removeprefix("step-")) for mark in marks), default=-1)

    def begin(self, blocks: DataFrame) -> None:
        """Write the state before the first round, and before it which rows have equal messages."""
        _write(blocks.where("is_equal").select("edges"), f"{self.work}/copies")
        self.write(0, blocks.where("not is_equal").drop("digest", "is_equal"))

    def copies(self) -> DataFrame:
        told = self._read(f"{self.work}/copies", "edges binary").mapInArrow(stars.copies, _COPIES)
        return told.groupBy("row").agg(F.min("is_copy").alias("is_copy"))

    def write(self, step: int, blocks: DataFrame) -> None:
        _write(blocks, self.folder(step))

    def read(self, step: int) -> DataFrame:
        return self._read(self.folder(step), _BLOCKS)

    def _read(self, folder: str, schema: str) -> DataFrame:
        return self.spark.read.schema(schema).parquet(stores.literal(folder))

    def folder(self, step: int) -> str:
        return f"{self.work}/step-{step}"


def _write(blocks: DataFrame, folder: str) -> None:
    # Row numbers are hashes: compressing them costs time and saves nothing.
    blocks.write.mode("overwrite").option("compression", "none").parquet(folder)


def _settle(steps: _Steps, rounds: int) -> DataFrame:
    """The state after as many rounds as it takes until nothing moves; a state goes when the next one is there."""
    step = steps.last()
    while step == 0 or (left := _sum(steps.read(step), "unsettled")):
        if step == rounds:
            told = f"expected the components to settle in {rounds} rounds of stars, found {left:,} edges still moving"
            raise WinnowError(f"{told}: run again with more rounds, it goes on from {steps.work}")
        steps.write(step + 1, _round(steps.read(step), steps.parts))
        stores.clear(steps.spark, steps.folder(step))
        step += 1
    return steps.read(step)


def _round(blocks: DataFrame, parts: int) -> DataFrame:
    by_part = place(F.col("part"), parts)
    by_child = blocks.mapInArrow(lambda batches: stars.route(batches, parts, False), _ROUTED)
    contracted = by_child.repartition(parts, by_part).mapInArrow(
        lambda batches: stars.route(stars.small_stars(batches), parts, True), _ROUTED
    )
    return contracted.repartition(parts, by_part).mapInArrow(stars.large_stars, _BLOCKS)


def _labelled(settled: DataFrame, parts: int) -> DataFrame:
    least = _heavy_from(_sum(settled, "count"), parts)
    found: Any = settled.mapInArrow(lambda batches: stars.sizes(batches, least), _SIZES).toPandas()
    whole = found.groupby("component")["size"].sum()
    heavy = stars.balance(whole.index.to_numpy(), whole.to_numpy(), parts)
    return settled.mapInArrow(lambda batches: stars.label(batches, heavy, parts), _LABELS)


def _on_driver(blocks: DataFrame, known: Rows | None, parts: int, work: str) -> Rows:
    found: Any = blocks.select("edges", "is_equal").toPandas()
    is_equal = found["is_equal"].to_numpy(bool)
    tied = stars.read(found["edges"][~is_equal])
    if known is not None:
        before = known.read(KNOWN)
        tied = stars.joined([tied, stars.Edges(before["row"].to_numpy(), before["component"].to_numpy())])
    edges = stars.forest(*tied)
    roots = np.unique(edges.parent)
    row, component = np.concatenate([roots, edges.child]), np.concatenate([roots, edges.parent])
    heavy = stars.balance(*stars.large_ones(component, _heavy_from(len(row), parts)), parts)
    members = {"row": row, "component": component, "part": stars.spread(component, heavy, parts)}
    members["is_copy"] = stars.are_copies(row, stars.read(found["edges"][is_equal]))
    return rows_from_memory(blocks.sparkSession, pa.table(members, MEMBERS), f"{work}/members")


def _heavy_from(rows: int, parts: int) -> int:
    """The size from which on a component is placed by its size: at most ``_HEAVY * parts`` components have it."""
    return rows // (_HEAVY * parts) + 2


def _sum(blocks: DataFrame, column: str) -> int:
    return int(only_row(blocks.agg(F.sum(column)))[0] or 0)
