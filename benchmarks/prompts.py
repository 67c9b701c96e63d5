"""What would the levels `prompt` and `template` remove at several caps, and which families are there to read?

    python -m benchmarks.prompts --input FOLDER [--families 30]

FOLDER: parquet of the LMSYS-Chat-1M schema. Prints seconds, rows that each cap alone would remove, and the largest
families of each level. Chat text is printed: the terminal is the place for it, not a file in the repository.
"""

import argparse
import tempfile
import time
from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, StructField, StructType

from conf.settings import Dedup, PromptLevel, TemplateLevel
from jobs import prompts, terminal
from jobs.session import open_session
from jobs.templates import families
from udfs.prompts import keys

CAPS = (10, 25, 50, 100, 200)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--families", type=int, default=30)
    options = parser.parse_args()
    session = open_session("benchmark")
    said = _said(session, options.input).persist()
    survivors, texts = said.drop("prompt"), said.select("conversation_id", "prompt")
    tagged = Dedup(prompt=PromptLevel(policy="tag", keep=min(CAPS)), template=TemplateLevel(policy="tag"))
    nothing = session.createDataFrame([], "conversation_id string, kept_id string, key binary")
    with tempfile.TemporaryDirectory() as work:
        for run in ("first", "second"):
            started = time.monotonic()
            members = prompts.members(survivors, nothing, texts, tagged, work).persist()
            print(f"{run} run: {members.count():,} members of families, {time.monotonic() - started:.1f} s")
        _print(members, families(members, survivors, texts), options.families)
    return 0


def _said(session: SparkSession, folder: str) -> DataFrame:
    said = F.filter("conversation", lambda message: message["role"] == "user")
    rows = session.read.parquet(folder).select(
        "conversation_id",
        F.try_element_at(said, F.lit(1))["content"].alias("prompt"),
        F.sha2("conversation_id", 256).alias("digest"),
        F.array().cast("array<double>").alias("order"),
    )
    return rows.mapInArrow(_keyed, StructType([*rows.schema.fields, StructField("key", BinaryType())]))


def _keyed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.append_column("key", keys(batch.column("prompt")))


def _print(members: DataFrame, found: DataFrame, count: int) -> None:
    sizes = members.groupBy("level", "family").agg(F.count(F.lit(1)).alias("rows"))
    over = [F.sum(F.greatest(F.col("rows") - cap, F.lit(0))).alias(str(cap)) for cap in CAPS]
    totals = sizes.groupBy("level").agg(F.count(F.lit(1)).alias("families"), F.sum("rows").alias("rows"), *over)
    for line in totals.collect():
        caps = ", ".join(f"{cap}: {line[str(cap)]:,}" for cap in CAPS)
        print(f"{line['level']}: {line['families']:,} families of {line['rows']:,} rows; removed at a cap of {caps}")
    for level in (prompts.PROMPT, prompts.TEMPLATE):
        for line in found.where(F.col("level") == level).orderBy(F.desc("rows"), "family").limit(count).collect():
            told = f"{line['rows']:>6,} rows {line['prompts']:>6,} texts  {line['form']}"
            print(terminal.fit(f"{level:9}{told}", 180))


if __name__ == "__main__":
    raise SystemExit(main())
