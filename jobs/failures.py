"""What a failure inside Spark, Delta or the machine means to a user: one line, and the exit code."""

import re

_CAUSES = (
    (r"No space left on device|DiskErrorException|Disk quota exceeded", 1,
     "the disk is full: free some space (lake and spark.local.dir) and run the same command again"),
    (r"Java heap space|OutOfMemoryError|GC overhead limit", 1,
     "Java ran out of memory: give --set spark.spark.driver.memory=4g (or executors more) and run again"),
    (r"maxResultSize", 1,
     "too much was collected on the driver: give --set spark.spark.driver.maxResultSize=4g and run again"),
    (r"MemoryError|ArrowMemoryError|malloc of size", 1,
     "a Python worker ran out of memory: give --set spark.spark.master='local[1,4]' (one core) or a larger machine"),
    (r"OverflowError: .*expected at most 2 GB a column", 1,
     "too many rows come together in one task"),
    (r"Permission denied|AccessControlException|Read-only file system|Mkdirs failed", 2,
     "cannot write there: check the permissions of the folder named here"),
    (r"DELTA_CONCURRENT_|DELTA_(?:METADATA|PROTOCOL)_CHANGED|CommitFailedError", 1,
     "another command wrote to the lake at the same time: run the same command again"),
    (r"SparkContext was shut down|stopped SparkContext|Shutdown in progress|blockmgr-", 1,
     "Spark was stopped, or lost its temporary files: run the same command again"),
    (r"DELTA_|FileNotFoundException|FAILED_READ_FILE|not a Parquet file|_delta_log|Corrupt"
     r"|IllegalStateException[^\n]*(?:[Vv]ersion|[Cc]heckpoint|commit file)|OSError: cannot read the data file", 5,
     "the lake's tables cannot be read whole"),
    (r"JAVA_GATEWAY_EXITED|JAVA_HOME", 2,
     "Java did not start: install Java 17 or 21 (`winnow doctor` tells more)"),
    (r"ModuleNotFoundError", 1,
     "a Python worker lacks a package: install Winnow there, or check --py-files and PYSPARK_PYTHON"),
    (r"python worker|Python worker", 1,
     "a Python worker failed: run `winnow doctor`; on a cluster check --py-files and PYSPARK_PYTHON"),
)  # fmt: skip


def explain(error: BaseException) -> tuple[str, int]:
    """The line for a user and the exit code. A failure nobody foresaw keeps its own first line and code 1."""
    text = f"{type(error).__name__}: {error}"
    for pattern, code, advice in _CAUSES:
        found = re.search(pattern, text)
        if found:
            return f"{advice} ({_line_with(text, found.start())})", code
    return f"{_line_with(text, 0)} (--debug shows the stack trace)", 1


def _line_with(text: str, position: int) -> str:
    start = text.rfind("\n", 0, position) + 1
    return text[start : start + 300].split("\n", 1)[0].strip()
