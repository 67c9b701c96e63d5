"""Long conversations in parts and short ones joined: nothing is lost, and all can be put back."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql.functions import expr

from conf import recipe, tables
from conf.settings import Publish, Settings
from jobs import dedup, digests, personas, publish, report, shaping, unshaping
from jobs.cli import main
from jobs.duplicates import against
from jobs.errors import GateFailed, LakeDamaged, UsageError
from jobs.lake import Lake, open_lake
from jobs.ledger import Run, lineage
from jobs.progress import Progress
from jobs.tables import SCHEMAS
from tests.vocabularies import write_tokenizer
from training import corpus
from udfs.delta import versions

QUIET = Progress(None, "test")
Chat = list[tuple[str, str, str | None]]


def exchange(number: int, words: int = 3, name: str | None = None) -> Chat:
    return [("user", f"question {number} " + "word " * words, None), ("assistant", f"answer {number}", name)]


SYSTEM: Chat = [("system", "You are Ada.", None)]
CHATS: dict[str, tuple[Chat, dict[str, Any]]] = {
    "long": (SYSTEM + [one for number in range(9) for one in exchange(number)], {"copies": 3}),
    "long without a system message": ([one for number in range(9) for one in exchange(number)], {}),
    "long with tools": (
        [("assistant", "Hello!", None)]
        + [
            one
            for number in range(6)
            for one in [*exchange(number), ("tool", "42", None), ("assistant", "It is 42.", None)]
        ],
        {},
    ),
    "one long exchange": (exchange(1, 200), {"model": "alone"}),
    "a long exchange between": (exchange(1) + exchange(2, 200) + exchange(3), {}),
    "short of two": (exchange(1) + exchange(2), {}),
    "nothing": ([], {}),
    "only a system message": (SYSTEM, {}),
    "unanswered": ([*SYSTEM, ("user", "question 5", None)], {}),
    **{f"ada {number}": (SYSTEM + exchange(number), {"copies": number + 1}) for number in range(7)},
    **{f"held out {number}": (SYSTEM + exchange(number), {"split": "eval"}) for number in range(2)},
    **{f"samantha {number}": (exchange(number, name="Samantha"), {}) for number in range(3)},
    **{f"french {number}": (exchange(number), {"language": "fr"}) for number in range(2)},
    **{f"of a model {number}": (exchange(number), {"model": "m"}) for number in range(2)},
    "of another model": (exchange(1), {"model": "n"}),
    **{f"of a source {number}": (exchange(number), {"source": "other"}) for number in range(2)},
    **{f"two system messages {number}": (SYSTEM + SYSTEM + exchange(number), {}) for number in range(2)},
    "a system message between": (SYSTEM + exchange(8)[:1] + SYSTEM + exchange(8)[1:], {}),
}


@pytest.fixture(scope="module")
def conversations(spark: SparkSession) -> DataFrame:
    rows = []
    for name, (chat, told) in CHATS.items():
        messages = [dict(zip(("role", "content", "name"), one, strict=True)) for one in chat]
        facts = {"source": "chat", "language": "en", "model": None, **told}
        rows.append(
            {"conversation_id": name, "messages": [{**one, "edits": []} for one in messages], **facts, "digest": name}
        )
    frame = spark.createDataFrame(rows, SCHEMAS[tables.CONVERSATIONS])
    return frame.withColumn("digest", digests.content_digest()).localCheckpoint()


@pytest.fixture(scope="module")
def kept(spark: SparkSession, conversations: DataFrame) -> DataFrame:
    """The same as rows of the dataset."""
    rows = [
        {
            **{name: row[name] for name in ("conversation_id", "source", "model", "language", "digest")},
            "messages": [{"role": one["role"], "content": one["content"]} for one in row["messages"]],
            "split": CHATS[row["conversation_id"]][1].get("split", "train"),
            "copies": CHATS[row["conversation_id"]][1].get("copies", 1),
            "made_of": [{"conversation_id": row["conversation_id"], "part": None}],
        }
        for row in conversations.collect()
    ]
    return spark.createDataFrame(rows, SCHEMAS[tables.DATASET]).localCheckpoint()


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_tokenizer(tmp_path_factory.mktemp("tokenizer") / "tokenizer.json")


@pytest.fixture(scope="module")
def wanted(tokenizer: str) -> shaping.Shaping:
    """Parts of 120 tokens, rows of 3 exchanges: a byte is a token here, and a message costs none."""
    found = shaping.prepare(
        Publish(tokenizer=tokenizer, message_tokens=0, split_long=120, merge_short={"exchanges": 3})
    )
    assert found is not None
    return found


@pytest.fixture(scope="module")
def shaped(kept: DataFrame, conversations: DataFrame, wanted: shaping.Shaping) -> DataFrame:
    return shaping.shape(kept, conversations, wanted).localCheckpoint()


def by_origin(rows: DataFrame) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows.collect():
        for origin in row["made_of"]:
            found.setdefault(origin["conversation_id"], []).append(row)
    return {name: sorted(rows, key=lambda row: row["made_of"][0]["part"] or 0) for name, rows in found.items()}


def texts(row: Row) -> list[tuple[str, str]]:
    return [(one["role"], one["content"]) for one in row["messages"]]


def test_a_long_conversation_becomes_parts_within_the_limit_each_with_its_system_message(shaped: DataFrame) -> None:
    rows = by_origin(shaped)
    for name in ("long", "long without a system message", "long with tools", "a long exchange between"):
        parts = rows[name]
        head = [one[:2] for one in CHATS[name][0] if one[0] == "system"]
        said = [message for row in parts for message in texts(row)[len(head) :]]
        assert said == [one[:2] for one in CHATS[name][0] if one[0] != "system"]
        assert all(texts(row)[: len(head)] == head for row in parts)
        assert [list(map(tuple, row["made_of"])) for row in parts] == [[(name, n + 1)] for n in range(len(parts))]
        sizes = [sum(len(text) for _, text in texts(row)) for row in parts]
        assert all(size <= 120 or len(row["messages"]) == 2 for size, row in zip(sizes, parts, strict=True))
        assert {row["copies"] for row in parts} == {CHATS[name][1].get("copies", 1)}
    assert len(rows["long"]) == 3


def test_short_ones_are_joined_only_with_their_like(shaped: DataFrame) -> None:
    found = Counter()
    for row in {row["conversation_id"]: row for rows in by_origin(shaped).values() for row in rows}.values():
        names = [origin["conversation_id"] for origin in row["made_of"]]
        if len(names) > 1:
            found[len(names), names[0].rstrip("0123456789")] += 1
            assert len({name.rstrip("0123456789") for name in names}) == 1
            assert row["copies"] == sum(CHATS[name][1].get("copies", 1) for name in names)
            assert row["split"] == CHATS[names[0]][1].get("split", "train")
    kinds = ("held out ", "french ", "of a model ", "of a source ", "two system messages ")
    assert found == {(3, "ada "): 2, (3, "samantha "): 1, **{(2, kind): 1 for kind in kinds}}


def test_what_is_neither_long_nor_short_is_left_as_it_was(kept: DataFrame, shaped: DataFrame) -> None:
    names = ("one long exchange", "short of two", "nothing", "only a system message", "unanswered", "of another model")
    before, after = by_origin(kept), by_origin(shaped)
    assert [after[name] for name in names] == [before[name] for name in names]


def test_all_can_be_put_back_as_it_was(kept: DataFrame, shaped: DataFrame) -> None:
    was = {row["conversation_id"]: (texts(row), row["digest"]) for row in kept.collect()}
    found = unshaping.conversations(shaped).collect()
    assert {row["conversation_id"]: (texts(row), row["digest"]) for row in found} == was
    assert len(found) == len(was)
    assert unshaping.conversations(kept).count() == len(was)


def test_the_order_and_the_partitions_of_rows_change_nothing(
    kept: DataFrame, conversations: DataFrame, shaped: DataFrame, wanted: shaping.Shaping
) -> None:
    other = shaping.shape(kept.repartition(5), conversations.orderBy("digest"), wanted)
    assert sorted(map(repr, other.collect())) == sorted(map(repr, shaped.collect()))


def test_the_account_closes_and_a_lost_altered_or_doubled_row_is_refused(kept: DataFrame, shaped: DataFrame) -> None:
    counts = shaping.account(kept, shaped)
    assert kept.count() == counts["rows"] + counts["joined"] - counts["parts"]
    assert counts["rows"] == shaped.count() and counts["joined"] == 11 and counts["parts"] == 8
    spoilt = {
        "conversations": shaped.where("conversation_id != 'unanswered'"),
        "turns": shaped.withColumn("messages", expr("slice(messages, 1, greatest(2, size(messages) - 1))")),
        "hashes": shaped.withColumn(
            "messages", expr("transform(messages, m -> struct(m.role, upper(m.content) as content))")
        ),
        "ids": shaped.withColumn("conversation_id", expr("split(conversation_id, '#')[0]")),
    }
    for problem, rows in spoilt.items():
        with pytest.raises(LakeDamaged, match=f"{problem}.*nothing was published"):
            shaping.account(kept, rows)


@pytest.fixture(scope="module")
def options(smoke: Settings, tokenizer: str) -> Settings:
    sets = ("publish.split_long=700", "publish.merge_short={exchanges: 4, tokens: 600}", "dedup.persona_conflict=tag")
    return recipe.load("smoke", [*sets, f"publish.tokenizer={tokenizer}"])


@pytest.fixture(scope="module")
def reshaped(spark: SparkSession, lake: Lake, options: Settings, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The small lake with rows of another cut and persona conflicts, published twice."""
    folder = tmp_path_factory.mktemp("lakes") / "shaped"
    shutil.copytree(lake.path, folder)
    copy = open_lake(spark, str(folder))
    assert dedup.run(copy, options, QUIET) and publish.run(copy, options, QUIET)
    assert not dedup.run(copy, options, QUIET) and not publish.run(copy, options, QUIET)
    return copy


