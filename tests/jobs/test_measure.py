"""Edits planted in a sample are counted as due only where a bound says so, and as found only where a row went."""

import shutil
from pathlib import Path
from random import Random

import numpy as np
import pytest
from pyspark.sql import SparkSession

from conf import tables
from conf.duplicates import Dedup
from conf.settings import Settings
from jobs import report
from jobs.duplicates import measure, planted
from jobs.duplicates.planted import Score, Seen
from jobs.lake import Lake, open_lake
from jobs.progress import Progress
from tests.udfs.shingling import shingles_of
from udfs.perturbations import EDITS

WORDS = [f"{a}{b}" for a in "bdfgklmnprstvz" for b in ("a", "el", "in", "or", "us", "ay", "ock")]
HAN = [chr(code) for code in range(0x4E00, 0x4E00 + 900)]
OFF = Dedup(snapshot="off", exact="off", near="off", contained="off")


def talk(number: int, words: int, alphabet: list[str] = WORDS, space: str = " ") -> tuple[list[str], list[str]]:
    random = Random(number)
    return ["user", "assistant"], [space.join(random.choices(alphabet, k=words)) for _ in range(2)]


TALKS = [
    *(talk(number, 200) for number in range(20)),
    *(talk(number, 90, HAN, "") for number in range(20, 30)),
    *(talk(number, 20) for number in range(30, 40)),
]
SHORT = range(30, 40)
"""Where the short ones are: edits of words change one in each message, which mostly is too many."""


@pytest.fixture(scope="module")
def scores() -> list[Score]:
    return planted.measure(TALKS, Dedup())


def test_every_edit_is_planted_in_every_conversation_and_all_that_is_removed_is_rightly_so(scores: list[Score]) -> None:
    for name in EDITS:
        of_edit = [score for score in scores if score.edit == name]
        assert sum(score.planted for score in of_edit) == len(TALKS)
        assert {(score.script, score.length) for score in of_edit} == {
            *(("Latin", "long"), ("Han", "medium"), ("Latin", "short")),
        }
        assert all(score.found <= score.removed for score in of_edit)
    assert not any(score.wrong for score in scores)


def test_what_is_due_is_found(scores: list[Score]) -> None:
    long = [score for score in scores if score.length != "short"]
    assert sum(score.due for score in long) > 100
    assert all(score.found >= 0.95 * score.due for score in long)
    for name in ("case and space", "continued"):
        always = [score for score in scores if score.edit == name]
        assert sum(score.found for score in always) == sum(score.due for score in always) == len(TALKS)


def test_a_conversation_that_goes_on_in_another_is_owed_by_level_snapshot() -> None:
    beginnings = OFF.model_copy(update={"snapshot": "drop"})
    scores = {score.edit: (score.due, score.found) for score in planted.measure(TALKS[:5], beginnings)}
    assert scores.pop("continued") == (5, 5) and set(scores.values()) == {(0, 0)}


@pytest.mark.parametrize("name", ["tokens 3 %", "tokens 6 %"])
def test_short_conversations_with_other_words_are_due_only_where_enough_shingles_are_the_same(
    scores: list[Score], name: str
) -> None:
    due = 0
    for at in SHORT:
        changed = EDITS[name](TALKS[at][1], TALKS[at - 1][1], Random(f"{name}{at}"))
        one, other = (shingles_of(texts, 5) for texts in (TALKS[at][1], changed))
        due += len(one & other) / len(one | other) >= Dedup().threshold
    (short,) = (score for score in scores if score.length == "short" and score.edit == name)
    assert (short.due, short.found, short.removed) == (due, due, due)
    assert due < len(SHORT) / 2


def test_another_short_answer_is_not_owed_by_level_contained() -> None:
    contained = OFF.model_copy(update={"contained": "drop", "containment": 0.7})
    talks = [(roles, [question, " ".join(answer.split()[:18])]) for roles, (question, answer) in TALKS[:20]]
    due = {score.edit: score.due for score in planted.measure(talks, contained)}
    assert 0 < due["tokens 3 %"] < due["continued"] == len(talks)


def test_levels_that_are_off_are_owed_nothing() -> None:
    assert not any(score.due or score.found or score.removed for score in planted.measure(TALKS[:5], OFF))


def test_equal_messages_are_due_at_level_near_too_where_exact_is_off() -> None:
    near = [score for score in planted.measure(TALKS[:5], Dedup(exact="off")) if score.edit == "case and space"]
    assert [(score.due, score.found) for score in near] == [(5, 5)]


def test_the_same_conversations_give_the_same_scores(scores: list[Score]) -> None:
    assert planted.measure(TALKS, Dedup()) == scores


def test_without_conversations_nothing_is_planted_and_a_line_says_so() -> None:
    assert planted.measure([], Dedup()) == []
    assert measure.as_lines([]) == ["nothing was planted: no conversation has a message"]


def seen(*said: str, shingles: range = range(20), closing: range | None = None) -> Seen:
    whole, last = (np.array(each, np.uint32) for each in (shingles, closing or shingles[-4:]))
    return Seen([("user", text) for text in said], whole, last, "Latin")


