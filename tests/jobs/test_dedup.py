"""Duplicates over several runs: what is added, removed or set otherwise gives what comparing everything anew gives."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conf import recipe, tables
from conf.settings import Settings
from jobs import annotate, dedup, pins, publish, shaping
from jobs.errors import UsageError
from jobs.lake import Lake, Lineage, open_lake
from jobs.progress import Progress
from jobs.tables import SCHEMAS
from jobs.tasks import Rows
from tests.jobs.copies import copy_of
from udfs.delta.lake import LakeError

WORDS = [f"{a}{b}" for a in "bdfgklmnprstvz" for b in ("a", "el", "in", "or", "us", "ay", "ock")]
QUIET = Progress(None, "test")
Talk = tuple[str, list[str]]


def told(seed: int, count: int) -> str:
    """``count`` words that follow from the seed, and a full stop."""
    return " ".join(random.Random(seed).choices(WORDS, k=count)) + "."


def edited(text: str, every: int) -> str:
    """The text with one word in ``every`` replaced by a shorter one, so that the original is the one to keep."""
    return " ".join("x" if place % every == every - 1 else word for place, word in enumerate(text.split()))


def families(first: int, count: int) -> list[Talk]:
    """Conversations in which every level has work, and decoys: ids and texts follow from their numbers."""
    found: list[Talk] = []
    for number in range(first, first + count):
        question, answer, more = told(number, 12), told(number + 1000, 60), told(number + 2000, 40)
        found += [
            (f"{number}-long", [question, answer, more, told(number + 3000, 80)]),
            (f"{number}-short", [question, answer]),
            (f"{number}-copy", [question.upper(), answer + "  "]),
            (f"{number}-near", [question, edited(answer, 25), more, told(number + 3000, 80)]),
            (f"{number}-cut", [question, answer, more, told(number + 3000, 25)]),
            (f"{number}-alone", [question, told(number + 4000, 60)]),
        ]
    return found


def add(lake: Lake, talks: Sequence[Talk]) -> None:
    """Append conversations to ``conversations_raw``, as ingest would, and label them."""
    rows = [
        {
            "conversation_id": name,
            "source": "test",
            "messages": [
                {"role": "assistant" if place % 2 else "user", "content": text} for place, text in enumerate(texts)
            ],
            "redacted": False,
            "digest": name,
        }
        for name, texts in talks
    ]
    frame = lake.spark.createDataFrame(rows, SCHEMAS[tables.CONVERSATIONS_RAW])
    stamp = Lineage(f"in{len(talks)}-{talks[0][0]}", "ingest", "", "", "")
    lake.write(tables.CONVERSATIONS_RAW, frame, stamp)
    lake.write(tables.FILES, lake.read(tables.FILES).limit(0), stamp)  # as ingest does last


def new_lake(spark: SparkSession, folder: Path, settings: Settings, *batches: Sequence[Talk]) -> Lake:
    """A lake that was given these batches one after the other, each labelled and compared before the next."""
    lake = open_lake(spark, str(folder), create=True)
    for batch in batches:
        add(lake, batch)
        annotate.run(lake, settings, QUIET)
        assert dedup.run(lake, settings, QUIET)
    return lake


def rows_of(lake: Lake, table: str) -> list[tuple]:
    return sorted(map(tuple, lake.read(table).collect()), key=repr)


def removed(lake: Lake) -> dict[str, tuple[str, str]]:
    return {row.conversation_id: (row.level, row.kept_id) for row in lake.read(tables.DUPLICATES).collect()}


def settings_of(*overrides: str) -> Settings:
    """The defaults but for these, and without caps, whose tests are in test_prompts.py."""
    return recipe.load(None, ["dedup.prompt.policy=off", "dedup.template.policy=off", *overrides])


@pytest.fixture(scope="module")
def plain() -> Settings:
    return settings_of()


@pytest.fixture(scope="module")
def whole(spark: SparkSession, plain: Settings, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """All families at once."""
    return new_lake(spark, tmp_path_factory.mktemp("dedup") / "whole", plain, families(0, 8))


@pytest.fixture(scope="module")
def few(spark: SparkSession, plain: Settings, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Three families at once; tests go on from a copy."""
    return new_lake(spark, tmp_path_factory.mktemp("dedup") / "few", plain, families(0, 3))


