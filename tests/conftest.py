"""What every test shares: one Spark session, one small sample, one lake made from it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pyspark.sql import SparkSession

from conf import recipe
from conf.settings import Settings
from jobs import annotate, dedup, ingest, publish
from jobs.lake import Lake, open_lake
from jobs.progress import Progress
from jobs.sample.generate import write_sample
from jobs.session import nlp_package, open_session
from tests.commands import INTERPRETED, JAVA

settings.register_profile("winnow", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("winnow")

SMALL = {
    "spark.master": "local[2]",
    "spark.driver.memory": "1500m",
    "spark.driver.extraJavaOptions": JAVA,
    # A handful of rows: more partitions are more tasks and nothing else.
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    # The same plan every time; adaptive execution is tested where it matters.
    "spark.sql.adaptive.enabled": "false",
    **INTERPRETED,
}


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The one session of the run; real Spark, real Delta."""
    os.environ["SPARK_LOCAL_DIRS"] = str(tmp_path_factory.mktemp("spark"))
    session = open_session("tests", SMALL, with_nlp=bool(nlp_package()))
    yield session
    session.stop()


@pytest.fixture(scope="session")
def small_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 conversations of our own in every format the generator writes, with its faults and near-duplicates."""
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder / "sample", conversations=600, seed=3)
    return folder / "sample"


@pytest.fixture(scope="session")
def smoke() -> Settings:
    """The recipe of `make demo`."""
    return recipe.load("smoke")


Chain = Callable[[Lake, Settings, list[str]], list[bool]]


@pytest.fixture(scope="session")
def run_chain(spark: SparkSession) -> Chain:
    """The four jobs in order on some inputs; returns which of them committed something."""

    def run(lake: Lake, settings: Settings, inputs: list[str]) -> list[bool]:
        quiet = Progress(None, "test")
        return [
            ingest.run(lake, settings, inputs, quiet),
            annotate.run(lake, settings, quiet),
            dedup.run(lake, settings, quiet),
            publish.run(lake, settings, quiet),
        ]

    return run


@pytest.fixture(scope="session")
def lake(
    spark: SparkSession, small_sample: Path, smoke: Settings, run_chain: Chain, tmp_path_factory: pytest.TempPathFactory
) -> Lake:
    """The small sample run through the whole chain, once; tests only read it."""
    made = open_lake(spark, str(tmp_path_factory.mktemp("lakes") / "lake"), create=True)
    assert run_chain(made, smoke, [str(small_sample)]) == [True, True, True, True]
    return made
