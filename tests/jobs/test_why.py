"""``winnow why`` and ``winnow diff``: asked of a real lake with two versions, without Spark."""

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from conf import tables
from jobs import cli, differences
from jobs.lake import Lake, open_lake
from jobs.why import why
from tests.jobs.test_dedup import edited, told
from tests.jobs.test_reruns import chats, run, settings_of
from udfs.delta.lake import WRONG_CHOICE, LakeError
from udfs.delta.versions import resolve

LONG = told(1, 90)
TEXTS = {"long": LONG, "near": edited(LONG, 30), "cut": " ".join(LONG.split()[:50]), "other": told(2, 80)}
LOOSE = ("publish.eval_share=0", "dedup.survivor=[characters]")
STRICT = (*LOOSE, "dedup.threshold=0.99", "dedup.contained=off")


@pytest.fixture(scope="module")
def lake(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Version 0 by the first settings, version 1 by the second: the same conversations, fewer duplicates."""
    folder = tmp_path_factory.mktemp("why")
    made = open_lake(spark, str(folder / "lake"), create=True)
    file = chats(folder / "a.jsonl", *TEXTS.values())
    for sets in (LOOSE, STRICT):
        run(made, settings_of(*sets), file)
    return made


@pytest.fixture(scope="module")
def ids(lake: Lake) -> dict[str, str]:
    """The conversation_id of each of the texts."""
    rows = lake.read(tables.CONVERSATIONS).collect()
    found = {row.messages[1].content: row.conversation_id for row in rows}
    return {name: found[text] for name, text in TEXTS.items()}


def lines_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert cli.main(list(arguments)) == 0
    return capsys.readouterr().out.splitlines()


def test_of_a_removed_row_the_kept_one_is_named_with_its_score_and_both_are_shown(
    lake: Lake, ids: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = lake.read(tables.DUPLICATES, 0).where(f"conversation_id = '{ids['near']}'").collect()
    lines = lines_of(capsys, "why", ids["near"], "--lake", lake.path, "--version", "0")
    assert lines[0] == f"{ids['near']} is not in version 0: near_duplicate"
    score = f"{row.similarity:.3f}, {row.bands_shared} bands shared, with {ids['long']}"
    assert lines[1] == f"  near: {score}, rule {row.rule}"
    shown = [line.split()[0] for line in lines if line and not line.startswith(" ")]
    assert shown == [ids["near"], ids["near"], ids["long"]]


def test_each_version_is_asked_about_by_what_was_decided_for_it(
    lake: Lake, ids: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = lines_of(capsys, "why", ids["near"], "--lake", lake.path)
    assert lines[0] == f"{ids['near']} is in version 1: {ids['near']}, split train, copies 1"
    told = "  nearest that stayed at level near: 0."
    assert any(line.startswith(told) and line.endswith(ids["long"]) for line in lines)
    assert why(resolve(lake.path, version=0), ids["near"]).published == []


def test_a_kept_row_says_what_it_stays_for(lake: Lake, ids: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    lines = lines_of(capsys, "why", ids["long"], "--lake", lake.path, "--version", "0")
    assert lines[0].endswith(f"{ids['long']}, split train, copies 3")
    assert {line.split(": ")[0] for line in lines[1:3]} == {f"  stays for {ids[name]}" for name in ("near", "cut")}
    assert {line.split(": ")[1] for line in lines[1:3]} == {"near", "contained"}


def test_an_id_that_was_not_judged_is_a_usage_error(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["why", "nobody", "--lake", lake.path]) == 2
    assert "no conversation nobody was judged for version 1" in capsys.readouterr().err


def test_two_versions_differ_by_what_came_and_went_with_the_reasons_and_by_their_settings(
    lake: Lake, ids: dict[str, str]
) -> None:
    before, after = (resolve(lake.path, version=number) for number in (0, 1))
    found = differences.compare(before, after)
    assert found.came == {ids["near"]: "near_duplicate", ids["cut"]: "contained_duplicate"}
    assert list(found.came) == sorted(found.came)
    assert (found.went, found.text, found.split, found.copies) == ({}, [], [], [ids["long"]])
    assert found.settings == {"dedup.threshold": (0.7, 0.99), "dedup.contained": ("drop", "off")}
    assert differences.compare(after, before).went == found.came
    assert differences.compare(before, before) == differences.Difference({}, {}, [], [], [], {})


def test_the_printed_difference_has_counts_reasons_and_some_ids(
    lake: Lake, ids: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    first = min(ids["near"], ids["cut"])
    reason = "near_duplicate" if first == ids["near"] else "contained_duplicate"
    assert lines_of(capsys, "diff", "0", "1", "--lake", lake.path, "--limit", "1") == [
        "version 0 -> 1: 2 -> 4 rows",
        '  dedup.contained: "drop" -> "off"',
        "  dedup.threshold: 0.7 -> 0.99",
        "        2 came",
        "            1 before: contained_duplicate",
        "            1 before: near_duplicate",
        f"              {first}  {reason}",
        "        0 went",
        "        0 other text",
        "        0 other split",
        "        1 other copies",
        f"              {ids['long']}",
    ]


@pytest.mark.parametrize("name", ["7", "nowhere"])
def test_a_version_that_is_not_there_is_a_usage_error(lake: Lake, name: str) -> None:
    with pytest.raises(LakeError) as raised:
        differences.run_diff(cli._parser().parse_args(["diff", "0", name, "--lake", lake.path]))
    assert raised.value.exit_code == WRONG_CHOICE


def test_a_conversation_that_was_joined_with_others_is_found_in_the_row_they_became(
    spark: SparkSession, tmp_path: Path
) -> None:
    made = open_lake(spark, str(tmp_path / "lake"), create=True)
    file = chats(tmp_path / "a.jsonl", *(told(number, 60) for number in range(5)))
    run(made, settings_of(*LOOSE, "publish.merge_short={exchanges: 3}"), file)
    joined = [row for row in made.read(tables.DATASET).collect() if len(row.made_of) > 1]
    assert joined
    for row in joined:
        for origin in row.made_of:
            (found,) = why(resolve(made.path), origin.conversation_id).published
            assert found["conversation_id"] == row.conversation_id
