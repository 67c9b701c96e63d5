"""How much slower than `annotate` is Spark NLP on the same conversations? In the Spark 3.5 environment.

    .venv35/bin/python -m benchmarks.linguistics --input corpus_10k/data

Reads the first conversations of the input (by id) into a temporary lake, then runs each job's columns over them, twice,
writing nowhere; prints rows and MB a second of the second time, when Java and the kernels are warm.
"""

import argparse
import tempfile
import time
from collections.abc import Callable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Settings
from jobs import annotate, ingest, linguistics
from jobs.lake import open_lake
from jobs.progress import Progress
from jobs.session import open_session


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", nargs="+", required=True)
    parser.add_argument("--conversations", type=int, default=2_000, help="default: 2000")
    options = parser.parse_args()
    settings = Settings()
    work = linguistics.prepare(settings)
    spark = open_session("benchmark", {"spark.master": "local[2]"}, with_nlp=True)
    with tempfile.TemporaryDirectory() as folder:
        lake = open_lake(spark, f"{folder}/lake", create=True)
        ingest.run(lake, settings, options.input, Progress(None, "ingest"))
        everything = lake.read(tables.CONVERSATIONS_RAW).orderBy("conversation_id").limit(options.conversations)
        raw = everything.repartition(4, "conversation_id").localCheckpoint()
        conversations = annotate.label(raw, settings.rules).localCheckpoint()
        rows, size = conversations.count(), conversations.agg(F.sum("characters")).first()[0] / 1e6
        print(f"{rows:,} conversations, {size:.1f} million characters, Spark {spark.version}, 2 cores")
        fast = _seconds(lambda: annotate.label(raw, settings.rules))
        slow = _seconds(lambda: linguistics.count(conversations, work, settings.linguistics))
        for name, seconds in (("annotate", fast), ("linguistics", slow)):
            print(f"{name:12} {seconds:7.1f} s {rows / seconds:9,.0f} rows/s {size / seconds:7.2f} M characters/s")
        print(f"linguistics takes {slow / fast:.0f} times as long")
    spark.stop()


def _seconds(make: Callable[[], DataFrame]) -> float:
    seconds = 0.0
    for _ in range(2):
        started = time.monotonic()
        make().write.format("noop").mode("overwrite").save()
        seconds = time.monotonic() - started
    return seconds


if __name__ == "__main__":
    main()
