"""Planted benchmark questions are found, dropped or tagged, and named; what only looks like one stays."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from conf import recipe, tables
from conf.settings import Settings
from jobs import decontaminate, publish
from jobs.cli import main
from jobs.errors import InputUnreadable, UsageError
from jobs.lake import Lake, Lineage, open_lake
from jobs.progress import Progress
from jobs.questions import read
from jobs.tables import SCHEMAS
from tests.jobs.copies import copy_of

QUIET = Progress(None, "test")
RIVER = "Which river is the longest of all that cross the border between exactly three countries of southern Africa?"
LATER = "Now rank those three countries by the length of the river on their soil, and say how you measured the bends."
PREAMBLE = "You are given a hard question from a graduate exam. Think step by step before you answer it in one line."
CHOICES = ["the lower left lobe", "the upper right lobe", "both of the lobes", "none of the lobes at all"]
ZH = "请写一篇关于最近去夏威夷旅行的博客文章，突出文化体验和必看景点。"

QUESTIONS = {
    "rivers.jsonl": [{"question_id": 7, "turns": [RIVER, LATER, "Why?"]}],
    "exam.json": [
        *({"id": f"e{n}", "question": f"{PREAMBLE} What is the {n}th root of {n}{n}7?"} for n in range(11)),
        {"id": "alone", "question": f"{PREAMBLE.replace('graduate', 'college')} Name a prime above ninety."},
        {"id": "lobes", "question": "Where is it?", "choices": CHOICES},
        {"id": "sum", "question": "what is 37+48?"},
        {"id": "zh", "question": ZH},
    ],
}

CONVERSATIONS: dict[str, tuple[list[str], list[str]]] = {
    "verbatim": ([RIVER], ["rivers 7"]),
    "with text around it": ([f"Hello there. {RIVER} Answer briefly, thank you very much."], ["rivers 7"]),
    "in a later turn": (["Hi", f"ok, {RIVER}"], ["rivers 7"]),
    "split in two turns": ([RIVER[:44], RIVER[44:]], ["rivers 7"]),
    "other case and punctuation": ([RIVER.upper().replace(" ", ", ")], ["rivers 7"]),
    "both turns of one item": ([RIVER, LATER], ["rivers 7"]),
    "the second turn alone": ([LATER], ["rivers 7"]),
    "a short later turn alone": (["Why?"], []),
    "a paraphrase": (["In southern Africa, what is the longest river crossing borders of just three nations?"], []),
    "two items": ([RIVER, ZH], ["exam zh", "rivers 7"]),
    "an item of the exam": ([f"{PREAMBLE} What is the 3th root of 337?"], ["exam e3"]),
    "the preamble of many items": ([f"{PREAMBLE} What colour is the sky on Mars?"], []),
    "a question that is mostly boilerplate": (
        [f"{PREAMBLE.replace('graduate', 'college')} Name a prime above ninety."],
        ["exam alone"],
    ),
    "question and choices, lettered": (
        [f"Where is it?\n(A) {CHOICES[0]}\n(B) {CHOICES[1]}\n(C) {CHOICES[2]}\n(D) {CHOICES[3]}\nOne letter."],
        ["exam lobes"],
    ),
    "a question too short to be found inside": (["so what is 37+48? I forgot"], []),
    "a short question": (["What is 37 + 48"], ["exam sum"]),
    "another short question": (["what is 12+5?"], []),
    "chinese": ([f"你好，{ZH}谢谢"], ["exam zh"]),
    **{
        f"boilerplate {n}": ([f"{PREAMBLE.replace('graduate', 'college')} Tell me about the {n}th moon of Saturn."], [])
        for n in range(12)
    },
}


def chats(spark: SparkSession, names: list[str]) -> DataFrame:
    """Rows of ``conversations`` for these planted conversations; a name is the id."""
    message, rows = ("role", "content", "name", "language", "confidence", "keywords", "edits"), []
    for name in names:
        messages = [("system", "Be brief.")]
        for turn in CONVERSATIONS[name][0]:
            messages += [("user", turn), ("assistant", f"An answer to {name}.")]
        labelled = [dict(zip(message, (*said, None, "en", 1.0, [], []), strict=True)) for said in messages]
        digest = hashlib.sha256(name.encode()).hexdigest()
        told = {"reasons": [], "keywords": [], "redacted": False, "quality": 0.5, "turns": 1, "characters": 100}
        rows.append({"conversation_id": name, "source": "chat", "messages": labelled, "digest": digest, **told})
    return spark.createDataFrame(rows, SCHEMAS[tables.CONVERSATIONS])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The benchmark files."""
    made = tmp_path_factory.mktemp("benchmarks")
    (made / "rivers.jsonl").write_text("\n".join(map(json.dumps, QUESTIONS["rivers.jsonl"])))
    (made / "exam.json").write_text(json.dumps(QUESTIONS["exam.json"], indent=1))
    return made


