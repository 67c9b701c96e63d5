"""What a failure is to a user: its line and its exit code."""

import shlex

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from conf import recipe
from jobs.failures import explain


@pytest.mark.parametrize("name", ["CONCURRENT_APPEND", "CONCURRENT_DELETE_READ", "METADATA_CHANGED"])
def test_another_writer_is_no_damage_by_sparks_word(name: str) -> None:
    line, code = explain(RuntimeError(f"[DELTA_{name}] Files were added by a concurrent update."))
    assert code == 1 and line.startswith("another command wrote to the lake at the same time: run the same command")


def test_another_writer_is_no_damage_by_deltalakes_word(tmp_path) -> None:
    write_deltalake(tmp_path, pa.table({"a": [1]}))
    behind = DeltaTable(tmp_path)
    write_deltalake(tmp_path, pa.table({"a": [2]}), mode="overwrite")
    with pytest.raises(CommitFailedError) as raised:
        behind.create_write_transaction([], "overwrite", behind.schema())
    line, code = explain(raised.value)
    assert code == 1 and line.startswith("another command wrote to the lake at the same time")


@pytest.mark.parametrize(
    "error",
    [
        "[DELTA_FILE_NOT_FOUND_DETAILED] File part-0.parquet is gone",
        "java.lang.IllegalStateException: Non-contiguous versions: expected 3, found 5",
        "java.lang.IllegalStateException: 1.checkpoint.parquet is not a valid commit file / checkpoint file",
    ],
)
def test_what_delta_cannot_read_is_damage(error: str) -> None:
    assert explain(RuntimeError(error))[1] == 5


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("SparkException: Job 3 cancelled because SparkContext was shut down", "Spark was stopped"),
        ("java.lang.IllegalStateException: Cannot call methods on a stopped SparkContext.", "Spark was stopped"),
        ("java.io.FileNotFoundException: /tmp/blockmgr-1f/0c/temp_shuffle_9 (No such file)", "Spark was stopped"),
        ("java.lang.IllegalStateException: Unexpected state of an iterator", "RuntimeError: java.lang.IllegalState"),
    ],
)
def test_what_is_sparks_own_is_no_damage(error: str, told: str) -> None:
    line, code = explain(RuntimeError(error))
    assert code == 1 and line.startswith(told)


@pytest.mark.parametrize("said", ["Java heap space", "spark.driver.maxResultSize (1 GB)", "malloc of size 8 failed"])
def test_a_setting_that_is_advised_can_be_given_as_it_stands(said: str) -> None:
    words = shlex.split(explain(RuntimeError(said))[0])
    assert recipe.load(None, [words[words.index("--set") + 1]]).spark
