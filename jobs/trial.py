"""A small run of all jobs: does the chain work here? It also compiles the kernels, which a first run would wait for."""

import os
import tempfile
import time

from conf import recipe, tables
from jobs import annotate, dedup, ingest, publish
from jobs.lake import open_lake
from jobs.progress import Progress
from jobs.sample.generate import write_sample
from jobs.session import open_session

_CONVERSATIONS = 300


def run() -> str:
    """Run the recipe of the sample on 300 conversations in a temporary folder; returns what to tell of it.

    Raises whatever a job raises.
    """
    started, settings = time.monotonic(), recipe.load("smoke")
    spark = open_session("trial", settings.spark)
    try:
        with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere:
            write_sample(f"{folder}/sample", conversations=_CONVERSATIONS, seed=1)
            lake, progress = open_lake(spark, f"{folder}/lake", create=True), Progress(None, "trial", nowhere)
            ingest.run(lake, settings, [f"{folder}/sample"], progress)
            for job in (annotate, dedup, publish):
                job.run(lake, settings, progress)
            kept = lake.read(tables.DATASET).count()
    finally:
        spark.stop()
    told = f"{kept} kept, {time.monotonic() - started:.0f} s with compiling kernels"
    return f"all jobs on a sample of {_CONVERSATIONS} conversations: {told}"
