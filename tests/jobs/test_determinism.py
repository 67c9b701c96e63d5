"""Same input and config, same rows: whatever the order, the partitioning and the plan."""

import random
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Settings
from jobs import annotate, dedup, digests, publish
from jobs.duplicates import caps, outcome, signing, survivors
from jobs.lake import Lake, open_lake
from jobs.tasks import Rows


def digest_of(raw: DataFrame, settings: Settings, work: str) -> str:
    """The dataset digest that the jobs' pure functions give for these raw conversations."""
    conversations = annotate.label(raw, settings.rules).localCheckpoint()
    signed = signing.sign(conversations, signing.signing(settings.dedup))
    signatures = Rows(raw.sparkSession, lambda: signed)
    facts = survivors.facts(conversations, settings)
    found = dedup.find(facts, signatures, settings.dedup, work)[0]
    matches = outcome.duplicates(found, signing.signing(settings.dedup), settings.dedup).frame()
    compared = Rows(facts.sparkSession, lambda: matches)
    duplicates = caps.cap(facts, signatures, compared, settings.dedup, f"{work}-prompts").duplicates.frame()
    clusters = outcome.clusters(found).frame()
    verdicts = publish.decide(conversations, duplicates, settings)
    kept = publish.dataset(conversations, verdicts, duplicates, clusters, settings)
    found = digests.dataset_digest(kept)
    raw.sparkSession.catalog.clearCache()  # as the job does at its end
    return found


@pytest.mark.parametrize("adaptive", ["false", "true"])
@pytest.mark.parametrize("partitions", [1, 2, 7])
@pytest.mark.parametrize("number", range(2))
def test_order_partitions_and_plan_change_nothing(
    spark: SparkSession, lake: Lake, smoke: Settings, number: int, partitions: int, adaptive: str, tmp_path: Path
) -> None:
    raw = lake.read(tables.CONVERSATIONS_RAW).where(F.xxhash64("conversation_id") % 2 == 0)
    expected = _expected(raw, smoke, str(tmp_path / "work"))
    order = F.xxhash64(F.lit(f"{number} of {partitions}, {adaptive}"), "conversation_id")  # another one in each test
    spark.conf.set("spark.sql.adaptive.enabled", adaptive)
    try:
        shuffled = raw.repartition(partitions).sortWithinPartitions(order)
        assert digest_of(shuffled, smoke, str(tmp_path / "work")) == expected
    finally:
        spark.conf.set("spark.sql.adaptive.enabled", "false")


_known: dict[str, str] = {}


def _expected(raw: DataFrame, settings: Settings, work: str) -> str:
    if not _known:
        _known["digest"] = digest_of(raw, settings, work)
    return _known["digest"]


def test_shuffled_lines_in_other_files_give_the_same_dataset(
    spark: SparkSession, small_sample: Path, smoke: Settings, run_chain, tmp_path: Path
) -> None:
    lines = [line for line in (small_sample / "alpaca" / "alpaca.jsonl").read_bytes().split(b"\n") if line.strip()]
    digests = set()
    for order, parts in ((1, 1), (2, 3)):
        folder = tmp_path / f"in{order}"
        folder.mkdir()
        random.Random(order).shuffle(lines)
        for part in range(parts):
            (folder / f"{part}.jsonl").write_bytes(b"\n".join(lines[part::parts]))
        lake = open_lake(spark, str(tmp_path / f"lake{order}"), create=True)
        run_chain(lake, smoke, [str(folder)])
        digests.add(lake.lineage(tables.DATASET).digest)
    assert len(digests) == 1
