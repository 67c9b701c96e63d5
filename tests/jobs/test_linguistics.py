"""What Spark NLP counts and finds, in a table of its own. Spark 3.5 alone: `make test35` runs this."""

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from pyspark.ml import Pipeline
from pyspark.sql import SparkSession

from conf import recipe, tables
from conf.settings import Settings
from jobs import linguistics, session
from jobs.errors import UsageError
from jobs.lake import Lake, Lineage, open_lake
from jobs.progress import Progress
from jobs.tables import SCHEMAS

if session.spark_line() >= (4, 0):
    pytest.skip("no Spark NLP for Spark 4: `make test35` runs these, in .ci/run too", allow_module_level=True)

QUIET = Progress(None, "test")
CHATS: dict[str, list[tuple[str, str]]] = {
    "two sentences": [("user", "The cat sat on the mat. It slept.")],
    "two messages": [("user", "The cat sat."), ("assistant", "It slept.")],
    "markup": [("user", '<p class="a">One cat.</p><br/>A dog, 3 < 4 and 5 > 2.')],
    "phrases": [("user", "BUY\n now! Buy now."), ("assistant", "I cannot provide it, so buy now")],
    "a phrase of another role": [("user", "i cannot provide it")],
    "inside a word": [("user", "They buy nowhere")],
    "own words": [("user", "the blue   heron’s nest"), ("assistant", "我喜欢蓝鹭鸟。")],
    "a word with a tilde": [("assistant", "我喜欢蓝~鸟。")],
    "repeated": [("assistant", "go to it now go to it now")],
    "long": [("user", "word " * 30)],
    "empty": [("user", ""), ("assistant", " \n ")],
    "no message": [],
}
HOSTILE = {
    **{f"plane {n}": "".join(map(chr, range(n << 16, (n << 16) + 0x800))) for n in (1, 2, 3, 14, 15, 16)},
    "assigned": "".join(chr(n) for n in range(0x3000) if unicodedata.category(chr(n)) != "Cs"),
    "nul": "a\0b\0",
    "a word of 1 MB": "a" * 1_000_000,
    "dots": "." * 5_000,
    "quotes": "\"'" * 20_000,
    "brackets": "<" * 20_000 + "a" + "([{" * 5_000,
    "right to left": "שלום עולם. \u202eمرحبا بالعالم\u202c",
    "abbreviations": "e.g. U.S.A. 1.2.3 " * 2_000,
}


def conversations(lake: Lake, chats: dict[str, list[tuple[str, str]]]) -> None:
    """Append these conversations; a name is the id."""
    message, rows = ("role", "content", "name", "language", "confidence", "keywords", "edits"), []
    for name, messages in chats.items():
        told = [dict(zip(message, (role, content, None, "en", 1.0, [], []), strict=True)) for role, content in messages]
        rows.append({"conversation_id": name, "source": "chat", "messages": told, "language": "en", "digest": name})
    frame = lake.spark.createDataFrame(rows, SCHEMAS[tables.CONVERSATIONS])
    lake.write(tables.CONVERSATIONS, frame, Lineage("run", "annotate", "test", "", ""))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Lists of our own beside the shipped ones, and a limit that "long" exceeds by 50 characters."""
    folder = tmp_path_factory.mktemp("phrases")
    (folder / "birds.txt").write_text("Blue Heron's\n蓝鹭\n蓝~鸟\nC++ (really)\n", encoding="utf-8")
    return recipe.load(None, [f"rules.keywords.folder={folder}", "linguistics.max_characters=100"])


@pytest.fixture(scope="module")
def counted(spark: SparkSession, own: Settings, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The table of all chats; tests only read it."""
    lake = open_lake(spark, str(tmp_path_factory.mktemp("lakes") / "counted"), create=True)
    conversations(lake, CHATS)
    assert linguistics.run(lake, own, QUIET)
    return lake


@pytest.fixture(scope="module")
def rows(counted: Lake) -> dict[str, Any]:
    return {row.conversation_id: row for row in counted.read(tables.LINGUISTICS).collect()}


def test_spark_nlps_jars_were_fetched_at_installation() -> None:
    assert session.nlp_jars(), "run `make install35`, with network: a session without them fetches them at each start"


def test_every_conversation_has_a_row(rows: dict[str, Any], counted: Lake) -> None:
    assert set(rows) == set(CHATS)
    assert counted.read(tables.LINGUISTICS).count() == len(CHATS)


@pytest.mark.parametrize(
    ("name", "sentences", "tokens", "stop_words"),
    [
        ("two sentences", 2, 10, 0.4),  # the on the it, of seven words and two full stops
        ("two messages", 2, 7, 2 / 7),
        ("empty", 0, 0, None),
        ("no message", 0, 0, None),
    ],
)
def test_sentences_tokens_and_stop_words(rows, name: str, sentences: int, tokens: int, stop_words: float) -> None:
    row = rows[name]
    assert (row.sentences, row.tokens) == (sentences, tokens)
    assert row.stop_words == (stop_words if stop_words is None else pytest.approx(stop_words))


