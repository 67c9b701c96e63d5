"""However many conversations share a text or a bucket, dedup's executor stays within 2 GB: Java and Python together."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.meter import memory, tree
from conf import tables
from jobs.lake import Lineage, open_lake
from jobs.tables import SCHEMAS
from tests import commands

GB = 1 << 30
EQUAL, NEARLY, HALF, LONG = 500_000, 30_000, 30_000, 3
COUNTS = (EQUAL, NEARLY, HALF, LONG)
MASTER = ("spark.spark.master=local-cluster[1,2,1024]", "spark.spark.executor.cores=2")
CLUSTER = (*commands.SMALL, *MASTER, "spark.spark.executor.memory=768m", "spark.spark.sql.shuffle.partitions=8")


def conversations(spark: SparkSession) -> DataFrame:
    """As many of each kind: "hi", a long text with a number of its own at its end, a text of which half is the same
    for all, a message of 10 MB."""
    common, own = words("all", F.lit(0), 150), words("own", F.col("id"), 150)
    kinds = (
        F.lit("hi"),
        F.concat(common, F.lit(" number "), F.col("id")),
        F.concat(common, F.lit(" and "), own),
        F.concat(F.repeat(F.concat(F.lit("word "), F.col("id"), F.lit(" ")), 1_500_000), own),
    )
    parts = [spark.range(count).withColumn("text", text) for count, text in zip(COUNTS, kinds, strict=True)]
    named = [part.withColumn("conversation_id", F.concat(F.lit(f"{kind}-"), "id")) for kind, part in enumerate(parts)]
    rows = named[0].unionByName(named[1]).unionByName(named[2]).unionByName(named[3])
    message = lambda role, text: F.struct(F.lit(role).alias("role"), text.alias("content"))  # noqa: E731
    said = F.to_json(F.array(message("user", F.lit("Say it.")), message("assistant", F.col("text"))))
    schema = SCHEMAS[tables.CONVERSATIONS]
    told = {
        "messages": F.from_json(said, schema["messages"].dataType),
        "reasons": F.array().cast("array<string>"),
        "turns": F.lit(1),
        "characters": F.length("text").cast("long"),
        "digest": F.sha2("text", 256),
    }
    nothing = {each.name: F.lit(None).cast(each.dataType) for each in schema if each.name not in told}
    return rows.withColumns({**nothing, **told, "conversation_id": F.col("conversation_id")}).select(*schema.names)


def words(kind: str, seed: Column, count: int) -> Column:
    """So many words that follow from the seed."""
    number = lambda place: F.abs(F.xxhash64(F.lit(kind), seed, place)) % 100_000  # noqa: E731
    return F.array_join(F.transform(F.sequence(F.lit(1), F.lit(count)), number), " ")


@pytest.fixture(scope="module")
def peak_and_lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """Dedup of these conversations on a cluster of one executor with 768 MB for Java: the most its processes held."""
    lake = open_lake(spark, str(tmp_path_factory.mktemp("memory") / "lake"), create=True)
    lake.write(tables.CONVERSATIONS, conversations(spark), Lineage("a", "annotate", "", "", ""))
    options = [part for value in CLUSTER for part in ("--set", value)]
    command = [sys.executable, "-m", "jobs.cli", "dedup", "--lake", lake.path, *options]
    with subprocess.Popen(
        command, env=commands.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        held, done = [0], threading.Event()
        watch = threading.Thread(target=follow, args=(process.pid, held, done))
        watch.start()
        told, _ = process.communicate(timeout=600)
        done.set()
        watch.join()
    assert process.returncode == 0, told[-3000:]
    return max(held), Path(lake.path)


def follow(driver: int, held: list[int], done: threading.Event) -> None:
    """What the executor below this process holds, Java and its Python workers, twice a second."""
    while not done.wait(0.5):
        held += [memory(process) for process in tree(driver) if is_executor(process)]


def is_executor(process: int) -> bool:
    try:
        return b"CoarseGrainedExecutorBackend" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def test_an_executor_holds_less_than_two_gigabytes(peak_and_lake: tuple[int, Path]) -> None:
    assert 0.3 * GB < peak_and_lake[0] < 2 * GB


def test_of_equal_texts_one_stays_nearly_equal_ones_go_for_one_that_contains_them_and_all_others_stay(
    peak_and_lake: tuple[int, Path],
) -> None:
    found = DeltaTable(str(peak_and_lake[1] / tables.MATCHES)).to_pyarrow_table().select(["conversation_id", "level"])
    removed = [0] * len(COUNTS)
    for name in found["conversation_id"].to_pylist():
        removed[int(name[0])] += 1
    assert removed == [EQUAL - 1, NEARLY, 0, 0]
    assert found["level"].to_pylist().count("exact") == EQUAL - 1
    assert set(found["level"].to_pylist()) <= {"exact", "near", "contained"}