def test_equal_messages_that_no_verdict_removed_are_due_and_not_found() -> None:
    (score,) = planted.score("case and space", [seen("a"), seen("a")], [None, None], Dedup())
    assert (score.due, score.found, score.removed, score.wrong) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("level", "row", "kept", "is_right"),
    [
        ("exact", seen("a", "b"), seen("a", "b"), True),
        ("exact", seen("a", "b"), seen("ab"), False),  # the same shingles, other messages
        ("snapshot", seen("a"), seen("a", "b", shingles=range(90)), True),
        ("snapshot", seen("a", "b"), seen("a", "b"), False),
        ("snapshot", seen("b"), seen("a", "b"), False),
        ("snapshot", seen("a", "b"), seen("a"), False),
        ("near", seen("a", shingles=range(14)), seen("b"), True),
        ("near", seen("a", shingles=range(13)), seen("b"), False),
        ("near", seen("a", shingles=range(5)), seen("b", shingles=range(5)), False),  # too few to compare
        ("contained", seen("a", shingles=range(2, 20)), seen("b", shingles=range(99)), True),
        ("contained", seen("a", shingles=range(2, 22), closing=range(17, 21)), seen("b"), True),
        ("contained", seen("a", shingles=range(2, 22), closing=range(18, 22)), seen("b"), False),  # its end is not
        ("contained", seen("a", shingles=range(15, 25)), seen("b"), False),
        ("contained", seen("a", shingles=range(22)), seen("b"), False),  # the larger stays
    ],
)
def test_a_removal_is_right_only_where_the_bound_of_its_level_holds(
    level: str, row: Seen, kept: Seen, is_right: bool
) -> None:
    (score,) = planted.score("none", [row, kept], [(level, 1), None], Dedup())
    assert (score.removed, score.wrong) == (1, not is_right)


def test_recall_and_precision_stand_by_edit_and_by_class_and_what_is_weak_by_both() -> None:
    scores = [Score("e", "Han", "long", 9, 8, 8, 10, 0), Score("e", "Latin", "short", 9, 8, 6, 10, 1)]
    lines = [" ".join(line.split()) for line in measure.as_lines(scores)]
    assert lines == [
        "planted edit planted due found recall removed wrong precision",
        "e 18 16 14 87.50% 20 1 95.00%",
        "in conversations",
        "Han, long 9 8 8 100.00% 10 0 100.00%",
        "Latin, short 9 8 6 75.00% 10 1 90.00%",
        "of these",
        "e: Latin, short 9 8 6 75.00% 10 1 90.00%",
    ]


@pytest.fixture
def copy(lake: Lake, tmp_path: Path) -> Lake:
    shutil.copytree(lake.path, tmp_path / "lake")
    return open_lake(lake.spark, str(tmp_path / "lake"))


def ask(lake: Lake, settings: Settings) -> bool:
    return measure.run(lake, settings, Progress(None, "test"))


def measured(lake: Lake) -> list[str]:
    """The lines of the funnel about planted copies."""
    lines = report.funnel(lake)
    starts = [at for at, line in enumerate(lines) if line.startswith("planted copies")]
    return lines[starts[0] : -2] if starts else []


def test_the_scores_are_kept_with_the_run_and_shown_in_the_funnel(
    copy: Lake, smoke: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measured(copy) == []
    assert ask(copy, smoke) and not ask(copy, smoke)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("planted edit") and any(line.startswith("tokens 3 %") for line in lines)
    scores = measure.stored(copy)
    assert sum(score.found for score in scores) > 0 and not any(score.wrong for score in scores)
    total, *classes = measured(copy)
    assert total.split()[-2:] == list(measure.shares(scores)) and total.endswith(" 100.00%")
    assert [line[: report._WIDTH].strip() for line in classes] == list(measure.by_class(scores))
    assert copy.lineage(tables.MEASURES).config_digest == copy.lineage(tables.CLUSTERS).config_digest


def test_the_funnel_has_no_recall_of_other_settings(copy: Lake, smoke: Settings) -> None:
    other = smoke.dedup.model_copy(update={"threshold": 0.9})
    assert ask(copy, smoke.model_copy(update={"dedup": other}))
    assert measured(copy) == []


def test_the_funnel_has_no_recall_of_other_conversations(copy: Lake, smoke: Settings) -> None:
    rows = copy.read(tables.CONVERSATIONS)
    copy.write(tables.CONVERSATIONS, rows.limit(50), copy.lineage(tables.CONVERSATIONS), "overwrite")
    assert ask(copy, smoke)
    assert measured(copy) == []


def test_scores_of_an_older_table_without_a_column_give_way(copy: Lake, smoke: Settings) -> None:
    older = copy.spark.createDataFrame([("e", 1)], "edit string, due bigint")
    older.write.format("delta").save(copy.table_path(tables.MEASURES))
    assert ask(copy, smoke)
    assert len(measured(copy)) > 1


def test_a_lake_without_conversations_is_measured_without_an_error(
    spark: SparkSession, smoke: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = open_lake(spark, str(tmp_path / "lake"), create=True)
    assert ask(empty, smoke) and not ask(empty, smoke)
    assert capsys.readouterr().out.splitlines() == 2 * ["nothing was planted: no conversation has a message"]
    assert measure.stored(empty) == []
