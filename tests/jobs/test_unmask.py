"""Masked with a key and unmasked by the command line; without the right key nothing comes out."""

import json
from argparse import Namespace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from conf import recipe, tables
from conf.settings import Settings
from jobs import annotate, chain, cli, ingest, pins
from jobs.errors import UsageError
from jobs.lake import Lake, open_lake
from jobs.progress import Progress
from udfs import keyfile

QUIET = Progress(None, "test")
ASKED = [
    f"Please write to Ana{number}@Example.org or call +1 202-555-0143 about invoice {number}." for number in range(8)
]
VALUES = [b"@Example.org", b"202-555-0143"]


def write_chats(folder: Path) -> str:
    """Eight conversations with personal data, and one without."""
    chats = [(f"c{number}", text) for number, text in enumerate(ASKED)] + [("plain", "What is the capital of France?")]
    rows = [
        {"conversation_id": name, "model": "m", "conversation": [
            {"role": "user", "content": text},
            {"role": "assistant", "content": f"I have noted this and will answer soon: {text.lower()}"},
        ]}
        for name, text in chats
    ]  # fmt: skip
    path = folder / "chats.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def with_key(key: Path | str) -> Settings:
    return recipe.load("smoke", [f"rules.pii_key={key}"])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("unmask")


@pytest.fixture(scope="module")
def key(place: Path) -> str:
    assert cli.main(["make-key", str(place / "pii.key")]) == 0
    assert cli.main(["make-key", str(place / "other.key")]) == 0
    return str(place / "pii.key")


@pytest.fixture(scope="module")
def lake(spark: SparkSession, place: Path, key: str, run_chain) -> Lake:
    made = open_lake(spark, str(place / "lake"), create=True)
    run_chain(made, with_key(key), [write_chats(place)])
    pins.pin(made.path, "masked", 0)
    return made


def ids(lake: Lake) -> dict[str, str]:
    """The id of each conversation by the first words of what was asked."""
    rows = lake.read(tables.CONVERSATIONS_RAW).select("conversation_id", F.col("messages")[0]["content"]).collect()
    return {text: name for name, text in rows}


@pytest.mark.parametrize("pin", [[], ["--pin", "masked"]])
def test_a_conversation_is_printed_with_its_originals(lake, key, pin, capsys):
    for text in ASKED[:2]:
        assert cli.main(["unmask", ids(lake)[text], "--lake", lake.path, "--key", key, *pin]) == 0
        out = capsys.readouterr().out
        assert f"  user: {text}\n" in out
        assert f"  assistant: I have noted this and will answer soon: {text.lower()}\n" in out


def test_another_key_is_an_error_and_prints_nothing(lake, place, capsys):
    command = ["unmask", ids(lake)[ASKED[0]], "--lake", lake.path, "--key", str(place / "other.key")]
    assert cli.main(command) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "does not open the values" in said.err and "sealed with another key" in said.err


def test_what_is_not_there_is_told(lake, key, capsys):
    assert cli.main(["unmask", "nobody", "--lake", lake.path, "--key", key]) == 2
    assert "no conversation nobody in version 0 of table conversations" in capsys.readouterr().err


def test_a_conversation_without_personal_data_is_printed_as_it_is(lake, key, capsys):
    name = ids(lake)["What is the capital of France?"]
    assert cli.main(["unmask", name, "--lake", lake.path, "--key", key]) == 0
    assert "  user: What is the capital of France?\n" in capsys.readouterr().out