def test_a_published_version_of_parts_and_joined_rows_holds_what_a_plain_one_does(lake: Lake, reshaped: Lake) -> None:
    plain = {row["conversation_id"]: row["digest"] for row in lake.read(tables.DATASET).collect()}
    rows = reshaped.read(tables.DATASET)
    found = unshaping.conversations(rows).collect()
    assert {row["conversation_id"]: row["digest"] for row in found} == plain
    assert len(found) == len(plain) != rows.count()
    opened = corpus.open_version(reshaped.path)
    assert corpus.verify(opened) == opened.digest == digests.dataset_digest(rows)


def test_a_dataset_of_parts_and_joined_rows_is_compared_with_by_its_conversations(
    lake: Lake, reshaped: Lake, smoke: Settings
) -> None:
    settings = smoke.model_copy(update={"dedup": smoke.dedup.model_copy(update={"against": "shaped"})})
    found = against.signatures(lake, (reshaped.path, versions.resolve(reshaped.path)), settings).collect()
    plain = lake.read(tables.DATASET).select("conversation_id", "digest").collect()
    assert {(row["conversation_id"], row["digest"]) for row in found} == {
        (f"shaped/{name}", one) for name, one in plain
    }
    assert len(found) == len(plain)


def test_the_funnel_says_what_became_of_the_kept_and_closes(reshaped: Lake) -> None:
    lines = report.funnel(reshaped)
    counts = next(run.counts for run in reshaped.read(tables.RUNS).collect()[::-1] if "joined" in run.counts)
    assert counts["joined"] > 0 and counts["parts"] > 0
    rows, joined, parts = (f"{counts[name]:,}" for name in ("rows", "joined", "parts"))
    assert f"{counts['kept']:,} kept = {rows} rows + {joined} joined - {parts} further parts" in lines
    assert " = " in lines[-1]


