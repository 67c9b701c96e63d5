"""Commands given again: with other settings, other files, or in another order than the journey's."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from conf import recipe, tables
from conf.settings import Settings
from jobs import annotate, cli, dedup, ingest, publish
from jobs.errors import InputUnreadable, UsageError
from jobs.lake import Lake, open_lake
from jobs.progress import Progress
from tests.jobs.copies import copy_of
from udfs.delta.versions import read_pins, resolve

QUIET = Progress(None, "test")
PLAIN = ("dedup.prompt.policy=off", "dedup.template.policy=off", "publish.gates.max_quarantined=1")
TEXT = "The old bridge over the river was closed in spring because two of its pillars had cracks that nobody had seen."


def chats(file: Path, *texts: str, first: int = 0) -> str:
    """A file of one conversation for each text."""
    rows = [
        {
            "conversation_id": f"c{number}",
            "messages": [{"role": "user", "content": "Tell me."}, {"role": "assistant", "content": text}],
        }
        for number, text in enumerate(texts, first)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def settings_of(*sets: str) -> Settings:
    return recipe.load(None, [*PLAIN, *sets])


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Lake:
    return open_lake(spark, str(tmp_path / "lake"), create=True)


def run(lake: Lake, settings: Settings, *inputs: str) -> list[bool]:
    jobs = (annotate.run, dedup.run, publish.run)
    return [ingest.run(lake, settings, inputs, QUIET), *(job(lake, settings, QUIET) for job in jobs)]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three chats, of which two are the same."""
    return chats(tmp_path_factory.mktemp("reruns") / "a.jsonl", TEXT, TEXT.upper(), f"{TEXT} Nobody knew why.")


