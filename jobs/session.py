"""The one place that makes a Spark session: Delta on, the workers' Python ours, settings that fit chat data."""

import os
import sys
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from jobs.errors import UsageError

_DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}
_TABLES = {
    # A pinned version must outlive log clean-up and VACUUM's default: ten years.
    "spark.databricks.delta.properties.defaults.logRetentionDuration": "interval 3650 days",
    "spark.databricks.delta.properties.defaults.deletedFileRetentionDuration": "interval 3650 days",
    # Every reader (Spark 3.5, deltalake, pyarrow) must open every version.
    "spark.databricks.delta.properties.defaults.enableDeletionVectors": "false",
    # Reading the log of a small table in 50 tasks costs seconds.
    "spark.databricks.delta.snapshotPartitions": "2",
    # Jobs read whole tables. Least and greatest values of every column, to leave out files, cost a query up to 1.5 s.
    "spark.databricks.delta.stats.skipping": "false",
    "spark.databricks.delta.properties.defaults.dataSkippingNumIndexedCols": "0",
}
_SQL = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": "2000",
    # No limit by bytes: from any other number on, Spark 4.1 adds up a batch's size at every row, which took a third of
    # Java's time. What is read of a table is bounded by the size of its row groups (jobs/lake.py).
    "spark.sql.execution.arrow.maxBytesPerBatch": "2147483647",
    # Edges and components between driver and executors: 14 s a million rows without it, 0.7 s with it.
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.shuffle.partitions": "16",
    "spark.sql.files.maxPartitionBytes": "64m",
    # Tables are read by the names of their files. To look at more than 32 Spark would start a job with a task for each.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "10000",
    "spark.sql.parquet.compression.codec": "zstd",
}
_ALWAYS = {
    # What a time without a zone means is in the data, so no cluster's or recipe's choice.
    "spark.sql.session.timeZone": "UTC",
}
_LOCAL = {
    # local[N,4]: a killed Python worker is tried again instead of ending the job.
    "spark.master": "local[*,4]",
    "spark.driver.memory": "2g",
    # Java's second compiler costs a third of all CPU up to a hundred thousand conversations and gives nothing back: the
    # work on text is done by Python's kernels (0084). With one compiler Java keeps room for 48 MB of code alone, which
    # a long run fills.
    # And the classes of Spark's own jars, fetched by checksum, are not verified anew at every start (0094).
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseParallelGC "
    "-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote",
    "spark.driver.maxResultSize": "1g",
    "spark.ui.enabled": "false",
    # What no page shows: a long session filled a quarter of its memory with the plans of queries it had done.
    "spark.sql.ui.retainedExecutions": "0",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.python.daemon.module": "jobs.workers",
    # What spark-defaults.conf says for a cluster, taken back.
    "spark.jars.packages": "",
    "spark.executor.memory": "1g",
    "spark.executor.cores": "1",
}
_MEMORY = {
    # Arrays of a batch, tens of MB, are freed and made anew for the next one. Arrow's own allocator and, as it comes,
    # the system's give such memory back each time, and the kernel clears it again: a tenth of a worker's time.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
}
"""Environment of the embedded JVM and of the Python workers below it; what the caller's says stays."""


ENGINES = ("tensorflow-cpu_2.12", "jsl-llamacpp-cpu_2.12", "jsl-openvino-cpu_2.12")
"""Artifacts of Spark NLP that only pretrained models run on: hundreds of MB, left out (0080)."""
UNNEEDED = (
    # Spark brings these itself.
    *("org.apache.hadoop:hadoop-client-runtime", "org.apache.hadoop:hadoop-client-api"),
    *(f"com.johnsnowlabs.nlp:{engine}" for engine in ENGINES),
    # Spark NLP's downloads from clouds, its readers of mail and office files. Without Amazon's client it does not load.
    *("com.google.cloud:google-cloud-storage", "com.azure:azure-identity", "com.azure:azure-storage-blob"),
    *("jakarta.mail:jakarta.mail-api", "org.eclipse.angus:angus-mail"),
    *("org.apache.poi:poi-ooxml", "org.apache.poi:poi-scratchpad"),
)
"""Dependencies that are not fetched."""


def spark_line() -> tuple[int, int]:
    """Major and minor version of the installed Spark. What differs between the two lines that Winnow runs on, 3.5
    (Scala 2.12) and 4.1 (2.13), is decided in this file."""
    major, minor = version("pyspark").split(".")[:2]
    return int(major), int(minor)