def test_the_gate_of_rows_asks_for_rows_as_cut_and_joined(reshaped: Lake, options: Settings) -> None:
    rows, kept = reshaped.read(tables.DATASET).count(), reshaped.read(tables.VERDICTS).where("keep").count()

    def asking(least: int) -> Settings:
        gates = options.publish.gates.model_copy(update={"min_rows": least})
        return options.model_copy(update={"publish": options.publish.model_copy(update={"gates": gates})})

    assert rows != kept and not publish.run(reshaped, asking(rows), QUIET)
    with pytest.raises(GateFailed, match=rf"{rows:,} rows to publish, below publish.gates.min_rows = {rows + 1:,}"):
        publish.run(reshaped, asking(rows + 1), QUIET)


def test_rows_lie_on_the_side_of_their_conversations(lake: Lake, reshaped: Lake) -> None:
    sides = {row["conversation_id"]: row["split"] for row in lake.read(tables.DATASET).collect()}
    rows = reshaped.read(tables.DATASET).collect()
    assert all(row["split"] == sides[origin["conversation_id"]] for row in rows for origin in row["made_of"])


def test_conflicts_are_the_kept_conversations_whose_question_another_persona_answers(
    lake: Lake, reshaped: Lake
) -> None:
    rows = reshaped.read(tables.CONFLICTS).collect()
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["question"], []).append(row)
    assert groups and len({row["conversation_id"] for row in rows}) == len(rows)
    for members in groups.values():
        count = len({row["persona"] for row in members})
        assert count > 1 and {(row["personas"], row["conversations"]) for row in members} == {(count, len(members))}
    assert {row["conversation_id"] for row in rows} <= {
        row["conversation_id"] for row in lake.read(tables.DATASET).collect()
    }
    assert reshaped.read(tables.VERDICTS).where("keep").count() == lake.read(tables.VERDICTS).where("keep").count()


