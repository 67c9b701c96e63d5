"""Work that Python does on executors, dealt out as Spark tasks: what Spark would read is read by the task itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

_TASK_BYTES = 96 << 20


def spread(
    spark: SparkSession,
    items: Sequence[Any],
    weigh: Callable[[Any], int],
    work: Callable[[Sequence[Any]], Iterable[pa.RecordBatch]],
    schema: StructType,
) -> DataFrame:
    """What ``work`` makes of the items, called once a task with a bucket of them; buckets have about equal weight
    (bytes). Items can be ordered, and are dealt out the same way each time."""
    weight = sum(map(weigh, items))
    count = min(len(items), max(2 * spark.sparkContext.defaultParallelism, weight // _TASK_BYTES)) or 1
    buckets: list[list[Any]] = [[] for _ in range(count)]
    loads = [0] * count
    for item in sorted(items, key=lambda item: (-weigh(item), item)):
        lightest = loads.index(min(loads))
        buckets[lightest].append(item)
        loads[lightest] += weigh(item) + 1

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield from work(buckets[number])

    return spark.range(0, count, 1, count).mapInArrow(task, schema)