def delta_package() -> str:
    """The Maven coordinates of the Delta jar for the installed delta-spark and Spark. Delta publishes one artifact a
    Spark line (``delta-spark_4.1_2.13``) from Spark 4 on; the one without it is for another line and fails late."""
    major, minor = spark_line()
    artifact = f"delta-spark_{major}.{minor}_2.13" if major >= 4 else "delta-spark_2.12"
    return f"io.delta:{artifact}:{version('delta-spark')}"


def nlp_package() -> str:
    """The Maven coordinates of the Spark NLP jar for the installed spark-nlp; empty where that is not installed, which
    it only is beside Spark 3.5 (0080)."""
    try:
        return f"com.johnsnowlabs.nlp:spark-nlp_2.12:{version('spark-nlp')}" if spark_line() < (4, 0) else ""
    except PackageNotFoundError:
        return ""


def jar_folder() -> Path:
    """Where Delta's jars are kept between runs: ``$WINNOW_JARS``, else a folder beside the Python environment."""
    named = os.environ.get("WINNOW_JARS")
    return Path(named) if named else Path(sys.prefix) / "winnow-jars" / delta_package().replace(":", "-")


def nlp_jar_folder() -> Path:
    """Where Spark NLP's jars are kept: apart, because no other job's session should load them."""
    return jar_folder() / "spark-nlp"


def jars() -> list[str]:
    """The paths of Delta's jars, sorted; empty before ``winnow doctor --fetch-jars`` ran."""
    return sorted(str(path) for path in jar_folder().glob("*.jar"))


def nlp_jars() -> list[str]:
    """The paths of Spark NLP's jars, sorted; empty without Spark NLP and before they were fetched."""
    return sorted(str(path) for path in nlp_jar_folder().glob("*.jar")) if nlp_package() else []


def is_submitted() -> bool:
    """Was this process started by ``spark-submit``? Then master, memory and jars are the caller's to give."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def open_session(app: str, extra: dict[str, str] | None = None, with_nlp: bool = False) -> SparkSession:
    """A session for one job, with Spark NLP's jars if asked. ``extra`` (a recipe's ``spark`` section) goes over the
    defaults; under spark-submit what the command line or spark-defaults.conf say goes over both, but for
    what the data depend on. Raises UsageError for another master than this machine without spark-submit."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    settings = {**_DELTA, **_TABLES, **_SQL}
    if not is_submitted():
        _set_local_environment()
        settings = {**settings, **_LOCAL, **_jar_settings(with_nlp)}
    settings.update(extra or {})
    if not is_submitted():
        _check_master(settings["spark.master"])
    builder = SparkSession.builder.appName(f"winnow {app}")
    given = _given_by_submit()
    for key, value in settings.items():
        if key not in given:
            builder = builder.config(key, value)
    session = builder.getOrCreate()
    for key, value in _ALWAYS.items():
        session.conf.set(key, value)
    # Embedded, what fails is raised here and told in one line; a cluster's own log keeps its errors.
    session.sparkContext.setLogLevel("ERROR" if is_submitted() else "OFF")
    return session


def _jar_settings(with_nlp: bool) -> dict[str, str]:
    """The fetched jars; those that were not are left to Spark, which fetches them at every start."""
    wanted = [(delta_package(), jars()), *([(nlp_package(), nlp_jars())] if with_nlp else [])]
    lacking = [package for package, found in wanted if not found]
    return {
        "spark.jars": ",".join(jar for _, found in wanted for jar in found),
        "spark.jars.packages": ",".join(lacking),
        "spark.jars.excludes": ",".join(UNNEEDED) if lacking else "",
    }


def _check_master(master: str) -> None:
    """The embedded session listens on loopback alone: a cluster's executors would look for it without end."""
    if not master.startswith("local"):
        raise UsageError(
            f"spark.master: expected local[N], found {master!r}: on a cluster jobs are started by spark-submit, which "
            "names the master (docs/cluster.md)"
        )


def _set_local_environment() -> None:
    """What the embedded JVM is started with: a host name that resolves, how memory is had, and our log settings, which
    are silent but for errors (SPARK_CONF_DIR; from inside a zip there is no such folder and Spark's own apply)."""
    for name, value in {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost", **_MEMORY}.items():
        os.environ.setdefault(name, value)
    ours = Path(str(resources.files("conf") / "spark"))
    if ours.is_dir() and "SPARK_HOME" not in os.environ:
        os.environ.setdefault("SPARK_CONF_DIR", str(ours))


def _given_by_submit() -> set[str]:
    """Keys that spark-submit already set, from its command line or spark-defaults.conf."""
    if not is_submitted():
        return set()
    SparkContext._ensure_initialized()
    return {key for key, _ in SparkConf().getAll()}
