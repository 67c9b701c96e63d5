"""One measured run in a process of its own: the dedup job on a lake, or the least that any such job must do.

    python -m benchmarks.dedup_once dedup --lake LAKE [--set dedup.threshold=0.8]
    python -m benchmarks.dedup_once spark --lake LAKE      (Spark hands the same texts to an Arrow function, no more)
    python -m benchmarks.dedup_once index --lake LAKE      (the same of signatures, which new rows are compared with)
    python -m benchmarks.dedup_once scan --lake LAKE       (pyarrow reads the same texts)

Prints one line of JSON: ``stages`` (wall and CPU seconds of each), ``peak`` (bytes of memory, Java and Python) and, for
dedup, ``shuffled`` and ``spilled`` (bytes).
"""

import argparse
import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from benchmarks import growth
from benchmarks.meter import Meter
from conf import recipe, tables
from jobs import dedup
from jobs.lake import open_lake
from jobs.session import open_session


def main() -> int:
    """Run, measure, print."""
    options = growth.once(__doc__, ["dedup", "spark", "index", "scan"])
    run = {"dedup": _dedup, "spark": _texts, "index": _index, "scan": _scan}[options.what]
    with Meter() as meter:
        facts = run(options, meter)
    print(json.dumps({"stages": meter.stages, "peak": meter.peak, **facts}))
    return 0


def _dedup(options: argparse.Namespace, meter: Any) -> dict[str, int]:
    settings = recipe.load(None, options.set)
    with meter.stage("session"):
        spark = open_session("benchmark")
    with meter.stage("job"):
        dedup.run(open_lake(spark, options.lake), settings, meter)
    return {"shuffled": _of_stages(spark, "shuffleWriteBytes"), "spilled": _of_stages(spark, "diskBytesSpilled")}


def _of_stages(spark: SparkSession, metric: str) -> int:
    """A metric summed over all stages, from Spark's own status store; private API, as in jobs/progress.py."""
    gateway: Any = spark.sparkContext._gateway
    everything, no_quantiles = gateway.jvm.java.util.ArrayList(), gateway.new_array(gateway.jvm.double, 0)
    stages = spark._jsc.sc().statusStore().stageList(everything, False, False, no_quantiles, everything)
    return sum(getattr(stages.apply(place), metric)() for place in range(stages.size()))


def _texts(options: argparse.Namespace, meter: Meter) -> dict[str, int]:
    return _read(options.lake, tables.CONVERSATIONS, ["conversation_id", "messages.content"], meter)


def _index(options: argparse.Namespace, meter: Meter) -> dict[str, int]:
    return _read(options.lake, tables.SIGNATURES, ["*"], meter)


def _read(lake: str, table: str, columns: list[str], meter: Meter) -> dict[str, int]:
    with meter.stage("session"):
        spark = open_session("benchmark")
    with meter.stage("read"):
        found = open_lake(spark, lake).read(table).select(*columns)
        found.mapInArrow(_count, "rows long").agg({"rows": "sum"}).collect()
    return {}


def _count(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield pa.RecordBatch.from_pydict({"rows": [sum(batch.num_rows for batch in batches)]})


def _scan(options: argparse.Namespace, meter: Meter) -> dict[str, int]:
    files = DeltaTable(os.path.join(options.lake, tables.CONVERSATIONS)).file_uris()
    columns = {"id": ds.field("conversation_id"), "content": ds.field("messages")}
    with meter.stage("scan"):
        rows = sum(batch.num_rows for batch in ds.dataset(files, format="parquet").to_batches(columns=columns))
    return {"rows": rows}


if __name__ == "__main__":
    raise SystemExit(main())