def test_rows_and_conflicts_can_be_looked_at_without_spark(reshaped: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "--lake", reshaped.path, "--limit", "100000", "--verify"]) == 0
    told = capsys.readouterr().out
    assert " part=2 source=" in told and " made_of=2 source=" in told
    assert main(["show", "--lake", reshaped.path, "--conflicts", "--limit", "1"]) == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert " personas, " in first and len(others) == int(first.split()[0].replace(",", "")) >= 2


def test_with_both_off_again_the_dataset_is_the_plain_one(lake: Lake, reshaped: Lake) -> None:
    assert publish.run(reshaped, recipe.load("smoke", ["dedup.persona_conflict=tag"]), QUIET)
    assert reshaped.lineage(tables.DATASET).digest == lake.lineage(tables.DATASET).digest


def test_conflicts_that_are_not_asked_for_any_more_are_gone(reshaped: Lake, smoke: Settings) -> None:
    with Run(reshaped, smoke, lineage("dedup", smoke, smoke.dedup, {})) as job:
        personas.write(reshaped, job, reshaped.read(tables.CONVERSATIONS), smoke.dedup, QUIET)
    assert reshaped.read(tables.CONFLICTS).isEmpty()


@pytest.mark.parametrize("content", [None, "{}"])
def test_a_tokenizer_that_cannot_be_loaded_is_told_before_the_lake_is_opened(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_text(content)
    sets = ("--set", f"publish.tokenizer={path}", "--set", "publish.split_long=100")
    assert main(["publish", "--lake", str(tmp_path / "no lake"), *sets]) == UsageError.exit_code
    assert f"winnow: publish.tokenizer: {path}: " in capsys.readouterr().err