def test_every_level_removes_what_is_its_own_for_a_row_that_is_kept(whole: Lake) -> None:
    found = removed(whole)
    for number in range(8):
        assert found[f"{number}-short"] == ("snapshot", f"{number}-long")
        assert found[f"{number}-copy"] == ("snapshot", f"{number}-long")
        assert found[f"{number}-near"] == ("near", f"{number}-long")
        assert found[f"{number}-cut"][0] in ("contained", "near")
        assert f"{number}-alone" not in found
    assert not {kept for _, kept in found.values()} & set(found)
    copies = whole.read(tables.MATCHES).where("copy_of is not null").collect()
    assert {row.conversation_id: row.copy_of for row in copies} == {f"{n}-short": f"{n}-copy" for n in range(8)}


@pytest.mark.parametrize("cut", [[20, 28], [1, 25, 47]])
def test_batches_one_after_the_other_give_what_all_at_once_gives(
    spark: SparkSession, whole: Lake, plain: Settings, tmp_path: Path, cut: list[int]
) -> None:
    talks = families(0, 8)
    random.Random(len(cut)).shuffle(talks)
    batches = [talks[start:end] for start, end in zip([0, *cut], [*cut, len(talks)], strict=True)]
    grown = new_lake(spark, tmp_path / "grown", plain, *batches)
    for table in (tables.DUPLICATES, tables.CLUSTERS, tables.MATCHES, tables.FAMILIES):
        assert rows_of(grown, table) == rows_of(whole, table)
    modes = [commit.only_adds for commit in grown.commits(tables.SIGNATURES)]
    assert modes == [True] * len(batches)  # old conversations were not signed again


def test_a_batch_whose_components_are_found_by_stars_gives_what_all_at_once_gives(
    spark: SparkSession, whole: Lake, tmp_path: Path
) -> None:
    talks = families(0, 8)
    grown = new_lake(spark, tmp_path / "grown", settings_of("dedup.max_edges=0"), talks[:28], talks[28:])
    for table in dedup.increment.WRITTEN:
        assert rows_of(grown, table) == rows_of(whole, table)


def test_a_new_copy_that_is_kept_takes_the_place_of_the_old_one(
    spark: SparkSession, plain: Settings, tmp_path: Path
) -> None:
    text = told(1, 80)
    batches = [[("z", ["q", text]), ("y", ["Q", text])], [("a", ["q ", text]), ("near", ["q", edited(text, 30)])]]
    grown = new_lake(spark, tmp_path / "grown", plain, *batches)
    at_once = new_lake(spark, tmp_path / "once", plain, [*batches[0], *batches[1]])
    for table in (tables.DUPLICATES, tables.CLUSTERS, tables.MATCHES):
        assert rows_of(grown, table) == rows_of(at_once, table)


def test_a_deleted_kept_row_is_succeeded_by_another_and_nothing_is_signed_again(
    few: Lake, plain: Settings, tmp_path: Path
) -> None:
    lake = copy_of(few, tmp_path / "lake")
    kept = removed(lake)["0-short"][1]
    signed = {row.conversation_id: row for row in lake.read(tables.SIGNATURES).collect()}
    lake.delete(tables.CONVERSATIONS, f"conversation_id = '{kept}'", Lineage("gone", "test", "", "", ""))
    assert dedup.run(lake, plain, QUIET)
    found = removed(lake)
    assert kept not in found and kept not in {to for _, to in found.values()}
    assert not {to for _, to in found.values()} & set(found)
    left = {row.conversation_id: row for row in lake.read(tables.SIGNATURES).collect()}
    assert left == {name: row for name, row in signed.items() if name != kept}


def test_another_threshold_reads_signatures_and_no_text(few: Lake, tmp_path: Path) -> None:
    lake = copy_of(few, tmp_path / "lake")
    version = lake.version(tables.SIGNATURES)
    strict = settings_of("dedup.threshold=0.99", "dedup.contained=off", "dedup.snapshot=off")
    assert dedup.run(lake, strict, QUIET)
    assert lake.version(tables.SIGNATURES) == version
    assert {level for level, _ in removed(lake).values()} == {"exact"}


