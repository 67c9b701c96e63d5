"""The lake: a folder of Delta tables that is ours, read and written with schema and lineage checked at the door."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import StructType

from conf import tables
from jobs import stores
from jobs.errors import LakeDamaged, UsageError
from jobs.parts import Kernel
from jobs.tables import SCHEMAS
from udfs.delta import datafiles
from udfs.delta.datafiles import DataFile, Share
from udfs.delta.lake import check_layout, read_table_log
from udfs.delta.log import Commit, local_path, read_commit

_HASHES = {"compression": "snappy", "parquet.enable.dictionary": "false"}
"""How tables that are mostly hashes are written: zstd saves a twelfth of their size, for a fifth of the time of writing
them; dictionaries save nothing, and every value is looked up in one before the writer gives up."""
_HASHED = (tables.SIGNATURES, tables.COMPONENTS)
_NARROW = (
    *(tables.FILES, tables.QUARANTINE, tables.MATCHES, tables.DUPLICATES, tables.COMPONENTS, tables.CLUSTERS),
    *(tables.FAMILIES, tables.VERDICTS, tables.RUNS),
)
"""Tables of small rows. Many of them Java takes several times as long to write as to hand to Arrow (0091), and for a
single one Spark's writer takes a second."""
_TEXTS = {f"parquet.enable.dictionary#{column}": "false" for column in ("messages.list.element.content", "prompt")}
"""How other tables are written: texts hardly ever repeat, and without a dictionary a row group has all its bytes, some
128 MB, so that no batch of its rows has more."""

FILE = from_arrow_schema(datafiles.FILE)
"""A file that a task wrote."""
_ESCAPE = re.compile("%[0-9a-fA-F]{2}")
_DEFAULT = "spark.databricks.delta.properties.defaults."


@dataclass(frozen=True)
class Lineage:
    """Where a commit came from; stored as JSON in its ``userMetadata``. ``run_id`` follows from everything else but
    the counts, so that the same work has the same id wherever and whenever it is done."""

    run_id: str
    job: str
    recipe: str
    config_digest: str
    code_version: str
    inputs: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    digest: str = ""


@dataclass(frozen=True)
class Lake:
    """One opened lake. Reads and writes go through it; nothing else knows where tables lie."""

    spark: SparkSession
    path: str

    def table_path(self, table: str) -> str:
        """Where the table lies."""
        return f"{self.path}/{table}"

    def has(self, table: str) -> bool:
        """Has the table a version yet?"""
        return self.version(table) >= 0

    def read(self, table: str, version: int | None = None) -> DataFrame:
        """The table at a version (default: the latest); an empty frame of its schema before its first commit."""
        at = self.version(table) if version is None else version
        files = self.files(table, at)
        if files is not None:
            return self._of_files(table, files)
        return self.spark.read.format("delta").option("versionAsOf", at).load(self.table_path(table))

    def added(self, table: str, since: int) -> DataFrame:
        """The rows that a table which :meth:`is_grown` has gained since a version, read from the new files alone."""
        at = self.version(table)
        files = self.files(table, at, since)
        if files is not None:
            return self._of_files(table, files)
        before = set(self.read(table, since).inputFiles()) if since >= 0 else set()
        new = sorted(set(self.read(table, at).inputFiles()) - before)
        return self.spark.read.schema(SCHEMAS[table]).parquet(*new) if new else self._of_files(table, [])

    def files(self, table: str, version: int, since: int = -1) -> list[Share] | None:
        """The files with the rows of a version (none: -1) that version ``since`` has not. None where only Delta can
        tell: where the lake is on another store, or a row in a file may not be a row of the table."""
        folder = self.folder(table)
        if version < 0:
            return []
        return None if folder is None else datafiles.plain_files(folder, version, since)

    def is_kept(self, table: str, version: int) -> bool:
        """Are the files of an earlier version still there, as far as can be told? A VACUUM may have removed them."""
        return all(Path(file.path).is_file() for file in self.files(table, version) or ())

    def _of_files(self, table: str, files: Iterable[Share]) -> DataFrame:
        """The rows in these files. Of a version's log Delta would make a table of its own first, by Spark: a second or
        two each time (0094)."""
        return stores.read_files(self.spark, (file.path for file in files), SCHEMAS[table])

    def version(self, table: str) -> int:
        """The latest version's number; -1 before the first commit."""
        return read_table_log(self.path, table).newest

    def lineage(self, table: str) -> Lineage | None:
        """The lineage of the run that left the table's rows as they are; None before the first one, and where somebody
        else changed rows since (DELETE, RESTORE): such a table is to be made again."""
        for commit in self.commits(table):
            facts = commit.lineage or {}
            if "run_id" in facts:
                return Lineage(**facts)
            if commit.changes_rows:
                return None
        return None

    def is_grown(self, table: str, since: int) -> bool:
        """Has the table, since that version, only been appended to?"""
        later = [commit for commit in self.commits(table) if commit.version > since]
        return 0 <= since <= self.version(table) and all(commit.only_adds for commit in later)

    def commits(self, table: str) -> Iterator[Commit]:
        """The table's commits, newest first. Raises :class:`LakeDamaged` at one that cannot be read."""
        log = read_table_log(self.path, table)
        for version in sorted(log.sizes, reverse=True):
            commit = read_commit(log, version)
            if commit.damage:
                raise LakeDamaged(f"table {table} in {self.path}: {commit.damage}")
            yield commit

    def write(self, table: str, rows: DataFrame, lineage: Lineage, mode: str = "append") -> int:
        """Commit ``rows`` to the table in one Delta commit and return its version. ``mode``: append or overwrite."""
        checked = conform(rows, table)
        if table in _NARROW and self.takes_files(table):
            return self.write_files(table, checked.mapInArrow(self.filing(table), FILE), lineage, mode)
        metadata = json.dumps(asdict(lineage), sort_keys=True)
        writer = checked.write.format("delta").mode(mode).option("userMetadata", metadata)
        # What is overwritten has the columns of today.
        writer = writer.option("overwriteSchema", mode == "overwrite")
        writer.options(**(_HASHES if table in _HASHED else _TEXTS)).save(self.table_path(table))
        return self.version(table)

    def folder(self, table: str) -> Path | None:
        """Where the table's files lie, if the lake is a folder; None where it is on another store."""
        place = local_path(self.path)
        return None if place is None else place / table

    def takes_files(self, table: str) -> bool:
        """Can tasks write the table's files themselves, to be committed with :meth:`write_files`?"""
        folder = self.folder(table)
        return folder is not None and datafiles.takes_files(folder)

    def filing(self, table: str) -> Kernel:
        """A kernel that writes rows of the table to a new file, and tells it as :meth:`write_files` takes it."""
        folder, schema = cast(Path, self.folder(table)), to_arrow_schema(SCHEMAS[table])
        return lambda batches: datafiles.write_as_row(batches, folder, schema)

    def write_files(self, table: str, made: DataFrame, lineage: Lineage, mode: str) -> int:
        """Commit files that the tasks of ``made`` write by :meth:`filing` (rows ``FILE``) as :meth:`write` commits
        rows."""
        files, schema = [DataFile(*row) for row in made.collect()], to_arrow_schema(SCHEMAS[table])
        metadata = json.dumps(asdict(lineage), sort_keys=True)
        datafiles.commit(cast(Path, self.folder(table)), files, schema, mode, metadata, self._table_properties())
        return self.version(table)

    def _table_properties(self) -> dict[str, str]:
        """The properties that Delta gives a new table, by what the session was started with."""
        given = self.spark.sparkContext.getConf().getAll()
        return {f"delta.{key.removeprefix(_DEFAULT)}": value for key, value in given if key.startswith(_DEFAULT)}

    def delete(self, table: str, condition: str, lineage: Lineage) -> None:
        """Delete the rows that meet an SQL condition, with lineage."""
        key = "spark.databricks.delta.commitInfo.userMetadata"
        self.spark.conf.set(key, json.dumps(asdict(lineage), sort_keys=True))
        try:
            DeltaTable.forPath(self.spark, self.table_path(table)).delete(condition)
        finally:
            self.spark.conf.unset(key)


