"""What would the levels `prompt` and `template` remove at several caps, and which families are there to read?

    python -m benchmarks.prompts --input FOLDER [--families 30]

FOLDER: parquet of the LMSYS-Chat-1M schema. Prints seconds on the driver and by joins on Spark, rows that each cap
alone would remove, and the largest families of each level. Chat text is printed: the terminal is the place for it, not
a file in the repository.
"""

import argparse
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from conf.duplicates import Dedup, PromptLevel, TemplateLevel
from jobs import terminal
from jobs.duplicates import caps_on_driver, caps_on_spark, signing
from jobs.lake import FILE
from jobs.session import open_session
from jobs.tasks import Rows, make_folder, rows_from_tasks
from udfs.dedup.capping import PROMPT, TEMPLATE
from udfs.dedup.prompts import keys
from udfs.delta import datafiles

CAPS = (10, 25, 50, 100, 200)
_SIGNED = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("conversation_id", "prompt", "digest")),
        *(pa.field("row", pa.int64()), pa.field("prompt_key", pa.binary())),
    ]
)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--families", type=int, default=30)
    options = parser.parse_args()
    session = open_session("benchmark")
    tagged = Dedup(prompt=PromptLevel(policy="tag", keep=min(CAPS)), template=TemplateLevel(policy="tag"))
    nothing = session.createDataFrame([], "conversation_id string, kept_id string, level string")
    matches = Rows(session, lambda: nothing)
    with tempfile.TemporaryDirectory() as work:
        signatures = _signed(session, options.input, make_folder(f"{work}/signatures"))
        facts = signatures.frame().select("conversation_id", "digest", F.array().cast("array<double>").alias("order"))
        for run in ("first", "second"):
            for way in (caps_on_spark, caps_on_driver):
                started = time.monotonic()
                found = way.cap(facts, signatures, matches, tagged, f"{work}/caps")
                count, spent = found.members.frame().count(), time.monotonic() - started
                print(f"{run} run, {way.__name__}: {count:,} members of families, {spent:.1f} s")
        _print(found.members.frame(), found.families, options.families)
    return 0


def _signed(session: SparkSession, folder: str, work: str) -> Rows:
    """What the caps read of signatures, in files."""
    said = F.filter("conversation", lambda message: message["role"] == "user")
    rows = session.read.parquet(folder).select(
        "conversation_id",
        F.try_element_at(said, F.lit(1))["content"].alias("prompt"),
        F.sha2("conversation_id", 256).alias("digest"),
        signing.id_hash("conversation_id").alias("row"),
    )
    told = rows.mapInArrow(lambda batches: datafiles.write_as_row(_keyed(batches), Path(work), _SIGNED), FILE)
    return rows_from_tasks(session, work, told, from_arrow_schema(_SIGNED))


def _keyed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.append_column("prompt_key", keys(batch.column("prompt")))


def _print(members: DataFrame, found: DataFrame, count: int) -> None:
    sizes = members.groupBy("level", "family").agg(F.count(F.lit(1)).alias("rows"))
    over = [F.sum(F.greatest(F.col("rows") - cap, F.lit(0))).alias(str(cap)) for cap in CAPS]
    totals = sizes.groupBy("level").agg(F.count(F.lit(1)).alias("families"), F.sum("rows").alias("rows"), *over)
    for line in totals.collect():
        caps = ", ".join(f"{cap}: {line[str(cap)]:,}" for cap in CAPS)
        print(f"{line['level']}: {line['families']:,} families of {line['rows']:,} rows; removed at a cap of {caps}")
    for level in (PROMPT, TEMPLATE):
        for line in found.where(F.col("level") == level).orderBy(F.desc("rows"), "family").limit(count).collect():
            told = f"{line['rows']:>6,} rows {line['prompts']:>6,} prompts  {line['form']}"
            print(terminal.fit(f"{level:9}{told}", 180))


if __name__ == "__main__":
    raise SystemExit(main())
