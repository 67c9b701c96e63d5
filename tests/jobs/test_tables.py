"""A frame of a few rows is what Spark makes of them, whichever way they reach Java."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pyspark.sql import SparkSession

from conf import tables
from jobs.tables import SCHEMAS, frame

WHEN = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
FULL = ("id", "job", "recipe", "{}", "digest", "0.1.0", {"a": 1, "b": -2}, {}, {"x": 2**40}, WHEN, 1.5, 7)
BARE = ("id", "job", "recipe", None, "digest", "0.1.0", {}, {}, {}, None, None, None)


@pytest.mark.parametrize("rows", [[FULL], [BARE], [FULL, BARE, FULL]])
def test_rows_with_maps_times_and_nulls(spark: SparkSession, rows: list[tuple[Any, ...]]) -> None:
    found = frame(spark, rows, SCHEMAS[tables.RUNS])
    assert found.schema == SCHEMAS[tables.RUNS]
    assert found.collect() == spark.createDataFrame(rows, SCHEMAS[tables.RUNS]).collect()


@pytest.mark.parametrize("table", SCHEMAS)
def test_no_rows_have_the_schema_all_the_same(spark: SparkSession, table: str) -> None:
    found = frame(spark, [], SCHEMAS[table])
    assert found.schema == SCHEMAS[table] and found.collect() == []