def test_of_nearly_the_same_as_many_stay_as_asked_for(spark: SparkSession, tmp_path: Path) -> None:
    question, answer = told(1, 12), told(2, 90)
    talks = [(f"c{number}", [question, edited(answer, 60 + 5 * number)]) for number in range(5)]
    rows = [*talks, ("other", [told(3, 12), told(4, 90)])]
    lake = new_lake(spark, tmp_path / "lake", settings_of("dedup.near_keep=3"), rows)
    found = removed(lake)
    assert len(found) == 2 and {level for level, _ in found.values()} == {"near"}
    left = {name for name, _ in talks} - set(found)
    assert {to for _, to in found.values()} <= left
    clusters = {row.conversation_id: row.cluster_id for row in lake.read(tables.CLUSTERS).collect()}
    assert len({clusters[name] for name, _ in talks}) == 1  # so that no half of them is held out for evaluation
    dedup.run(lake, settings_of(), QUIET)
    assert len(removed(lake)) == 4


def test_levels_that_are_off_remove_nothing(spark: SparkSession, tmp_path: Path) -> None:
    off = settings_of(*(f"dedup.{level}=off" for level in ("snapshot", "exact", "near", "contained")))
    lake = new_lake(spark, tmp_path / "off", off, families(0, 2))
    assert removed(lake) == {}


TAGGED = [  # policies; which of a, b (the same text), near (nearly the same), cut (contained) leave the dataset
    (["exact=tag"], {"b", "near", "cut"}),
    (["near=tag", "contained=tag"], {"b"}),
    (["near=tag"], {"b", "cut"}),
    (["exact=tag", "near=tag", "contained=tag"], set()),
]


@pytest.mark.parametrize(("policies", "gone"), TAGGED)
def test_what_a_level_tags_stays_and_others_drop_what_they_would_without_it(
    spark: SparkSession, tmp_path: Path, policies: list[str], gone: set[str]
) -> None:
    text = told(1, 120)
    talks = [("a", ["q", text]), ("b", ["Q", text]), ("near", ["q", edited(text, 30)])]
    talks.append(("cut", ["q", " ".join(text.split()[:100])]))
    settings = settings_of("dedup.survivor=[characters]", *(f"dedup.{each}" for each in policies))
    lake = new_lake(spark, tmp_path / "lake", settings, talks)
    decided = publish.decide(lake.read(tables.CONVERSATIONS), lake.read(tables.DUPLICATES), settings).persist()
    assert {row.conversation_id for row in decided.where("not keep").collect()} == gone
    assert set(removed(lake)) == {"b", "near", "cut"}
    found = (lake.read(table) for table in (tables.CONVERSATIONS, tables.DUPLICATES, tables.CLUSTERS))
    rows = publish.dataset(next(found), decided, *found, settings).collect()
    assert len(rows) == len(talks) - len(gone) and sum(row.copies for row in rows) == len(talks)


class Stopped(Progress):
    """Stops the job where its last table is to be written."""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        if name == "clusters":
            raise KeyboardInterrupt
        yield


def test_after_a_run_with_other_settings_was_stopped_the_first_ones_find_what_they_found(
    few: Lake, plain: Settings, tmp_path: Path
) -> None:
    lake = copy_of(few, tmp_path / "lake")
    before = {table: rows_of(lake, table) for table in dedup.increment.WRITTEN}
    with pytest.raises(KeyboardInterrupt):
        dedup.run(lake, settings_of("dedup.threshold=0.99", "dedup.contained=off"), Stopped(None, "test"))
    assert rows_of(lake, tables.DUPLICATES) != before[tables.DUPLICATES]
    with pytest.raises(UsageError, match="a run that was stopped"):
        publish.run(lake, plain, QUIET)
    assert dedup.run(lake, plain, QUIET) and not dedup.run(lake, plain, QUIET)
    assert {table: rows_of(lake, table) for table in dedup.increment.WRITTEN} == before


def test_a_batch_with_more_new_than_old_gives_what_all_at_once_gives(
    spark: SparkSession, whole: Lake, plain: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dedup.increment, "_FEW_FRESH", 10)  # what the driver can be told of
    talks = families(0, 8)
    grown = new_lake(spark, tmp_path / "grown", plain, talks[:20], talks[20:])
    for table in dedup.increment.WRITTEN:
        assert rows_of(grown, table) == rows_of(whole, table)


