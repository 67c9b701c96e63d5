"""Which version is meant by a pin, a number or a moment."""

from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from conf import tables
from jobs.lake import Lake
from jobs.pins import pin
from tests.versions.lakes import commit_file, make_lake, publish, publish_in_files, rows_of, set_time
from udfs.delta.lake import LakeError
from udfs.delta.versions import resolve, show_time

DAY = 86_400_000
START = 1_767_225_600_000
"""2026-01-01T00:00:00Z in milliseconds."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Versions 0, 1 and 2, published on the first three days of 2026 at 00:00:00.500; version 1 is pinned."""
    made = make_lake(tmp_path_factory.mktemp("choosing") / "lake", 2, 3, 4)
    pin(made, "baseline", 1)
    for version in range(3):
        set_time(made, version, START + version * DAY + 500)
    return made


@pytest.mark.parametrize(
    ("choice", "version"),
    [
        ({}, 2),
        ({"version": 0}, 0),
        ({"pin": "baseline"}, 1),
        ({"timestamp": "2026-01-01T00:00:00.500Z"}, 0),
        ({"timestamp": "2026-01-02"}, 0),
        ({"timestamp": "2026-01-02T00:00:00.499"}, 0),
        ({"timestamp": "2026-01-02T00:00:00.500"}, 1),
        ({"timestamp": "2026-01-02T02:00:00.500+02:00"}, 1),
        ({"timestamp": "2026-01-02T23:00:00-05:00"}, 2),
        ({"timestamp": "2030-01-01"}, 2),
    ],
)
def test_one_choice_means_one_version(lake: str, choice: dict[str, Any], version: int) -> None:
    assert resolve(lake, **choice).version == version


def test_a_time_as_it_is_printed_means_the_version_it_was_printed_for(lake: str) -> None:
    for version in range(3):
        assert resolve(lake, timestamp=show_time(resolve(lake, version=version).when)).version == version


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"pin": "baselin"}, "Did you mean baseline"),
        ({"pin": "other"}, r"baseline \(version 1\)"),
        ({"version": 3}, "no version 3.*Published versions: 2 .*, 1 .*, 0 "),
        ({"version": -1}, "no version -1"),
        ({"timestamp": "2025-12-31"}, "nothing was published at or before 2025-12-31"),
        ({"timestamp": "yesterday"}, "not ISO 8601"),
        ({"pin": "baseline", "version": 1}, "pin and version are both given"),
        ({"version": 1, "timestamp": "2026-01-02"}, "version and timestamp are both given"),
    ],
)
def test_a_choice_that_means_nothing_says_what_there_is(lake: str, choice: dict[str, Any], told: str) -> None:
    with pytest.raises(LakeError, match=told) as caught:
        resolve(lake, **choice)
    assert caught.value.exit_code == 2


def test_the_newest_version_is_the_published_one_below_a_compaction(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake", 3)
    publish_in_files(lake, rows_of([[{"role": "user", "content": str(n)}] for n in range(20)]))
    table = DeltaTable(f"{lake}/{tables.DATASET}")
    table.alter.set_table_properties({"delta.logRetentionDuration": "interval 3650 days"})
    table.optimize.compact()
    assert resolve(lake).version == 1
    with pytest.raises(LakeError, match=r"version 3 was not published by winnow: its commit \(OPTIMIZE\)"):
        resolve(lake, version=3)


def test_rows_deleted_behind_winnows_back_are_not_passed_over(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake", 3, 3)
    DeltaTable(f"{lake}/{tables.DATASET}").delete("conversation_id = 'v1-0'")
    with pytest.raises(LakeError, match=r"version 2 \(DELETE\) changed rows"):
        resolve(lake)
    assert resolve(lake, version=1).version == 1


def test_a_pin_of_a_replaced_table_is_refused(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake", 3)
    pin(lake, "baseline")
    for path in sorted((Path(lake) / tables.DATASET).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    publish(lake, rows_of([[{"role": "user", "content": "other"}]]))
    with pytest.raises(LakeError, match="was replaced") as caught:
        resolve(lake, pin="baseline")
    assert caught.value.exit_code == 5


def test_a_version_whose_commit_was_cleaned_up_is_gone(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake", 2, 2, 2)
    DeltaTable(f"{lake}/{tables.DATASET}").create_checkpoint()
    commit_file(lake, 0).unlink()
    with pytest.raises(LakeError, match=r"version 0 is gone.*Published versions: 2 .*, 1 ") as caught:
        resolve(lake, version=0)
    assert caught.value.exit_code == 5
    assert resolve(lake).version == 2


def test_the_rows_of_a_version_come_from_the_run_that_published_them(tmp_path: Path) -> None:
    lake = Lake(None, make_lake(tmp_path / "lake", 20))  # type: ignore[arg-type]
    table = DeltaTable(lake.table_path(tables.DATASET))
    table.alter.set_table_properties({"delta.logRetentionDuration": "interval 3650 days"})
    found = lake.lineage(tables.DATASET)
    assert found is not None and found.digest == resolve(lake.path).digest
    table.delete("conversation_id = 'v0-1'")
    assert lake.lineage(tables.DATASET) is None
    table.restore(0)
    assert lake.lineage(tables.DATASET) is None
    publish(lake.path, rows_of([[{"role": "user", "content": "again"}]]))
    assert lake.lineage(tables.DATASET) is not None