def check_path(path: str) -> None:
    """Raise :class:`UsageError` at a path where no lake can be made: the root of all folders, and one with an escape as
    in URLs (``%20``), which deltalake takes for the letter, and so for another folder than Spark."""
    place = local_path(path)
    if place is not None and place.parent == place:
        raise UsageError(f"--lake: expected a folder for the lake, found the root {path}; name a folder below it")
    named = path if place is None or path.startswith("file:") else str(place)
    escape = _ESCAPE.search(named)
    if escape:
        raise UsageError(
            f"--lake: expected a path without escapes as in URLs, found {escape[0]} in {named}; write the letter "
            "itself, or rename that folder"
        )


def open_lake(spark: SparkSession, path: str, create: bool = False) -> Lake:
    """The lake at ``path``. A folder that is neither empty nor ours is refused, and so is another layout; a missing
    one is made when ``create`` is set, its marker first."""
    path = path.rstrip("/")
    marker = f"{path}/{tables.MARKER}"
    if stores.is_there(spark, marker):
        check_layout(path, stores.read_text(spark, marker))
        return Lake(spark, path)
    if stores.is_there(spark, path) and not stores.is_empty(spark, path):
        raise UsageError(f"{path} is not a Winnow lake: it holds files but no {tables.MARKER}; name an empty folder")
    if not create:
        raise UsageError(f"no lake at {path}: run `winnow ingest` or `winnow run` first, or check --lake")
    stores.write_text(spark, marker, json.dumps({"layout": tables.LAYOUT}) + "\n")
    return Lake(spark, path)


def conform(rows: DataFrame, table: str) -> DataFrame:
    """``rows`` with exactly the table's columns, in order. Raises TypeError that lists every column that differs."""
    schema: StructType = SCHEMAS[table]
    problems = [f"missing {f.name}" for f in schema.fields if f.name not in rows.columns]
    problems += [f"unknown {name}" for name in rows.columns if name not in schema.names]
    for column in (f for f in schema.fields if f.name in rows.columns):
        found, wanted = (kind.simpleString() for kind in (rows.schema[column.name].dataType, column.dataType))
        if found != wanted:  # nullability is no part of either
            problems.append(f"{column.name} is {found}, expected {wanted}")
    if problems:
        raise TypeError(f"rows do not fit table {table}: " + "; ".join(problems))
    return rows.select(*schema.names)