def published(lake: Lake, talks: Sequence[Talk], version: str) -> None:
    """Publish some conversations as the dataset and pin it, with the real tables."""
    rows = lake.read(tables.CONVERSATIONS).select(
        *("conversation_id", "source", "model", "language", "messages", "digest"),
        F.lit("train").alias("split"),
        F.lit(1).cast("long").alias("copies"),
        shaping.whole("conversation_id").alias("made_of"),
    )
    message = lambda m: F.struct(m["role"].alias("role"), m["content"].alias("content"))  # noqa: E731
    rows = rows.withColumn("messages", F.transform("messages", message)).select(*SCHEMAS[tables.DATASET].names)
    from jobs.digests import dataset_digest

    digest = dataset_digest(rows)
    lake.write(tables.DATASET, rows, Lineage("p", "publish", "t", "c", "v", digest=digest), "overwrite")
    pins.pin(lake.path, version, 0, "test")


def test_what_another_dataset_has_is_removed_and_the_match_named(
    spark: SparkSession, plain: Settings, tmp_path: Path
) -> None:
    text = told(7, 90)
    other = new_lake(spark, tmp_path / "other", plain, [("e1", ["q", text]), ("e2", ["unlike", told(8, 50)])])
    published(other, [], "eval")
    name = f"{tmp_path / 'other'}#eval"
    against = settings_of(f"dedup.against='{name}'")
    talks = [("exact", ["Q", text]), ("near", ["q", edited(text, 30)]), ("free", ["q", told(9, 90)])]
    lake = new_lake(spark, tmp_path / "lake", against, talks)
    found = removed(lake)
    assert found == {"exact": ("exact", f"{name}/e1"), "near": ("near", f"{name}/e1")}
    assert {row.conversation_id for row in lake.read(tables.CLUSTERS).collect()} <= {"exact", "near", "free"}
    with pytest.raises(LakeError, match="no pin"):
        dedup.run(lake, settings_of(f"dedup.against='{tmp_path / 'other'}#nowhere'"), QUIET)


def test_publish_refuses_what_was_held_against_a_dataset_that_is_another_now(
    spark: SparkSession, plain: Settings, tmp_path: Path
) -> None:
    other = new_lake(spark, tmp_path / "other", plain, [("e1", ["q", told(7, 90)])])
    published(other, [], "eval")
    against = settings_of(f"dedup.against='{other.path}#eval'")
    lake = new_lake(spark, tmp_path / "lake", against, [("a", ["q", told(8, 90)]), ("b", ["q", told(9, 90)])])
    add(other, [("e2", ["q", told(8, 90)])])
    annotate.run(other, plain, QUIET)
    published(other, [], "first")
    publish._require_fresh(lake, against)  # the pin stayed
    pins.pin(other.path, "eval", 1, move=True)
    with pytest.raises(UsageError, match="another dataset than"):
        publish._require_fresh(lake, against)
    assert dedup.run(lake, against, QUIET) and set(removed(lake)) == {"a"}
    publish._require_fresh(lake, against)


def test_texts_that_peers_confuse_are_all_kept(spark: SparkSession, plain: Settings, tmp_path: Path) -> None:
    prompts = [
        *("what is 37+48?", "what is 12+5?", "か", "が", "กิน", "กัน", "मैं", "मे", "", " ", "👍", "👍🏽", "a", "b"),
        *("今天天气怎么样？", "明天股市会涨吗？", "Как дела сегодня?", "Где находится вокзал?"),
    ]
    tagging = settings_of("rules.reasons.blank_message=tag")
    lake = new_lake(spark, tmp_path / "lake", tagging, [(f"t{n}", [text, "ok"]) for n, text in enumerate(prompts)])
    found = removed(lake)
    assert found == {f"t{prompts.index(' ')}": ("exact", f"t{prompts.index('')}")}  # white space alone


def test_the_same_rows_from_any_partitioning(spark: SparkSession, whole: Lake, plain: Settings, tmp_path: Path) -> None:
    facts = dedup.survivors.facts(whole.read(tables.CONVERSATIONS), plain)
    expected = _matches(facts, whole.read(tables.SIGNATURES), plain, tmp_path / "a")
    mixed = whole.read(tables.SIGNATURES).repartition(5, "digest"), facts.repartition(3)
    assert _matches(mixed[1], mixed[0], plain, tmp_path / "b") == expected


def _matches(facts: DataFrame, signatures: DataFrame, settings: Settings, work: Path) -> list[tuple]:
    found, _ = dedup.find(facts, Rows(facts.sparkSession, lambda: signatures), settings.dedup, str(work))
    columns = ["conversation_id", "level", "kept_id", "similarity", "bands_shared", "nearest_id", "cluster_id"]
    return sorted(map(tuple, found.frame().select(*columns).collect()), key=repr)