@pytest.fixture(scope="module")
def published(spark: SparkSession, file: str, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake that was given that file; tests go on from a copy."""
    made = open_lake(spark, str(tmp_path_factory.mktemp("published") / "lake"), create=True)
    run(made, settings_of(), file)
    return made


def counted(lake: Lake) -> dict[str, int]:
    return {table: lake.read(table).count() for table in (tables.CONVERSATIONS_RAW, tables.QUARANTINE, tables.FILES)}


def test_files_are_read_again_under_other_settings_and_what_the_first_made_of_them_goes(lake: Lake, tmp_path: Path):
    files = chats(tmp_path / "a.jsonl", TEXT, TEXT * 20), chats(tmp_path / "b.jsonl", "Short.", first=2)
    small, large = settings_of("input.max_record_bytes=1000"), settings_of("input.max_record_bytes=100000")
    assert ingest.run(lake, small, files, QUIET)
    assert counted(lake) == {tables.CONVERSATIONS_RAW: 2, tables.QUARANTINE: 1, tables.FILES: 2}
    assert run(lake, large, *files) == [True, True, True, True]
    assert counted(lake) == {tables.CONVERSATIONS_RAW: 3, tables.QUARANTINE: 0, tables.FILES: 2}
    split_otherwise = settings_of("input.max_record_bytes=100000", "input.split_bytes=1000")
    assert not ingest.run(lake, split_otherwise, files, QUIET)
    assert ingest.run(lake, settings_of("input.format=alpaca"), files[:1], QUIET)
    assert counted(lake) == {tables.CONVERSATIONS_RAW: 1, tables.QUARANTINE: 2, tables.FILES: 2}


def test_a_copy_is_read_again_when_the_record_it_equals_may_go(lake: Lake, tmp_path: Path):
    long, both, more = tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "c.jsonl"
    chats(long, TEXT)
    blank = " " * 2000  # between two fields: a longer record of the same content
    long.write_text(long.read_text().replace('"messages"', f'{blank}"messages"'))
    chats(both, TEXT, "Short.")
    chats(more, "Short.", first=1)
    large, small = settings_of("input.max_record_bytes=100000"), settings_of("input.max_record_bytes=1000")
    for file in (long, both, more):
        ingest.run(lake, large, [str(file)], QUIET)
    assert counted(lake) == {tables.CONVERSATIONS_RAW: 2, tables.QUARANTINE: 2, tables.FILES: 3}
    for given, missing in ([long], "b"), ([long, both], "c"):  # what is left out of c may go with b
        with pytest.raises(UsageError, match=rf"1 are not, such as .*{missing}\.jsonl"):
            ingest.run(lake, small, [str(file) for file in given], QUIET)
    assert ingest.run(lake, small, [str(long), str(both), str(more)], QUIET)
    rows = {row.conversation_id: Path(row.file).name for row in lake.read(tables.CONVERSATIONS_RAW).collect()}
    assert rows["c0"] == "b.jsonl" and set(rows) == {"c0", "c1"}
    refused = sorted(row.reason for row in lake.read(tables.QUARANTINE).collect())
    assert refused == ["duplicate_record", "record_too_large"]


def test_answers_that_lacked_their_questions_are_read_again_when_there_are_others(lake: Lake, tmp_path: Path):
    folder = tmp_path / "mt"
    answers, questions = folder / "model_answer" / "m.jsonl", folder / "question.jsonl"
    answers.parent.mkdir(parents=True)
    rows = [{"question_id": n, "model_id": "m", "choices": [{"turns": [f"Answer {n}."]}]} for n in (81, 82)]
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for known, given in ((), folder), ((81,), folder), ((81, 83), answers.parent), ((81, 82), answers.parent):
        questions.write_text("".join(f'{{"question_id": {number}, "turns": ["Why?"]}}\n' for number in known))
        if not known:
            questions.unlink()
        assert ingest.run(lake, settings_of(), [str(given)], QUIET)
        found = lake.read(tables.CONVERSATIONS_RAW).collect()
        assert {row.conversation_id for row in found} == {f"{n}-m" for n in {81, 82}.intersection(known)}
        refused = lake.read(tables.QUARANTINE).where("reason = 'unknown_question'")
        assert refused.count() == 2 - len(found)
        versions = {table: lake.version(table) for table in counted(lake)}
        assert not ingest.run(lake, settings_of(), [str(given)], QUIET)
        assert versions == {table: lake.version(table) for table in versions}
    questions.unlink()
    assert not ingest.run(lake, settings_of(), [str(answers.parent)], QUIET)


@pytest.mark.parametrize("stage", ["read", "write quarantine", "write conversations_raw"])
def test_files_read_again_by_a_run_that_is_stopped_leave_no_record_twice(lake: Lake, tmp_path: Path, stage: str):
    files = chats(tmp_path / "a.jsonl", TEXT, TEXT * 20), chats(tmp_path / "b.jsonl", "Short.", first=2)
    small, large = settings_of("input.max_record_bytes=1000"), settings_of("input.max_record_bytes=2000")
    assert ingest.run(lake, small, files, QUIET)

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest.run(lake, large, files, Meanwhile(stage, stop))
    assert ingest.run(lake, large, files, QUIET)
    assert counted(lake) == {tables.CONVERSATIONS_RAW: 2, tables.QUARANTINE: 1, tables.FILES: 2}


def test_an_empty_file_is_read_once(lake: Lake, tmp_path: Path):
    files = [tmp_path / name for name in ("a.jsonl", "b.jsonl")]
    for known, file in enumerate(files):
        file.touch()
        assert ingest.run(lake, settings_of(), [*map(str, files[: known + 1])], QUIET)
        assert not ingest.run(lake, settings_of(), [*map(str, files[: known + 1])], QUIET)
    assert counted(lake) == {tables.CONVERSATIONS_RAW: 0, tables.QUARANTINE: 0, tables.FILES: 2}


def test_strict_looks_at_the_files_it_is_given(lake: Lake, tmp_path: Path):
    bad, good = tmp_path / "bad.jsonl", chats(tmp_path / "good.jsonl", TEXT)
    bad.write_text('{"no": "chat"}\n')
    for _ in range(2):  # read, and known from before
        with pytest.raises(InputUnreadable, match=r"--strict: \w+ 1 in quarantine"):
            ingest.run(lake, settings_of(), [str(bad), good], QUIET, is_strict=True)
    assert not ingest.run(lake, settings_of(), [good], QUIET, is_strict=True)
    mended = chats(bad, "Another answer.", first=1)
    assert ingest.run(lake, settings_of(), [mended], QUIET, is_strict=True)


def test_a_link_to_nothing_is_in_quarantine_until_it_leads_somewhere(lake: Lake, tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    chats(folder / "a.jsonl", TEXT)
    (folder / "b.jsonl").symlink_to(tmp_path / "later.jsonl")
    for _ in range(2):
        with pytest.raises(InputUnreadable, match="--strict: unreadable_file 1 in quarantine"):
            ingest.run(lake, settings_of(), [str(folder)], QUIET, is_strict=True)
        assert counted(lake) == {tables.CONVERSATIONS_RAW: 1, tables.QUARANTINE: 1, tables.FILES: 2}
    assert lake.read(tables.QUARANTINE).first()["file"] == str(folder / "b.jsonl")
    chats(tmp_path / "later.jsonl", "Another answer.", first=1)
    assert ingest.run(lake, settings_of(), [str(folder)], QUIET, is_strict=True)
    assert lake.read(tables.CONVERSATIONS_RAW).count() == 2


def test_publish_refuses_labels_of_other_rules_or_of_fewer_conversations(lake: Lake, tmp_path: Path):
    run(lake, settings_of(), chats(tmp_path / "a.jsonl", f"{TEXT} Ask ann@mail.example.com."))
    other = settings_of("rules.pii.email=false")
    assert dedup.run(lake, other, QUIET)
    with pytest.raises(UsageError, match=r"labelled under other rules: run `winnow annotate`"):
        publish.run(lake, other, QUIET)
    assert annotate.run(lake, other, QUIET) and dedup.run(lake, other, QUIET) and publish.run(lake, other, QUIET)
    assert "ann@mail" in lake.read(tables.DATASET).collect()[0]["messages"][1]["content"]
    ingest.run(lake, other, [chats(tmp_path / "b.jsonl", "Something else.", first=1)], QUIET)
    with pytest.raises(UsageError, match=r"not all that was ingested: run `winnow annotate`"):
        publish.run(lake, other, QUIET)


@pytest.mark.parametrize(
    ("stage", "sets", "told"),
    [
        ("read", (), "published"),  # nothing is written yet
        ("read", ("input.max_record_bytes=100000",), "an ingest is at work in this lake, or was stopped"),
        ("write quarantine", (), "an ingest is at work in this lake, or was stopped"),
        ("write conversations_raw", (), "an ingest is at work in this lake, or was stopped"),
    ],
)
def test_publish_beside_an_ingest_says_what_to_run(lake: Lake, tmp_path: Path, stage: str, sets: tuple, told: str):
    first, more = chats(tmp_path / "a.jsonl", TEXT), Path(chats(tmp_path / "b.jsonl", "Something else.", first=1))
    more.write_text(more.read_text() + '{"no": "chat"}\n')
    run(lake, settings_of(), first)
    found: list[str] = []

    def publish_now() -> None:
        try:
            publish.run(lake, settings_of("publish.eval_share=0.5"), QUIET)
            found.append("published")
        except UsageError as error:
            found.append(str(error))

    ingest.run(lake, settings_of(*sets), [first, str(more)], Meanwhile(stage, publish_now))
    assert len(found) == 1 and found[0].startswith(told)
    with pytest.raises(UsageError, match=r"not all that was ingested: run `winnow annotate`"):
        publish.run(lake, settings_of(), QUIET)
    assert run(lake, settings_of(*sets), first, str(more)) == [False, True, True, True]


def test_what_is_ingested_while_a_version_is_published_is_for_the_next(lake: Lake, tmp_path: Path):
    run(lake, settings_of(), chats(tmp_path / "a.jsonl", TEXT))
    more, other = chats(tmp_path / "b.jsonl", "Something else.", first=1), settings_of("publish.eval_share=0.5")
    publish.run(lake, other, Meanwhile("decide", lambda: ingest.run(lake, other, [more], QUIET)))
    assert lake.read(tables.DATASET).count() == 1 and lake.read(tables.CONVERSATIONS_RAW).count() == 2
    assert run(lake, other, more) == [False, True, True, True]
    assert lake.read(tables.DATASET).count() == 2


def test_a_batch_of_copies_alone_is_published_as_their_count(lake: Lake, tmp_path: Path):
    assert run(lake, settings_of(), chats(tmp_path / "a.jsonl", TEXT)) == [True] * 4
    assert run(lake, settings_of(), chats(tmp_path / "b.jsonl", TEXT.upper(), first=1)) == [True] * 4
    assert [row.copies for row in lake.read(tables.DATASET).collect()] == [2]
    assert run(lake, settings_of(), str(tmp_path / "b.jsonl")) == [False] * 4


def test_a_pin_is_checked_first_moved_when_asked_and_ours_follow_the_content(lake: Lake, tmp_path: Path):
    sets = [part for each in PLAIN for part in ("--set", each)]
    texts = [f"{TEXT} It took {number} years to mend it, as the town had spent its money." for number in range(3)]
    command = ["run", "--lake", lake.path, *sets, "--input", chats(tmp_path / "a.jsonl", *texts)]
    assert cli.main([*command, "--pin", "2024"]) == 2 and lake.version(tables.DATASET) < 0
    assert cli.main([*command, "--pin", "first"]) == 0
    strict = [*command, "--set", "dedup.near=off", "--set", "dedup.contained=off"]
    assert cli.main([*strict, "--pin", "first"]) == 2
    assert cli.main([*strict, "--pin", "first", "--move"]) == 0
    for each in (command, strict, command):
        assert cli.main(each) == 0
    pins = {pin.name: pin for pin in read_pins(lake.path)}
    assert len(pins) == 3 and pins["first"].version == 1
    ours = [pin.version for name, pin in pins.items() if name != "first"]
    assert sorted(ours) == [3, 4]


def test_a_dataset_that_was_optimised_is_pinned_at_the_version_that_was_published(lake: Lake, tmp_path: Path):
    sets = [part for each in PLAIN for part in ("--set", each)]
    file = chats(tmp_path / "a.jsonl", TEXT)
    assert run(lake, settings_of(), file) == [True] * 4
    lake.spark.sql(f"ALTER TABLE delta.`{lake.path}/dataset` SET TBLPROPERTIES ('delta.appendOnly' = 'false')")
    assert lake.version(tables.DATASET) == 1
    assert cli.main(["publish", "--lake", lake.path, *sets, "--pin", "first"]) == 0
    assert [pin.version for pin in read_pins(lake.path)] == [0]


@pytest.mark.parametrize("table", [tables.CONVERSATIONS, tables.DUPLICATES, tables.CLUSTERS, tables.DATASET])
def test_a_table_that_somebody_else_changed_is_made_again(published: Lake, file: str, tmp_path: Path, table: str):
    lake = copy_of(published, tmp_path / "lake")
    before, found = lake.lineage(tables.DATASET), rows_of(lake, table)
    assert before is not None and found
    DeltaTable(lake.table_path(table)).delete("conversation_id >= 'c'")
    assert not rows_of(lake, table)
    told = {
        tables.CONVERSATIONS: "no conversations as `winnow annotate` left them: run it, then `winnow dedup`",
        tables.DUPLICATES: "were changed by hand: run `winnow dedup`",
        tables.CLUSTERS: "run `winnow dedup`",
    }
    if table in told:
        with pytest.raises(UsageError, match=told[table]):
            publish.run(lake, settings_of(), QUIET)
    assert True in run(lake, settings_of(), file)
    assert rows_of(lake, table) == found
    assert resolve(lake.path).digest == before.digest


def test_verdicts_that_somebody_else_changed_are_made_again_and_no_version(published: Lake, tmp_path: Path):
    lake = copy_of(published, tmp_path / "lake")
    found = rows_of(lake, tables.VERDICTS)
    DeltaTable(lake.table_path(tables.VERDICTS)).delete("conversation_id >= 'c'")
    assert found and not rows_of(lake, tables.VERDICTS)
    assert not publish.run(lake, settings_of(), QUIET)
    assert rows_of(lake, tables.VERDICTS) == found and lake.version(tables.DATASET) == 0


def rows_of(lake: Lake, table: str) -> list[str]:
    """The rows of a table as text, sorted."""
    return sorted(map(str, lake.read(table).collect()))


class Meanwhile(Progress):
    """A progress during which something else happens, once the stage ``name`` is done."""

    def __init__(self, name: str, what: Callable[[], object]):
        super().__init__(None, "test")
        self._name, self._what = name, what

    @contextmanager
    def stage(self, name: str, size: int = 0) -> Iterator[None]:
        yield
        if name == self._name:
            self._what()


def test_a_dataset_is_made_of_its_own_runs_tables_while_others_write_theirs(published: Lake, tmp_path: Path):
    lake = copy_of(published, tmp_path / "lake")
    before = rows_of(lake, tables.DATASET)

    def others_write() -> None:
        for table in (tables.VERDICTS, tables.CLUSTERS):
            stamp = lake.lineage(table)
            assert stamp is not None
            lake.write(table, lake.read(table).limit(0), stamp, "overwrite")

    shutil.rmtree(lake.table_path(tables.DATASET))
    assert publish.run(lake, settings_of(), Meanwhile("decide", others_write))
    assert rows_of(lake, tables.DATASET) == before
