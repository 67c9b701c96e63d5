"""What happened to every record: the funnel from source records to the dataset, read from the tables alone."""

from collections.abc import Iterable

from pyspark.sql import functions as F

from conf import tables
from jobs.duplicates import measure
from jobs.duplicates.measure import by_class, shares
from jobs.lake import Lake, Lineage
from jobs.tables import only_row

_WIDTH = 40


def funnel(lake: Lake) -> list[str]:
    """Lines for a terminal. All sums close: records + what they hold after their first conversation = conversations +
    quarantined ones, conversations = kept + those dropped, each counted under the first of its reasons, and kept =
    rows + joined - further parts."""
    refused = lake.read(tables.QUARANTINE)
    reasons = _counted(refused.where(F.col("record").isNotNull()).groupBy("reason").count().collect())
    files = _counted(refused.where(F.col("record").isNull()).groupBy("reason").count().collect())
    read = only_row(lake.read(tables.FILES).agg(F.sum("records"), F.sum("rows"), F.count(F.lit(1))))
    first = F.when(F.col("keep"), F.lit("")).otherwise(F.col("reasons")[0])
    verdicts = _counted(lake.read(tables.VERDICTS).groupBy(first.alias("reason")).count().collect())
    kept = verdicts.pop("", 0)
    records, conversations, further = int(read[0] or 0), int(read[1] or 0), _further(lake)
    return [
        *_line("source files", int(read[2])),
        *_lines("  quarantined", files),
        *_line("records read", records),
        *(_line("  conversations after their first", further) if further else []),
        *_lines("  quarantined", reasons),
        *_line("conversations", conversations),
        *_mended(lake),
        *_lines("  dropped", verdicts),
        *_line("kept", kept),
        *_shaped(lake, kept),
        *_measured(lake),
        _came_in(records, further, conversations, sum(reasons.values())),
        _sum(conversations, kept, verdicts),
    ]


def _further(lake: Lake) -> int:
    """How many conversations, rows or quarantined ones, are not the first of their record."""
    rows, refused = (lake.read(table).select("part") for table in (tables.CONVERSATIONS_RAW, tables.QUARANTINE))
    return rows.unionByName(refused).where("part > 0").count()


def _mended(lake: Lake) -> list[str]:
    """How many conversations each repair of turns and each edit of text changed, kept or not; one may be in several."""
    repaired = F.transform("repairs", lambda name: F.concat(F.lit("repaired: "), name))
    edits = F.array_distinct(F.flatten("messages.edits"))
    edited = F.transform(edits, lambda name: F.concat(F.lit("edited: "), name))
    changes = lake.read(tables.CONVERSATIONS).select(F.explode(F.concat(repaired, edited)).alias("reason"))
    return [
        line
        for name, count in _counted(changes.groupBy("reason").count().collect()).items()
        for line in _line(f"  {name}", count)
    ]


def _shaped(lake: Lake, kept: int) -> list[str]:
    """Where conversations were cut or joined: how many rows the kept ones became, and the sum that shows it."""
    further = F.size(F.filter("made_of", lambda origin: origin["part"] > 1))
    sums = (F.coalesce(F.sum(what), F.lit(0)) for what in (F.size("made_of"), further))
    rows, origins, parts = map(int, only_row(lake.read(tables.DATASET).agg(F.count(F.lit(1)), *sums)))
    joined = origins - rows
    if not (joined or parts):
        return []
    sign = _sign(kept, rows + joined - parts)
    return [
        *_line("  joined to another one's row", joined),
        *_line("  parts after the first", parts),
        *_line("rows", rows),
        f"{kept:,} kept {sign} {rows:,} rows + {joined:,} joined - {parts:,} further parts",
    ]


def _measured(lake: Lake) -> list[str]:
    """Which share of the duplicates planted in a sample was found, and which share of what was removed there rightly,
    in all and by class. Nothing unless ``winnow dedup --measure`` was asked of the data and settings of this run."""
    scores = measure.stored(lake) if _is_of_this_run(lake) else []
    named = {"planted copies: recall, precision": scores, **{f"  {name}": of for name, of in by_class(scores).items()}}
    return ["{:<{}} {:>12} {:>12}".format(name, _WIDTH, *shares(of)) for name, of in named.items() if of]


def _is_of_this_run(lake: Lake) -> bool:
    """Were the scores in ``measures`` taken of the conversations, settings and code that ``clusters`` comes from?"""
    measured, judged = (lake.lineage(table) for table in (tables.MEASURES, tables.CLUSTERS))
    if measured is None or judged is None:
        return False
    return _facts(measured) == _facts(judged)


def _facts(found: Lineage) -> tuple[str, str, int | None]:
    return found.config_digest, found.code_version, found.inputs.get(tables.CONVERSATIONS)


def _came_in(records: int, further: int, conversations: int, refused: int) -> str:
    held = f"{records:,} records" + (f" + {further:,} further conversations of theirs" if further else "")
    sign = _sign(records + further, conversations + refused)
    return f"{held} {sign} {conversations:,} conversations + {refused:,} quarantined"


def _sum(conversations: int, kept: int, dropped: dict[str, int]) -> str:
    gone = sum(dropped.values())
    return f"{conversations:,} conversations {_sign(conversations, kept + gone)} {kept:,} kept + {gone:,} dropped"


def _sign(one: int, other: int) -> str:
    return "=" if one == other else "!="


def _counted(rows: Iterable) -> dict[str, int]:
    return {row["reason"]: row["count"] for row in sorted(rows, key=lambda row: (-row["count"], row["reason"]))}


def _lines(what: str, counts: dict[str, int]) -> list[str]:
    return [line for name, count in counts.items() for line in _line(f"{what}: {name}", count)]


def _line(name: str, count: int) -> list[str]:
    return [f"{name:<{_WIDTH}} {count:>12,}"]
