"""Files of whatever store the lake is on (a folder, HDFS, S3), by Hadoop's clients, which Spark brings."""

import re
from collections.abc import Iterable
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from jobs.errors import UsageError
from jobs.tables import frame

_PATTERN, _ESCAPED = re.compile(r"[\\*?\[\]{}]"), r"\\\g<0>"


def is_there(spark: SparkSession, path: str) -> bool:
    """Is there a file or folder?"""
    return bool(_system(spark, path).exists(_path(spark, path)))


def is_empty(spark: SparkSession, folder: str) -> bool:
    """Has the folder nothing in it?"""
    return len(_system(spark, folder).listStatus(_path(spark, folder))) == 0


def matching(spark: SparkSession, pattern: str) -> list[str]:
    """The paths that match a pattern, none where there is nothing."""
    found = _system(spark, pattern).globStatus(_path(spark, pattern)) or []
    return [each.getPath().toString() for each in found]


def read_text(spark: SparkSession, path: str) -> str:
    """A small file's text."""
    stream = _system(spark, path).open(_path(spark, path))
    try:
        return str(_jvm(spark).org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
    finally:
        stream.close()


def write_text(spark: SparkSession, path: str, text: str) -> None:
    """Make a file with this text; its folder too. Raises UsageError where that cannot be, or the file is there."""
    try:
        stream = _system(spark, path).create(_path(spark, path), False)
        stream.write(bytearray(text.encode()))
        stream.close()
    except Exception as error:
        raise UsageError(f"cannot write to {path}: {_first_line(error)}") from error


def clear(spark: SparkSession, folder: str) -> None:
    """Remove a folder with all in it, if there is one."""
    _system(spark, folder).delete(_path(spark, folder), True)


def literal(path: str) -> str:
    """The path for what takes patterns (:func:`matching`, Spark's readers), meaning this very path."""
    return _PATTERN.sub(_ESCAPED, path)


def read_files(spark: SparkSession, paths: Iterable[str], schema: StructType) -> DataFrame:
    """The rows in these local Parquet files, of which there may be none."""
    named = [f"file:{literal(path)}" for path in paths]
    return spark.read.schema(schema).parquet(*named) if named else frame(spark, [], schema)


def _system(spark: SparkSession, path: str) -> Any:
    jsc: Any = spark._jsc
    return _path(spark, path).getFileSystem(jsc.hadoopConfiguration())


def _path(spark: SparkSession, path: str) -> Any:
    return _jvm(spark).org.apache.hadoop.fs.Path(path)


def _jvm(spark: SparkSession) -> Any:
    return spark._jvm


def _first_line(error: BaseException) -> str:
    """The telling line of a JVM or Python error, without its stack."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
