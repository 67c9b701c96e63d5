"""Source files -> ``conversations_raw`` and ``quarantine``: every record in exactly one of them, each file once.

spark-submit ... jobs/ingest.py --config conf/lmsys.yaml --input lmsys-chat-1m/ --lake lake
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import ArrayType, BooleanType, LongType, StringType, StructField, StructType

from conf import recipe, tables
from conf.settings import Input, Settings
from jobs import files, ids
from jobs.errors import InputUnreadable, LakeDamaged, UsageError
from jobs.lake import Lake, Lineage
from jobs.ledger import Run, complete, lineage
from jobs.pending import choose
from jobs.progress import Progress
from jobs.reader import rows, survey
from jobs.reader.read import Split, read_split
from jobs.refusals import DUPLICATE_FILE, DUPLICATE_RECORD, FILE_REASONS
from jobs.tables import SCHEMAS, frame
from jobs.tasks import spread
from udfs.delta.log import Commit, local_path

_FILE_ID = StructType([StructField("file_id", StringType())])
_FINDING = StructType(
    [
        StructField("file", StringType()),
        StructField("size", LongType()),
        StructField("start", LongType()),
        StructField("digest", StringType()),
        StructField("newlines", LongType()),
        StructField("is_lines", BooleanType()),
        StructField("row_groups", ArrayType(LongType())),
    ]
)


def run(lake: Lake, settings: Settings, inputs: Sequence[str], progress: Progress, is_strict: bool = False) -> bool:
    """Ingest the files under ``inputs`` that the lake has not read yet under these settings. Returns whether anything
    was committed.

    A file is known by its content; what other settings made of it goes. A killed run leaves nothing that the next one
    does not clean up. If ``is_strict``, raises :class:`InputUnreadable` when anything in these files was refused.
    """
    with progress.stage("survey"):
        splits = _survey(lake, sources(inputs, lake.path), settings.input)
    _forget_unfinished(lake)
    has_news = _ingest(lake, settings, splits, progress)
    if is_strict:
        _require_readable(lake, splits)
    return has_news


def sources(inputs: Sequence[str], lake: str) -> list[files.SourceFile]:
    """The input files. Raises :class:`UsageError` where some of them are the lake's own: its tables would be read as
    chats."""
    found, place = files.find(inputs), local_path(lake)
    root = lake if place is None else os.path.abspath(place)
    inside = [file.path for file in found if file.path.startswith(f"{root}/")]
    if inside:
        told = f"{len(inside):,} of {len(found):,} input files lie in the lake, such as {inside[0]}"
        raise UsageError(f"{told}: expected files outside of {lake}; name another lake or the files themselves")
    return found


def _ingest(lake: Lake, settings: Settings, splits: list[Split], progress: Progress) -> bool:
    how = settings.input.model_copy(update={"split_bytes": 0})  # says who reads a record, not what it becomes
    config = recipe.digest(how)
    pending, copies = choose(lake, splits, how, config)
    if not pending and not copies:
        complete(lake, tables.FILES)
        return False
    subject = " ".join(sorted({f"{split.file_id} {split.file}" for split in [*pending, *copies]}))
    with Run(lake, settings, lineage("ingest", settings, how, {}, subject)) as job:
        job.bytes = sum({split.file: split.size for split in pending}.values())
        _forget_files(lake, job, {split.file_id for split in pending})
        staged = _read(lake, pending, settings.input).persist(StorageLevel.DISK_ONLY)
        try:
            _commit(lake, job, staged, _copies(lake, copies, settings.input), config, progress)
        finally:
            staged.unpersist()
    return True


def _survey(lake: Lake, found: list[files.SourceFile], options: Input) -> list[Split]:
    chunks = survey.chunks(found, options.split_bytes)
    surveyed = spread(lake.spark, chunks, lambda chunk: chunk.end - chunk.start, _surveyor(options), _FINDING)
    return survey.splits(survey.Finding(*row) for row in surveyed.collect())


def _surveyor(options: Input) -> Callable[[Sequence[survey.Chunk]], Iterator[pa.RecordBatch]]:
    schema = to_arrow_schema(_FINDING)

    def found(chunks: Sequence[survey.Chunk]) -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist([survey.survey(chunk, options)._asdict() for chunk in chunks], schema)

    return found


def _read(lake: Lake, pending: list[Split], options: Input) -> DataFrame:
    def read(splits: Sequence[Split]) -> Iterator[pa.RecordBatch]:
        for split in splits:
            yield from read_split(split, options)

    return spread(lake.spark, pending, _weight, read, rows.STAGED)


def _weight(split: Split) -> int:
    is_group = split.file.lower().endswith(".parquet")
    return split.size if split.end < 0 or is_group else split.end - split.start


def require_finished(lake: Lake) -> None:
    """Raise :class:`UsageError` while an ingest writes, or if one was stopped."""
    if _is_unfinished(lake):
        told = "an ingest is at work in this lake, or was stopped: let it end or run `winnow ingest` again"
        raise UsageError(f"{told}, then `winnow annotate` and `winnow dedup`, before `winnow publish`")


def _is_unfinished(lake: Lake) -> bool:
    """Has a run written other tables but not yet ``files``, where every run writes last, or only deleted from it? False
    where the log of ``files`` no longer reaches back to its first version: then nobody can tell."""
    commits = list(lake.commits(tables.FILES))
    if _is_begun(commits):
        return True
    finished = {(commit.lineage or {}).get("run_id") for commit in commits}
    others = (lake.lineage(table) for table in (tables.CONVERSATIONS_RAW, tables.QUARANTINE))
    is_told = not commits or commits[-1].version == 0
    return is_told and any(left is not None and left.run_id not in finished for left in others)


def _is_begun(commits: Iterable[Commit]) -> bool:
    """Has a run deleted from ``files``, whose commits these are, newest first, and not written to it yet?"""
    ours = (commit for commit in commits if (commit.lineage or {}).get("run_id"))
    return next((commit.operation == "DELETE" for commit in ours), False)


def _forget_unfinished(lake: Lake) -> None:
    """Remove rows that a killed run left: rows of files that ``files``, written last, does not list."""
    last = lake.lineage(tables.FILES)
    finished = last.run_id if last and not _is_begun(lake.commits(tables.FILES)) else None
    for table in (tables.CONVERSATIONS_RAW, tables.QUARANTINE):
        left = lake.lineage(table)
        if left is not None and left.run_id != finished:
            listed = [row.file_id for row in lake.read(tables.FILES).select("file_id").distinct().collect()]
            _delete_files(lake, table, listed, last or left, are_kept=True)


def _forget_files(lake: Lake, job: Run, file_ids: set[str]) -> None:
    """Remove what an earlier run made of files that are read again. ``files`` goes first: should this run be killed,
    the next one removes the rows of files that it does not list."""
    listed = lake.read(tables.FILES).where(F.col("file_id").isin(sorted(file_ids)))
    again = [row.file_id for row in listed.select("file_id").distinct().collect()]
    for table in (tables.FILES, tables.QUARANTINE, tables.CONVERSATIONS_RAW) if again else ():
        _delete_files(lake, table, again, job.lineage, are_kept=False)


def _delete_files(lake: Lake, table: str, file_ids: list[str], stamp: Lineage, are_kept: bool) -> None:
    quoted = ", ".join(f"'{file_id}'" for file_id in sorted(file_ids)) or "''"
    lake.delete(table, f"file_id {'NOT ' if are_kept else ''}IN ({quoted})", stamp)


def _copies(lake: Lake, copies: list[Split], options: Input) -> DataFrame | None:
    if not copies:
        return None
    fields = ("source", "file", "file_id", "reason", "detail", "bytes")
    detail = "the same bytes as another input file, read once"
    found = [(options.source, c.file, c.file_id, DUPLICATE_FILE, detail, c.size) for c in copies]
    schema = StructType([rows.STAGED[name] for name in fields])
    return frame(lake.spark, found, schema).withColumn("kind", F.lit(rows.REFUSED))


def _commit(lake: Lake, job: Run, staged: DataFrame, copies: DataFrame | None, config: str, progress: Progress) -> None:
    is_failed, name = F.col("reason").isin(*FILE_REASONS), F.concat("file_id", "file")
    with progress.stage("read", job.bytes):
        failed = staged.where(is_failed).select(name.alias("name")).distinct().collect()
    sound = staged.where(~name.isin([row.name for row in failed])) if failed else staged
    with progress.stage("settle ids"):
        kept, collapsed = ids.settle(sound.where(F.col("kind") == rows.ROW), lake.read(tables.CONVERSATIONS_RAW))
    parts = [sound.where(F.col("kind") == rows.REFUSED), staged.where(is_failed) if failed else None, copies, collapsed]
    refused = _union([part for part in parts if part is not None])
    with progress.stage("write quarantine"):
        job.write(tables.QUARANTINE, refused.select(*SCHEMAS[tables.QUARANTINE].names), "append")
    with progress.stage("write conversations_raw"):
        job.write(tables.CONVERSATIONS_RAW, kept.select(*SCHEMAS[tables.CONVERSATIONS_RAW].names), "append")
    with progress.stage("account"):
        summaries = _summaries(lake, _union([part for part in (staged, copies) if part is not None]), config)
        job.counts = {name: sum(row[name] for row in summaries) for name in ("records", "rows", "quarantined")}
        lines = frame(lake.spark, [tuple(row.values()) for row in summaries], SCHEMAS[tables.FILES])
        job.write(tables.FILES, lines.coalesce(1), "append")


def _union(parts: list[DataFrame]) -> DataFrame:
    return reduce(lambda all_, part: all_.unionByName(part, allowMissingColumns=True), parts)


def _summaries(lake: Lake, staged: DataFrame, config: str) -> list[dict]:
    """A row of ``files`` for each file read; raises :class:`LakeDamaged` when the tables lack one of its records."""
    keys = ("source", "file", "file_id")
    read = staged.where(F.col("kind") != rows.ROW).groupBy(*keys)
    found = read.agg(
        F.max("format").alias("format"),
        F.sum("bytes").alias("bytes"),
        F.sum("records").alias("records"),
        F.max(F.when(F.col("reason").isin(*FILE_REASONS), F.col("reason"))).alias("reason"),
    )
    files_read = found.orderBy("file", "file_id").collect()
    counts = _counted(lake, sorted({row.file_id for row in files_read}))
    summaries = []
    for row in files_read:
        kept, quarantined, accounted = counts.get((row.file, row.file_id), (0, 0, 0))
        records = 0 if row.reason else row.records or 0
        if records != accounted:
            raise LakeDamaged(f"{row.file}: {records:,} records read, but {accounted:,} of them are in the tables")
        line = {**row.asDict(), "records": records, "rows": kept, "quarantined": quarantined, "config_digest": config}
        summaries.append({name: line[name] for name in SCHEMAS[tables.FILES].names})
    return summaries


def _counted(lake: Lake, file_ids: list[str]) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Per file: rows and refusals in the tables now, and distinct records among them."""
    fields = ("file", "file_id", "record")
    raw = lake.read(tables.CONVERSATIONS_RAW).select(*fields, F.lit(1).alias("row"))
    quarantine = lake.read(tables.QUARANTINE).select(*fields, F.lit(0).alias("row"))
    both = _of_files(raw.unionByName(quarantine), file_ids)
    counted = both.groupBy("file", "file_id").agg(
        F.sum("row").alias("rows"),
        F.sum(1 - F.col("row")).alias("quarantined"),
        F.countDistinct("record").alias("accounted"),
    )
    return {(row.file, row.file_id): (row.rows, row.quarantined, row.accounted) for row in counted.collect()}


def _of_files(found: DataFrame, file_ids: list[str]) -> DataFrame:
    wanted = frame(found.sparkSession, [(file_id,) for file_id in file_ids], _FILE_ID)
    return found.join(F.broadcast(wanted), "file_id", "left_semi")


def _require_readable(lake: Lake, splits: list[Split]) -> None:
    """For ``--strict``: same record twice is no refusal."""
    refused = lake.read(tables.QUARANTINE).where(~F.col("reason").isin(DUPLICATE_RECORD, DUPLICATE_FILE))
    ours = _of_files(refused, sorted({split.file_id for split in splits}))
    counts = ours.groupBy("reason").count().orderBy("reason").collect()
    if counts:
        listed = ", ".join(f"{row['reason']} {row['count']}" for row in counts)
        raise InputUnreadable(f"--strict: {listed} in quarantine; see `winnow show --quarantine`")


if __name__ == "__main__":
    import sys

    from jobs.cli import main

    raise SystemExit(main(["ingest", *sys.argv[1:]]))
