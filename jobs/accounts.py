"""Do the counts add up? Every record that was read is in exactly one place when a dataset is published."""

from collections.abc import Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf import tables
from jobs.errors import LakeDamaged
from jobs.lake import Lake
from jobs.refusals import DUPLICATE_RECORD
from jobs.tables import only_row

_NEW_LAKE = "the tables do not account for every record; make a new lake from the source files"


def account(lake: Lake, verdicts: DataFrame, at: Mapping[str, int]) -> dict[str, int]:
    """Counts from the source records to the kept rows, checked: every record read is in exactly one place. ``at``: the
    versions of the tables that ingest writes.

    Raises :class:`LakeDamaged` naming the two counts that differ.
    """
    files = lake.read(tables.FILES, at[tables.FILES])
    records, rows = only_row(files.agg(*(F.coalesce(F.sum(column), F.lit(0)) for column in ("records", "rows"))))
    decided, kept = only_row(verdicts.agg(F.count(F.lit(1)), F.count_if("keep")))
    found = _places(lake, at)
    accounted = found.pop("accounted")
    counts = {"records": int(records), "kept": int(kept), **found}
    require_equal(
        _NEW_LAKE,
        ("records read", counts["records"], "records in conversations_raw or quarantine", accounted),
        ("rows ingested", int(rows), "rows in conversations_raw", counts["conversations"]),
        ("rows in conversations_raw", counts["conversations"], "rows in verdicts", int(decided)),
    )
    return counts


def _places(lake: Lake, at: Mapping[str, int]) -> dict[str, int]:
    """What stands in the tables that ingest writes: ``conversations``; refused records (``quarantined``; of these
    ``unreadable`` but for duplicates), refused files; ``accounted``, the distinct records in either table."""
    record = ("file", "file_id", "record")
    raw, refused = (lake.read(table, at[table]) for table in (tables.CONVERSATIONS_RAW, tables.QUARANTINE))
    raw = raw.select(*record, F.lit(None).cast("string").alias("reason"))
    both = raw.unionByName(refused.select(*record, "reason"))
    is_refused, is_record = F.col("reason").isNotNull(), F.col("record").isNotNull()
    tally = both.agg(
        F.count_if(~is_refused).alias("conversations"),
        F.count_if(is_refused & is_record).alias("quarantined"),
        F.count_if(is_refused & is_record & (F.col("reason") != DUPLICATE_RECORD)).alias("unreadable"),
        F.count_if(is_refused & ~is_record).alias("files_quarantined"),
        F.count_distinct(F.when(is_record, F.struct(*record))).alias("accounted"),
    )
    return {name: int(count) for name, count in only_row(tally).asDict().items()}


def require_equal(told: str, *counts: tuple[str, int, str, int]) -> None:
    """Raise :class:`LakeDamaged` for the first two counts that differ, each behind what it counts, and with what is to
    be told of it."""
    for what, expected, other, found in counts:
        if expected != found:
            raise LakeDamaged(f"{expected:,} {what}, but {found:,} {other}: {told}")
