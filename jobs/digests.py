"""The digests of :mod:`udfs.digest` in Spark: of the messages of a conversation, of all rows of a dataset."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.tables import only_row
from udfs import digest


def content_digest() -> Column:
    """The digest of ``messages``: :func:`udfs.digest.conversations`, of which this is the Spark form."""
    framed = F.transform(
        "messages",
        lambda message: F.concat(
            *(
                part
                for name in ("role", "content")
                for part in (F.octet_length(message[name]).cast("string"), F.lit(":"), message[name])
            )
        ),
    )
    return F.sha2(F.array_join(framed, ""), 256)


def dataset_digest(rows: DataFrame) -> str:
    """The digest of a set of dataset rows, whatever their order: see :func:`udfs.digest.combine`, of which this is
    the Spark form."""
    key = F.concat(
        *(part for name in ("conversation_id", "source") for part in (F.length(name), F.lit(":"), name, F.lit("|"))),
        *("split", F.lit("|"), "digest"),
    )
    hashed = rows.select(F.sha2(key, 256).alias("sha"))
    cuts = [F.substring("sha", 1 + lane * digest.LANE_DIGITS, digest.LANE_DIGITS) for lane in range(digest.LANES)]
    lanes = [F.sum(F.conv(cut, 16, 10).cast("decimal(38,0)")) for cut in cuts]
    count, *sums = only_row(hashed.agg(F.count(F.lit(1)), *lanes))
    return digest.write(count, [int(total or 0) for total in sums])
