"""A lake with one table straight from LMSYS-schema parquet, without the jobs before it: ``conversations``, which dedup
reads, or ``conversations_raw``, which annotate reads.

    python -m benchmarks.chatlake --input FOLDER --lake LAKE [--table conversations_raw] [--share 0.4] [--hot identical]
    python -m benchmarks.chatlake --input FOLDER --lake LAKE --after 0.4    (add the rows that are not in the share)

Texts are as in the source, our labels are empty; only SQL expressions, so that a million conversations take a minute.
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
_TABLES = (tables.CONVERSATIONS, tables.CONVERSATIONS_RAW)
_HOT = ("none", "identical", "nearly")


def rows(
    spark: SparkSession, folder: str, table: str, share: float = 1.0, hot: str = "none", after: float = 0.0
) -> DataFrame:
    """``share`` of the rows (by a hash of the id) of a folder of LMSYS-schema parquet, as rows of the table; but for
    those that are in a share of ``after``.

    With ``hot``, half of them (by another bit) have one and the same text: ``identical``, or ``nearly``: a number at
    its end tells them apart, so that only their bucket is hot.
    """
    source = spark.read.option("pathGlobFilter", "*-*.parquet").parquet(folder)
    place = F.pmod(F.xxhash64("conversation_id"), F.lit(1 << 20))
    chosen = source.where((place >= int(after * (1 << 20))) & (place < int(share * (1 << 20))))
    if hot != "none":
        copied = F.when(_is_hot(), _copied(source, hot)).otherwise(F.col("conversation"))
        chosen = chosen.withColumn("conversation", copied)
    raw = tables.CONVERSATIONS_RAW
    columns = {
        "source": F.lit("benchmark"),
        "format": F.lit("lmsys"),
        "messages": F.transform("conversation", lambda said: _struct(said, table, "messages", "role", "content")),
        "moderation": F.transform("openai_moderation", lambda said: _struct(said, raw, "moderation", "flagged")),
        "metadata": F.to_json(F.struct("turn")),
        "source_language": F.col("language"),
        "flagged": F.lit(False),
        "turns": F.col("turn").cast("int"),
        "characters": F.expr("aggregate(conversation, 0L, (sum, m) -> sum + length(m.content))"),
        "digest": F.expr(_DIGEST),
    }
    found, fields = chosen.withColumns(columns), SCHEMAS[table].fields
    empty = {field.name: _empty(field.dataType) for field in fields if field.name not in found.columns}
    return found.withColumns(empty).select(*(F.col(field.name).cast(field.dataType) for field in fields))


def _struct(said: Column, table: str, column: str, *given: str) -> Column:
    """An element of that column of the table with the fields that are ``given``, all else empty."""
    fields = SCHEMAS[table][column].dataType.elementType  # type: ignore[attr-defined]
    parts = {name: said[name] for name in given}
    return F.struct(*(parts.get(field.name, _empty(field.dataType)).alias(field.name) for field in fields))


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
    parser.add_argument("--table", choices=_TABLES, default=_TABLES[0])
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--after", type=float, default=0.0, metavar="SHARE")
    parser.add_argument("--hot", choices=_HOT, default="none")
    options = parser.parse_args()
    spark = open_session("benchmark")
    lake = open_lake(spark, options.lake, create=True)
    found = rows(spark, options.input, options.table, options.share, options.hot, options.after)
    mode = "append" if options.after else "overwrite"
    lake.write(options.table, found, Lineage("benchmark", "benchmark", "benchmark", "", ""), mode)
    print(lake.read(options.table).count())
    spark.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