def test_tags_are_not_words_and_comparisons_are_not_tags(rows: dict[str, Any]) -> None:
    assert rows["markup"].tokens == 14  # One cat . A dog , 3 < 4 and 5 > 2 .


@pytest.mark.parametrize(
    ("name", "phrases"),
    [
        ("phrases", {"advert": 3, "refusal": 1}),
        ("a phrase of another role", {}),
        ("inside a word", {}),
        ("own words", {"birds": 2}),
        ("a word with a tilde", {"birds": 1}),
        ("empty", {}),
    ],
)
def test_phrases_are_counted_by_category(rows: dict[str, Any], name: str, phrases: dict[str, int]) -> None:
    assert rows[name].phrases == phrases


def test_repeated_runs_are_a_share(rows: dict[str, Any]) -> None:
    assert rows["repeated"].repeated == pytest.approx(2 / 6)
    assert rows["two sentences"].repeated == 0


def test_what_is_beyond_the_limit_is_counted_and_not_read(rows: dict[str, Any]) -> None:
    assert (rows["long"].cut, rows["long"].tokens) == (50, 20)
    assert rows["two messages"].cut == 0


def test_labels_of_models_that_were_not_asked_for_are_null(rows: dict[str, Any]) -> None:
    assert {(row.languages, row.names, row.toxicity) for row in rows.values()} == {(None, None, None)}


def test_the_run_is_in_the_ledger_and_running_again_commits_nothing(counted: Lake, own: Settings) -> None:
    before = counted.version(tables.LINGUISTICS)
    assert not linguistics.run(counted, own, QUIET)
    assert counted.version(tables.LINGUISTICS) == before
    [run] = counted.read(tables.RUNS).where("job = 'linguistics'").collect()
    assert run.counts == {"conversations": len(CHATS)} and run.outputs == {tables.LINGUISTICS: before}


def test_only_new_conversations_are_read_and_hostile_ones_go_through(
    spark: SparkSession, own: Settings, tmp_path: Path
) -> None:
    lake = open_lake(spark, str(tmp_path / "lake"), create=True)
    settings = own.model_copy(update={"linguistics": own.linguistics.model_copy(update={"max_characters": 20_000})})
    conversations(lake, {"first": [("user", "One.")]})
    assert linguistics.run(lake, settings, QUIET)
    conversations(lake, {name: [("user", text)] for name, text in HOSTILE.items()})
    assert linguistics.run(lake, settings, QUIET)
    found = lake.read(tables.LINGUISTICS)
    assert {row.conversation_id for row in found.collect()} == {"first", *HOSTILE}
    assert next(lake.commits(tables.LINGUISTICS)).only_adds
    assert found.where("cut > 0").count() == 4


@pytest.fixture(scope="module")
def people(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A saved pipeline that finds two names, with columns named as ours are: a pretrained one is a folder like it."""
    from sparknlp.annotator import SentenceDetector, TextMatcher, Tokenizer
    from sparknlp.base import DocumentAssembler

    folder = tmp_path_factory.mktemp("models")
    (folder / "names.txt").write_text("Ada Lovelace\nAlan Turing\n")
    matcher = TextMatcher().setInputCols(["sentence", "token"]).setOutputCol("phrases").setEntityValue("PERSON")
    stages = [
        DocumentAssembler().setInputCol("text").setOutputCol("document"),
        SentenceDetector().setInputCols(["document"]).setOutputCol("sentence"),
        Tokenizer().setInputCols(["sentence"]).setOutputCol("token"),
        matcher.setEntities((folder / "names.txt").as_uri()),
    ]
    Pipeline(stages=stages).fit(spark.createDataFrame([("",)], "text string")).save(str(folder / "people"))
    return str(folder / "people")


def with_model(settings: Settings, **models: str) -> Settings:
    chosen = settings.linguistics.models.model_copy(update=models)
    return settings.model_copy(update={"linguistics": settings.linguistics.model_copy(update={"models": chosen})})


def test_a_pretrained_pipeline_adds_its_labels(spark: SparkSession, own: Settings, people: str, tmp_path: Path) -> None:
    lake = open_lake(spark, str(tmp_path / "lake"), create=True)
    conversations(
        lake,
        {
            "named": [("user", "Ada Lovelace, and Alan Turing."), ("user", "Who is Alan Turing?")],
            "other": [("user", "Hi")],
        },
    )
    assert linguistics.run(lake, with_model(own, names=people), QUIET)
    found = {row.conversation_id: row for row in lake.read(tables.LINGUISTICS).collect()}
    assert (found["named"].names, found["other"].names) == (["Ada Lovelace", "Alan Turing"], [])
    assert found["named"].sentences == 2 and found["named"].languages is None


def test_a_model_of_another_kind_is_told_before_a_row_is_read(
    spark: SparkSession, own: Settings, people: str, tmp_path: Path
) -> None:
    lake = open_lake(spark, str(tmp_path / "lake"), create=True)
    conversations(lake, {"one": [("user", "One.")]})
    with pytest.raises(UsageError, match=r"models\.toxicity: .* ends in annotations of type chunk: expected category"):
        linguistics.run(lake, with_model(own, toxicity=people), QUIET)
    assert not lake.has(tables.LINGUISTICS)
