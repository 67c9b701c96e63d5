"""Whole groups of rows in one Python call: rows go to the task of their part, and a kernel sees them all.

Spark deals rows out by a hash, by which of 16 numbered parts two thirds at best get a task of their own. Parts that are
told by number are therefore told Spark by numbers whose hashes lie where they should.
"""

from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from udfs.dedup import blocks

Kernel = Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]
PACKED = from_arrow_schema(blocks.PACKED)
"""The columns of :func:`udfs.dedup.blocks.pack`."""
_SEED = 42


def parts(spark: SparkSession) -> int:
    """How many parts there are: as many as shuffles have."""
    return int(spark.conf.get("spark.sql.shuffle.partitions") or 200)


def map_parts(rows: DataFrame, kernel: Kernel, schema: StructType | str) -> DataFrame:
    """What ``kernel`` makes of the rows, one call a part: the number ``part``, from 0 to :func:`parts` - 1. Part 0
    begins first."""
    return _mapped(rows, place(F.col("part"), parts(rows.sparkSession)), kernel, schema)


def map_groups(rows: DataFrame, group: str, kernel: Kernel, schema: StructType | str) -> DataFrame:
    """What ``kernel`` makes of the rows, all those of one value of the column ``group`` in one call, beside others."""
    return _mapped(rows, F.col(group), kernel, schema)


def place(part: Column, count: int) -> Column:
    """What to tell Spark, which makes ``count`` partitions of rows by a hash, so that a row goes to partition
    ``part``."""
    return F.get(F.lit(_numbers(count)), part)


def _mapped(rows: DataFrame, by: Column, kernel: Kernel, schema: StructType | str) -> DataFrame:
    count = parts(rows.sparkSession)
    # Not moved by coalesce, which only takes back that the result lies by a column it may not have: without
    # adaptive execution a checkpoint says so, and what is made of it Spark 3.5 cannot join with itself (0085).
    return rows.repartition(count, by).mapInArrow(kernel, schema).coalesce(count)


@cache
def _numbers(count: int) -> list[int]:
    """For each partition the least number from 0 on that Spark puts there."""
    tried, found = 0, np.empty(0, np.int64)
    while len(found) < count:
        tried = 2 * tried + 16 * count
        found, least = np.unique(_hashed(np.arange(tried, dtype=np.uint32)).astype(np.int32) % count, return_index=True)
    return least.tolist()


def _hashed(numbers: np.ndarray) -> np.ndarray:
    """Spark's hash of 32-bit integers: MurmurHash3 (x86, 32 bits; Appleby 2011) with seed 42."""
    mixed = _turned(numbers * np.uint32(0xCC9E2D51), 15) * np.uint32(0x1B873593)
    mixed = _turned(np.uint32(_SEED) ^ mixed, 13) * np.uint32(5) + np.uint32(0xE6546B64)
    mixed ^= np.uint32(4)  # bytes of a number
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        mixed = (mixed ^ (mixed >> np.uint32(shift))) * np.uint32(factor)
    return mixed ^ (mixed >> np.uint32(16))


def _turned(words: np.ndarray, bits: int) -> np.ndarray:
    return (words << np.uint32(bits)) | (words >> np.uint32(32 - bits))
