"""Edits planted in a sample are counted as due only where a bound says so, and as found only where a row went."""

from random import Random

import pytest

from conf import recipe, tables
from conf.settings import Dedup, Settings
from jobs import measure, report
from jobs.lake import Lake
from jobs.progress import Progress
from udfs.edits import EDITS

WORDS = [f"{a}{b}" for a in "bdfgklmnprstvz" for b in ("a", "el", "in", "or", "us", "ay", "ock")]
HAN = [chr(code) for code in range(0x4E00, 0x4E00 + 900)]


def talk(number: int, words: int, alphabet: list[str] = WORDS, space: str = " ") -> tuple[list[str], list[str]]:
    random = Random(number)
    return ["user", "assistant"], [space.join(random.choices(alphabet, k=words)) for _ in range(2)]


TALKS = [
    *(talk(number, 200) for number in range(20)),
    *(talk(number, 90, HAN, "") for number in range(20, 30)),
    *(talk(number, 2) for number in range(30, 40)),
]


@pytest.fixture(scope="module")
def scores() -> list[measure.Score]:
    return measure.measure(TALKS, Dedup())


def test_every_edit_is_planted_in_every_conversation_and_none_is_wrong(scores: list[measure.Score]) -> None:
    for name in EDITS:
        of_edit = [score for score in scores if score.edit == name]
        assert sum(score.planted for score in of_edit) == len(TALKS)
        assert {(score.script, score.length) for score in of_edit} >= {("Latin", "long"), ("Han", "medium")}
    assert not any(score.wrong for score in scores)


def test_what_is_due_is_found(scores: list[measure.Score]) -> None:
    long = [score for score in scores if score.length != "short"]
    assert sum(score.due for score in long) > 100
    assert all(score.found >= 0.95 * score.due for score in long)
    equal = [score for score in scores if score.edit == "case and space"]
    assert sum(score.found for score in equal) == sum(score.due for score in equal) == len(TALKS)


def test_short_conversations_are_due_only_where_they_are_equal(scores: list[measure.Score]) -> None:
    short = [score for score in scores if score.length == "short" and score.edit != "case and space"]
    assert short and sum(score.due for score in short if score.edit.startswith("tokens 6")) <= 10


def test_levels_that_are_off_are_owed_nothing() -> None:
    off = Dedup(snapshot="off", exact="off", near="off", contained="off")
    assert not any(score.due or score.found for score in measure.measure(TALKS[:5], off))


def test_the_same_conversations_give_the_same_scores(scores: list[measure.Score]) -> None:
    assert measure.measure(TALKS, Dedup()) == scores


def test_the_scores_are_kept_with_the_run_and_shown_in_the_funnel(
    lake: Lake, smoke: Settings, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    import shutil

    from jobs.lake import open_lake

    folder = tmp_path_factory.mktemp("measured") / "lake"
    shutil.copytree(lake.path, folder)
    copy = open_lake(lake.spark, str(folder))
    assert measure.run(copy, smoke, Progress(None, "test"))
    assert not measure.run(copy, smoke, Progress(None, "test"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("planted edit") and any(line.startswith("tokens 3 %") for line in lines)
    rows = copy.read(tables.MEASURES).collect()
    assert sum(row.found for row in rows) > 0 and not any(row.wrong for row in rows)
    assert any(line.startswith("planted duplicates found") for line in report.funnel(copy))
    assert recipe.digest(recipe.sections(smoke, "dedup")) == copy.lineage(tables.MEASURES).config_digest
