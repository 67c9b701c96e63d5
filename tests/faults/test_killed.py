"""A run killed inside any job goes on where its last commit left it and ends in the same dataset.

On ``local-cluster``: a real executor process, killed with everything else.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from deltalake import DeltaTable

from conf import tables
from jobs.lake import Lake
from tests import commands

CLUSTER = (*commands.SMALL, "spark.spark.master=local-cluster[1,2,1024]", "spark.spark.executor.cores=2")


def after(line: str) -> Callable[[str], bool]:
    """The moment a stage has ended, before the next commit."""
    return lambda printed: line in printed


def half_written(lake: Path, table: str) -> Callable[[str], bool]:
    """The moment data files of a first version lie there that no commit names yet."""

    def is_time(printed: str) -> bool:
        folder = lake / table
        return any(folder.glob("*.parquet")) and not any((folder / "_delta_log").glob("*.json"))

    return is_time


@pytest.fixture(scope="module")
def killed(small_sample: Path, lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose run was killed once inside every job and then run to its end."""
    path = tmp_path_factory.mktemp("killed") / "lake"
    run = ("run", "--config", "smoke", "--input", str(small_sample), "--lake", str(path))
    moments = (
        after("ingest: write conversations_raw"),  # before ingest's last table, which marks it done
        half_written(path, tables.CONVERSATIONS),  # inside annotate's write
        half_written(path, tables.SIGNATURES),  # while tasks write files
        after("dedup: sign"),  # between dedup's tables
        after("publish: decide"),  # between the verdicts and the dataset
    )
    for moment in moments:
        assert commands.kill_when(moment, *run, sets=CLUSTER), Path(f"{path}.log").read_text()[-2000:]
    done = commands.winnow(*run, sets=CLUSTER)
    assert done.returncode == 0, done.stderr[-2000:]
    return path


def test_the_dataset_is_that_of_an_undisturbed_run(killed: Path, lake: Lake) -> None:
    found = Lake(lake.spark, str(killed))
    assert found.lineage(tables.DATASET).digest == lake.lineage(tables.DATASET).digest
    assert found.version(tables.DATASET) == 0


@pytest.mark.parametrize("table", [tables.CONVERSATIONS_RAW, tables.QUARANTINE, tables.FILES, tables.VERDICTS])
def test_no_row_stands_twice_and_none_is_missing(killed: Path, lake: Lake, table: str) -> None:
    keys = {
        tables.CONVERSATIONS_RAW: ["conversation_id"],
        tables.QUARANTINE: ["file", "record", "part"],
        tables.FILES: ["file", "file_id"],
        tables.VERDICTS: ["conversation_id"],
    }[table]
    found = DeltaTable(str(killed / table)).to_pyarrow_table().select(keys).to_pylist()
    expected = DeltaTable(lake.table_path(table)).to_pyarrow_table().select(keys).to_pylist()
    assert sorted(map(str, found)) == sorted(map(str, expected))


def test_every_job_has_its_line_in_runs(killed: Path) -> None:
    runs = DeltaTable(str(killed / tables.RUNS)).to_pyarrow_table().to_pylist()
    assert {run["job"] for run in runs} == {"ingest", "annotate", "dedup", "publish"}
    assert len({run["run_id"] for run in runs}) == len(runs)
