"""Work that Python does on executors, dealt out as Spark tasks: what Spark would read is read by the task itself."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from jobs.lake import FILE, Lake
from jobs.parts import Kernel
from jobs.stores import read_files
from udfs.delta.datafiles import Share, read, shares
from udfs.delta.log import local_path

_TASK_BYTES = 96 << 20
_BATCH = 2000


def spread(
    spark: SparkSession,
    items: Sequence[Any],
    weigh: Callable[[Any], int],
    work: Callable[[Sequence[Any]], Iterable[pa.RecordBatch]],
    schema: StructType | str,
) -> DataFrame:
    """What ``work`` makes of the items, called once a task with a bucket of them; buckets have about equal weight
    (bytes). Items can be ordered, and are dealt out the same way each time."""
    weight = sum(map(weigh, items))
    count = min(len(items), max(2 * spark.sparkContext.defaultParallelism, weight // _TASK_BYTES)) or 1
    buckets: list[list[Any]] = [[] for _ in range(count)]
    loads = [0] * count
    for item in sorted(items, key=lambda item: (-weigh(item), item)):
        lightest = loads.index(min(loads))
        buckets[lightest].append(item)
        loads[lightest] += weigh(item) + 1

    def task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                yield from work(buckets[number])

    return spark.range(0, count, 1, count).mapInArrow(task, schema)


@dataclass(frozen=True)
class Rows:
    """Rows of a table for a kernel: from ``files`` where tasks can read them themselves, for Java would take longer to
    hand them over than most kernels take (0091); else from what Spark reads, ``frame``."""

    spark: SparkSession
    frame: Callable[[], DataFrame]
    files: Sequence[Share] | None = None

    def map(self, columns: Sequence[str], kernel: Kernel, schema: StructType | str) -> DataFrame:
        """What ``kernel`` makes of these columns of the rows, called once a task with all its batches."""
        if self.files is None:
            return self.frame().select(*columns).mapInArrow(kernel, schema)
        dealt = shares(self.files, 2 * self.spark.sparkContext.defaultParallelism)
        work = lambda taken: kernel(batch for share in taken for batch in read(share, columns, _BATCH))  # noqa: E731
        return spread(self.spark, dealt, lambda share: share.bytes, work, schema)

    def count(self) -> int:
        """How many rows there are."""
        if self.files is None:
            return self.frame().count()
        return sum(pq.read_metadata(file.path).num_rows for file in self.files)

    def first(self, column: str) -> Any:
        """The value of a column in some row; None where there are no rows."""
        if self.files is None:
            row = self.frame().select(column).first()
            return None if row is None else row[0]
        batches = (batch for file in self.files for batch in read(file, [column], 1))
        return next((batch.column(0)[0].as_py() for batch in batches), None)

    def read(self, schema: pa.Schema) -> pa.Table:
        """These columns of all rows on the driver."""
        if self.files is None:
            return read_frame(self.frame(), schema)
        return pa.concat_tables(pq.read_table(file.path, columns=schema.names).cast(schema) for file in self.files)


@dataclass(frozen=True)
class Made:
    """Rows of a table that ``kernel`` makes of some columns of other rows, once they are asked for; and those that
    ``beside`` makes."""

    rows: Rows
    columns: Sequence[str]
    kernel: Kernel
    schema: StructType
    beside: "Made | None" = None

    def frame(self) -> DataFrame:
        """The rows."""
        made = self.rows.map(self.columns, self.kernel, self.schema)
        return made if self.beside is None else made.unionAll(self.beside.frame())

    def filed(self, file: Kernel) -> DataFrame:
        """What ``file`` tells of them (:meth:`jobs.lake.Lake.filing`)."""
        kernel = self.kernel
        told = self.rows.map(self.columns, lambda batches: file(kernel(batches)), FILE)
        return told if self.beside is None else told.unionAll(self.beside.filed(file))


def read_frame(frame: DataFrame, schema: pa.Schema) -> pa.Table:
    """These columns of a frame on the driver."""
    found: Any = frame.select(*schema.names).toPandas()
    return pa.Table.from_pandas(found, schema, preserve_index=False)


def unchanged(rows: Rows, schema: StructType) -> Made:
    """The columns of the schema, of rows that have them, made no different."""
    return Made(rows, schema.names, lambda batches: batches, schema)


def rows_from_tasks(spark: SparkSession, folder: str, told: DataFrame, schema: StructType) -> Rows:
    """The rows of this schema that the tasks of ``told`` (rows ``FILE``) now write to files in the local folder."""
    files = sorted(Share(f"{folder}/{name}", size) for name, size, _ in told.collect())
    return Rows(spark, lambda: read_files(spark, (file.path for file in files), schema), files)


def rows_from_memory(spark: SparkSession, table: pa.Table, folder: str) -> Rows:
    """The rows of a table in memory, by way of a file if the folder is a local or shared one: a million rows of a frame
    made from memory take Spark four seconds to read, once each time, where those of a file take half a second."""
    schema = from_arrow_schema(table.schema)
    if local_path(folder) is None:
        return Rows(spark, lambda: spark.createDataFrame(table.to_pandas(), schema))
    path = f"{make_folder(folder)}/rows.parquet"
    pq.write_table(table, path, compression="none")
    return Rows(spark, lambda: read_files(spark, [path], schema), [Share(path, table.nbytes)])


def make_folder(uri: str) -> str:
    """The path of a folder that is made now, if it is a local or shared one."""
    place = cast(Path, local_path(uri))
    place.mkdir(parents=True, exist_ok=True)
    return str(place)


def table_rows(lake: Lake, table: str, version: int | None = None, since: int = -1) -> Rows:
    """The rows of a table at a version (default: the newest), or only those that it has more than version ``since``,
    from which on it has grown. From files only where the lake is a folder and a row in a file is a row of the table."""
    at = lake.version(table) if version is None else version
    read = lambda: lake.read(table, at) if since < 0 else lake.added(table, since)  # noqa: E731
    return Rows(lake.spark, read, lake.files(table, at, since) or None)