def test_no_original_and_nothing_of_the_key_is_in_what_others_may_read(lake, key, capsys):
    secret = Path(key).read_bytes()
    readable = [path for path in Path(lake.path).rglob("*") if path.is_file()]
    assert not any(secret in path.read_bytes() or secret.hex().encode() in path.read_bytes() for path in readable)
    assert "sealed" in lake.read(tables.CONVERSATIONS).columns
    for table in tables.TABLES:
        if table not in (tables.CONVERSATIONS, tables.CONVERSATIONS_RAW, tables.QUARANTINE) and lake.has(table):
            rows = lake.read(table)
            assert "sealed" not in json.dumps(rows.schema.jsonValue())
            text = "\n".join(rows.select(F.to_json(F.struct(*rows.columns))).toPandas().iloc[:, 0]).encode()
            assert not any(value.lower() in text.lower() for value in VALUES), table
    assert cli.main(["show", "--lake", lake.path, "--limit", "20"]) == 0
    out = capsys.readouterr().out
    assert "EMAIL_1" in out and "@Example.org" not in out and "sealed" not in out
    config = lake.read(tables.RUNS).where("job = 'annotate'").select("config").collect()[0][0]
    assert json.loads(config)["rules"]["pii_key"] == key


def test_values_do_not_depend_on_partitions_and_the_dataset_does_not_depend_on_the_key(
    lake, key, place, smoke, run_chain
):
    settings, raw = with_key(key), lake.read(tables.CONVERSATIONS_RAW)
    secret = keyfile.read(key, lake.path)
    one, many = (annotate.label(raw.repartition(parts), settings.rules, secret) for parts in (1, 5))
    assert sorted(map(str, one.collect())) == sorted(map(str, many.collect()))
    plain = open_lake(lake.spark, str(place / "plain"), create=True)
    run_chain(plain, smoke, [str(place / "chats.jsonl")])
    assert plain.lineage(tables.DATASET).digest == lake.lineage(tables.DATASET).digest
    assert plain.read(tables.CONVERSATIONS).where("sealed is not null").isEmpty()


def test_the_same_key_elsewhere_changes_nothing_and_another_key_annotates_anew(lake, key, place, capsys):
    moved = place / "moved.key"
    moved.write_bytes(Path(key).read_bytes())
    moved.chmod(0o600)
    assert not annotate.run(lake, with_key(moved), QUIET)
    assert annotate.run(lake, with_key(place / "other.key"), QUIET)
    command = ["unmask", ids(lake)[ASKED[0]], "--lake", lake.path, "--key", str(place / "other.key")]
    assert cli.main(command) == 0
    assert cli.main([*command, "--pin", "masked"]) == 2
    assert annotate.run(lake, with_key(key), QUIET)


def test_what_was_masked_without_a_key_says_so_until_it_is_annotated_with_one(spark, place, key, capsys):
    old = place / "old"
    made = open_lake(spark, str(old), create=True)
    ingest.run(made, recipe.load("smoke"), [str(place / "chats.jsonl")], QUIET)
    annotate.run(made, recipe.load("smoke"), QUIET)
    name = ids(made)[ASKED[0]]
    assert cli.main(["unmask", name, "--lake", str(old), "--key", key]) == 2
    told = capsys.readouterr().err
    assert f"{name} was masked without a key in version 0" in told and "mask_email, mask_phone" in told
    assert annotate.run(made, with_key(key), QUIET)
    assert cli.main(["unmask", name, "--lake", str(old), "--key", key]) == 0
    assert ASKED[0] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "mode", "told"),
    [
        ("none.key", None, "rules.pii_key: there is no key file"),
        ("short.key", 0o600, "rules.pii_key: expected 64 bytes"),
        ("open.key", 0o644, "rules.pii_key: anyone on this machine"),
        ("lake/in.key", 0o600, "rules.pii_key: key file .* is inside the lake"),
    ],
)
def test_a_wrong_key_file_stops_the_job_before_a_session_starts(tmp_path, name, mode, told):
    (tmp_path / "lake").mkdir()
    path = tmp_path / name
    if mode is not None:
        path.write_bytes(bytes(10 if name == "short.key" else 64))
        path.chmod(mode)
    for names in (["annotate"], ["ingest", "annotate"]):
        args = Namespace(lake=str(tmp_path / "lake"), input=[write_chats(tmp_path)])
        with pytest.raises(UsageError, match=told):
            chain.run(names, with_key(path), args)
    assert not (tmp_path / "lake" / tables.MARKER).exists()