@pytest.fixture(scope="module")
def planted(folder: Path) -> Settings:
    return recipe.load(None, [f"decontaminate.benchmarks={folder}"])


def add(lake: Lake, names: list[str], settings: Settings) -> None:
    """Append these conversations and look for questions in them."""
    lake.write(tables.CONVERSATIONS, chats(lake.spark, names), Lineage("run", "annotate", "test", "", ""))
    assert decontaminate.run(lake, settings, QUIET)


@pytest.fixture(scope="module")
def found(spark: SparkSession, planted: Settings, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Everything at once; tests only read it."""
    lake = open_lake(spark, str(tmp_path_factory.mktemp("lakes") / "found"), create=True)
    add(lake, list(CONVERSATIONS), planted)
    return lake


def hits(lake: Lake) -> dict[str, list[str]]:
    """The items hit by each planted conversation."""
    told: dict[str, list[str]] = {name: [] for name in CONVERSATIONS}
    for row in lake.read(tables.CONTAMINATION).where("hit").collect():
        told[row.conversation_id].append(f"{row.benchmark} {row['item']}")
    return {name: sorted(items) for name, items in told.items()}


def test_planted_questions_are_hits_on_their_items_and_nothing_else_is(found: Lake) -> None:
    assert hits(found) == {name: items for name, (_, items) in CONVERSATIONS.items()}


def test_questions_that_cannot_be_found_are_named(tmp_path: Path) -> None:
    same = [{"id": n, "question": PREAMBLE} for n in range(11)]
    lines = [*same, {"id": "rare", "question": RIVER}, {"id": "mute", "question": "?!"}]
    (tmp_path / "q.json").write_text(json.dumps(lines))
    options = recipe.load(None, [f"decontaminate.benchmarks={tmp_path}"]).decontaminate
    found = decontaminate.unfindable(decontaminate.prepare(read(options), options, "rule"))
    assert found == [f"q {n}" for n in range(11)]
    told = decontaminate._told_lost(found, len(read(options)), options)
    assert told.startswith("11 of 13 questions cannot be found, as more than decontaminate.common = 10 questions have")
    assert told.endswith(": q 0, q 1, q 2, q 3, q 4 ...")
    more = options.model_copy(update={"common": 11})
    assert decontaminate.unfindable(decontaminate.prepare(read(options), more, "rule")) == []


def rows_of(lake: Lake, name: str) -> list[Any]:
    return lake.read(tables.CONTAMINATION).where(F.col("conversation_id") == name).collect()


def test_a_hit_names_overlap_turn_text_and_question(found: Lake) -> None:
    [row] = rows_of(found, "in a later turn")
    assert (row.overlap, row.matched, row.features) == (1.0, 6, 6)
    assert (row.message, row.text, row.question) == (3, f"ok, {RIVER}"[:200], RIVER)
    [split] = rows_of(found, "split in two turns")
    assert (split.overlap, split.message) == (1.0, 1)


def test_boilerplate_of_the_data_is_left_out_of_an_item(found: Lake) -> None:
    [row] = rows_of(found, "a question that is mostly boilerplate")
    assert (row.overlap, row.matched, row.features) == (1.0, 5, 5)
    overlaps = found.read(tables.OVERLAPS).where("item = 'alone'")
    assert {(row.features, len(row.grams)) for row in overlaps.collect()} == {(14, 14), (14, 9)}
    assert overlaps.count() == 13 and found.read(tables.CONTAMINATION).where("item = 'alone'").count() == 1


def test_the_tables_read_alike_in_spark_and_deltalake(found: Lake) -> None:
    for table in (tables.OVERLAPS, tables.CONTAMINATION):
        opened = DeltaTable(found.table_path(table)).to_pyarrow_table()
        assert opened.schema.names == SCHEMAS[table].names
        assert opened.num_rows == found.read(table).count() > 0
        assert all(opened.column(name).null_count == 0 for name in opened.schema.names)


def test_running_again_commits_nothing(found: Lake, planted: Settings) -> None:
    before = found.version(tables.OVERLAPS), found.version(tables.CONTAMINATION)
    assert not decontaminate.run(found, planted, QUIET)
    assert (found.version(tables.OVERLAPS), found.version(tables.CONTAMINATION)) == before


def content(frame: DataFrame) -> list[str]:
    return sorted(map(str, frame.collect()))


@pytest.mark.parametrize(("adaptive", "parts"), [("false", 1), ("true", 5)])
def test_order_partitions_and_plan_change_nothing(found: Lake, planted: Settings, adaptive: str, parts: int) -> None:
    options, spark = planted.decontaminate, found.spark
    items = read(options)
    searched = decontaminate.prepare(items, options, decontaminate.name_rule(items, options))
    spark.conf.set("spark.sql.adaptive.enabled", adaptive)
    try:
        mixed = found.read(tables.CONVERSATIONS).repartition(parts).sortWithinPartitions(F.xxhash64("digest"))
        shared = decontaminate.overlaps(mixed, searched).localCheckpoint()
        assert content(shared) == content(found.read(tables.OVERLAPS))
        judged = decontaminate.judge(shared.repartition(parts), searched.features, options)
        assert content(judged) == content(found.read(tables.CONTAMINATION))
    finally:
        spark.conf.set("spark.sql.adaptive.enabled", "false")


def test_conversations_added_later_are_scanned_alone_and_give_the_same_as_all_at_once(
    spark: SparkSession, found: Lake, planted: Settings, tmp_path: Path
) -> None:
    grown = open_lake(spark, str(tmp_path / "grown"), create=True)
    names = list(CONVERSATIONS)
    add(grown, names[::2], planted)
    first = grown.read(tables.OVERLAPS).count()
    add(grown, names[1::2], planted)
    modes = [
        commit["operationParameters"]["mode"] for commit in DeltaTable(grown.table_path(tables.OVERLAPS)).history()
    ]
    assert modes == ["Append", "Overwrite"]
    assert 0 < first < grown.read(tables.OVERLAPS).count()
    for table in (tables.OVERLAPS, tables.CONTAMINATION):
        assert content(grown.read(table)) == content(found.read(table))


def test_a_stricter_overlap_reads_no_text_again_and_a_new_question_reads_all(
    spark: SparkSession, folder: Path, planted: Settings, tmp_path: Path
) -> None:
    lake = open_lake(spark, str(tmp_path / "changed"), create=True)
    add(lake, ["verbatim", "another short question"], planted)
    strict = recipe.load(None, [f"decontaminate.benchmarks={folder}", "decontaminate.min_overlap=1"])
    assert decontaminate.run(lake, strict, QUIET)
    assert (lake.version(tables.OVERLAPS), lake.version(tables.CONTAMINATION)) == (0, 1)
    (tmp_path / "other.csv").write_text("question\nWhat is 12+5\n")
    other = recipe.load(None, [f"decontaminate.benchmarks={tmp_path / 'other.csv'}"])
    assert decontaminate.run(lake, other, QUIET)
    assert lake.version(tables.OVERLAPS) == 1
    assert {name: items for name, items in hits(lake).items() if items} == {"another short question": ["other 2"]}


def test_dropped_conversations_have_the_reason_and_are_not_kept(
    found: Lake, planted: Settings, spark: SparkSession
) -> None:
    dropped = decontaminate.contaminated(found, planted)
    conversations = found.read(tables.CONVERSATIONS)
    copies = spark.createDataFrame([], SCHEMAS[tables.DUPLICATES])
    verdicts = publish.decide(conversations, copies, planted, dropped)
    named = {row.conversation_id for row in verdicts.where(F.array_contains("reasons", "benchmark")).collect()}
    assert named == {row.conversation_id for row in dropped.collect()}
    assert len(named) == sum(bool(items) for _, items in CONVERSATIONS.values())
    assert verdicts.where("keep").count() == len(CONVERSATIONS) - len(named)


def test_what_is_dropped_for_a_question_is_never_the_row_kept_for_a_copy(
    found: Lake, planted: Settings, tmp_path: Path
) -> None:
    from jobs import dedup

    loose = planted.dedup.model_copy(update={"threshold": 0.4, "related": 0.4})
    planted = planted.model_copy(update={"dedup": loose})
    lake = copy_of(found, tmp_path / "lake")
    assert dedup.run(lake, planted, QUIET)
    gone = {row.conversation_id for row in decontaminate.contaminated(lake, planted).collect()}
    removed = lake.read(tables.DUPLICATES).collect()
    assert "verbatim" in gone and len(removed) > 3  # the boilerplate conversations differ in numbers alone
    assert not gone & {name for row in removed for name in (row.conversation_id, row.kept_id)}


def test_duplicates_are_found_after_a_vacuum_of_the_findings_of_before(
    spark: SparkSession, found: Lake, planted: Settings, tmp_path: Path
) -> None:
    from jobs import dedup

    lake, names = open_lake(spark, str(tmp_path / "lake"), create=True), list(CONVERSATIONS)
    for added in (names[::2], names[1::2]):
        add(lake, added, planted)
        DeltaTable(lake.table_path(tables.CONTAMINATION)).vacuum(0, dry_run=False, enforce_retention_duration=False)
        assert dedup.run(lake, planted, QUIET)
    whole = copy_of(found, tmp_path / "whole")
    assert dedup.run(whole, planted, QUIET)
    assert content(lake.read(tables.DUPLICATES)) == content(whole.read(tables.DUPLICATES))


def test_tagged_conversations_are_published_and_off_asks_for_nothing(found: Lake, planted: Settings) -> None:
    for policy in ("tag", "off"):
        options = planted.decontaminate.model_copy(update={"policy": policy})
        assert decontaminate.contaminated(found, planted.model_copy(update={"decontaminate": options})).isEmpty()
    with pytest.raises(UsageError, match="nothing to look for"):
        decontaminate.run(found, Settings(), QUIET)


def test_findings_under_other_settings_or_of_older_conversations_are_refused(
    spark: SparkSession, found: Lake, planted: Settings, tmp_path: Path
) -> None:
    lake = open_lake(spark, str(tmp_path / "lake"), create=True)
    with pytest.raises(UsageError, match="contamination is missing: run `winnow decontaminate`"):
        decontaminate.contaminated(lake, planted)
    options = planted.decontaminate.model_copy(update={"min_overlap": 0.9})
    with pytest.raises(UsageError, match="has other settings"):
        decontaminate.contaminated(found, planted.model_copy(update={"decontaminate": options}))


def test_findings_of_other_questions_than_the_folder_has_now_are_refused(
    spark: SparkSession, folder: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "benchmarks"
    shutil.copytree(folder, mine)
    settings = recipe.load(None, [f"decontaminate.benchmarks={mine}"])
    lake = open_lake(spark, str(tmp_path / "lake"), create=True)
    add(lake, ["verbatim", "another short question"], settings)
    assert decontaminate.contaminated(lake, settings).count() == 1
    (mine / "other.jsonl").write_text('{"question": "what is 12+5?"}')
    with pytest.raises(UsageError, match="has other settings or questions: run `winnow decontaminate`"):
        decontaminate.contaminated(lake, settings)
    assert decontaminate.run(lake, settings, QUIET)
    assert decontaminate.contaminated(lake, settings).count() == 2


def test_a_wrong_benchmark_is_told_before_any_row_is_read(found: Lake, tmp_path: Path, capfd: Any) -> None:
    (tmp_path / "q.jsonl").write_text('{"question": "ok"}\n{"ask": "what"}\n')
    sets = ["--set", f"decontaminate.benchmarks={tmp_path}"]
    assert main(["decontaminate", "--lake", found.path, *sets]) == InputUnreadable.exit_code
    assert f"{tmp_path}/q.jsonl:2: no question" in capfd.readouterr().err
    assert main(["decontaminate", "--lake", found.path]) == UsageError.exit_code


def test_the_findings_can_be_read_without_spark(found: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--lake", found.path, "--contamination", "--limit", "4"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 12 and told[-3].startswith("hit: ") and told[-2].startswith("  asked: ")
