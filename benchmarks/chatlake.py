"""A lake with a ``conversations`` table straight from LMSYS-schema parquet: what dedup reads, without ingest, annotate.

    python -m benchmarks.chatlake --input FOLDER --lake LAKE [--share 0.4] [--hot identical]

Texts are as in the source, labels are empty; only SQL expressions, so that a million conversations take a minute.
"""

import argparse

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType

from conf import tables
from jobs.lake import Lineage, open_lake
from jobs.session import open_session
from jobs.tables import SCHEMAS, only_row

_DIGEST = "sha2(array_join(transform(conversation, m -> concat(m.role, ':', m.content)), char(0)), 256)"
_SCHEMA = SCHEMAS[tables.CONVERSATIONS]
_HOT = ("none", "identical", "nearly")


def conversations(spark: SparkSession, folder: str, share: float = 1.0, hot: str = "none") -> DataFrame:
    """``share`` of the rows (by a hash of the id) of a folder of LMSYS-schema parquet, as rows of ``conversations``.

    With ``hot``, half of them (by another bit) have one and the same text: ``identical``, or ``nearly``: a number at
    its end tells them apart, so that only their bucket is hot.
    """
    source = spark.read.option("pathGlobFilter", "*-*.parquet").parquet(folder)
    chosen = source.where(F.pmod(F.xxhash64("conversation_id"), F.lit(1 << 20)) < int(share * (1 << 20)))
    if hot != "none":
        chosen = chosen.withColumn(
            "conversation", F.when(_is_hot(), _copied(source, hot)).otherwise(F.col("conversation"))
        )
    columns = {
        "source": F.lit("benchmark"),
        "messages": F.transform("conversation", _message),
        "source_language": F.col("language"),
        "flagged": F.lit(False),
        "turns": F.col("turn").cast("int"),
        "characters": F.expr("aggregate(conversation, 0L, (sum, m) -> sum + length(m.content))"),
        "digest": F.expr(_DIGEST),
    }
    found = chosen.withColumns(columns)
    return found.withColumns({f.name: _empty(f.dataType) for f in _SCHEMA if f.name not in found.columns}).select(
        *(F.col(field.name).cast(field.dataType) for field in _SCHEMA)
    )


def _message(said: Column) -> Column:
    """A message with its role and text, all else empty."""
    given = {"role": said["role"], "content": said["content"]}
    fields = SCHEMAS[tables.CONVERSATIONS]["messages"].dataType.elementType
    return F.struct(*(given.get(field.name, _empty(field.dataType)).alias(field.name) for field in fields))


def _empty(kind: DataType) -> Column:
    """A label that nobody gave: an empty list, or null."""
    return (F.array() if isinstance(kind, ArrayType) else F.lit(None)).cast(kind)


def _is_hot() -> Column:
    return F.xxhash64("conversation_id").bitwiseAND(1 << 40) != 0


def _copied(source: DataFrame, hot: str) -> Column:
    """One text of the source, of some length, as the messages of a row."""
    text = only_row(source.where("length(conversation[1].content) between 1500 and 2500").limit(1))["conversation"]
    end = F.concat(F.lit(" "), F.xxhash64("conversation_id").cast("string")) if hot == "nearly" else F.lit("")
    pairs = [(message["role"], message["content"]) for message in text]
    messages = [
        F.struct(F.concat(F.lit(content), end).alias("content"), F.lit(role).alias("role")) for role, content in pairs
    ]
    return F.array(*messages)


def main() -> int:
    """Build the lake; prints the number of its conversations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", required=True)
    parser.add_argument("--lake", required=True)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--hot", choices=_HOT, default="none")
    options = parser.parse_args()
    spark = open_session("benchmark")
    lake = open_lake(spark, options.lake, create=True)
    rows = conversations(spark, options.input, options.share, options.hot)
    lake.write(tables.CONVERSATIONS, rows, Lineage("benchmark", "benchmark", "benchmark", "", ""), "overwrite")
    print(lake.read(tables.CONVERSATIONS).count())
    spark.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
