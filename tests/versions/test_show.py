"""``winnow show``: a version's conversations on a terminal, and nothing a chat wrote to harm it."""

import unicodedata
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, Schema, write_deltalake
from hypothesis import given
from hypothesis import strategies as st

from conf import tables
from jobs.errors import UsageError
from jobs.pins import pin
from jobs.terminal import as_conversation, fit
from jobs.versions import show
from tests.versions.lakes import data_files, make_lake
from tests.versions.test_listing import winnow
from udfs.delta.lake import UNREADABLE, WRONG_CHOICE, LakeError
from udfs.delta.versions import resolve


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = make_lake(tmp_path_factory.mktemp("show") / "lake", 3, 12)
    pin(made, "small", 0)
    return made


def test_show_gives_the_first_rows_of_the_version_asked_for(lake: str) -> None:
    assert [row["conversation_id"] for row in show(resolve(lake), 2)] == ["v1-0", "v1-1"]
    assert len(show(resolve(lake, pin="small"), 10)) == 3
    assert show(resolve(lake), 0) == []


def test_the_printed_form_says_what_it_is_and_who_speaks(lake: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert winnow("show", "--lake", lake, "--pin", "small", "--limit", "1", "--verify") == 0
    out = capsys.readouterr().out
    digest = resolve(lake, version=0).digest
    assert "version 0 (small), published 20" in out
    assert f"verified: {digest}" in out
    assert "v0-0 source=chat split=train language=en copies=1" in out
    assert "  system: v0 system 0 é 漢\n  user: v0 user 0 é 漢\n" in out


def test_a_version_that_fails_verification_is_not_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = make_lake(tmp_path / "lake", 3)
    data_files(lake, 0)[0].unlink()
    with pytest.raises(LakeError, match="missing") as raised:
        winnow("show", "--lake", lake, "--verify")
    assert raised.value.exit_code == UNREADABLE
    assert "user:" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["--pin", "smal"], ["--version", "7"], ["--timestamp", "noon"], ["--timestamp", "2001-01-01"]]
)
def test_what_is_not_there_is_a_usage_error(lake: str, arguments: list[str]) -> None:
    with pytest.raises(LakeError) as raised:
        winnow("show", "--lake", lake, *arguments)
    assert raised.value.exit_code == WRONG_CHOICE


@pytest.mark.parametrize("what", ["quarantine", "contamination", "families", "conflicts"])
def test_a_table_without_rows_is_told_from_one_that_is_not_there(
    tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = make_lake(tmp_path / "lake", 1)
    winnow("show", "--lake", lake, f"--{what}")
    assert capsys.readouterr() == ("", f"table {what} was not written yet\n")
    schema = pa.schema([("question", pa.string()), ("record", pa.int64())])
    DeltaTable.create(f"{lake}/{what}", Schema.from_arrow(schema))
    winnow("show", "--lake", lake, f"--{what}")
    assert capsys.readouterr() == ("", f"table {what} has no rows\n")
    winnow("show", "--lake", lake, f"--{what}", "--limit", "0")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("what", ["quarantine", "contamination", "families", "conflicts"])
def test_what_has_no_digest_is_not_verified(lake: str, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match=f"--verify recomputes the digest of a version, and --{what} shows none"):
        winnow("show", "--lake", lake, f"--{what}", "--verify")
    assert not capsys.readouterr().out


def test_a_file_that_was_refused_and_then_is_a_copy_is_shown_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = make_lake(tmp_path / "lake")
    told = {"file": "b.jsonl", "record": None, "offset": None, "detail": "", "sample": None}
    refused = [{**told, "reason": "unreadable_file", "part": 0}, {**told, "reason": "duplicate_file", "part": None}]
    kinds = {name: pa.string() for name in ("file", "detail", "reason")} | {"sample": pa.binary()}
    kinds |= {name: pa.int64() for name in ("record", "offset", "part")}
    write_deltalake(f"{lake}/{tables.QUARANTINE}", pa.Table.from_pylist(refused, pa.schema(kinds.items())))
    assert winnow("show", "--lake", lake, "--quarantine") == 0
    assert [line for line in capsys.readouterr().out.splitlines() if "b.jsonl" in line] == [
        "unreadable_file: b.jsonl",
        "duplicate_file: b.jsonl",
    ]


@pytest.mark.parametrize("arguments", [["--pin", "a", "--version", "1"], ["--limit", "-1"], ["--limit", "x"]])
def test_a_wrong_command_line_ends_with_code_2(lake: str, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        winnow("show", "--lake", lake, *arguments)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("hello", 5, "hello"),
        ("hello!", 5, "hell…"),
        ("  user: a\n\n b\tc", 40, "  user: a b c"),
        ("漢漢漢", 6, "漢漢漢"),
        ("漢漢漢", 5, "漢漢…"),
        ("漢漢漢", 4, "漢…"),
        ("\x1b[2J\x07gone\u202e", 40, "\ufffd[2J\ufffdgone\ufffd"),
        ("\u0645\u06cc\u200c\u062e", 40, "\u0645\u06cc\u200c\u062e"),
        ("", 10, ""),
        ("x" * 1000, 10, "x" * 9 + "…"),
        ("x" + " " * 1000 + "y", 10, "x…"),
    ],
)
def test_a_line_is_cut_to_the_width_and_made_harmless(text: str, width: int, expected: str) -> None:
    assert fit(text, width) == expected


@given(st.text(), st.integers(2, 60))
def test_no_text_leaves_its_line_or_moves_the_cursor(text: str, width: int) -> None:
    line = fit(text, width)
    assert all(character.isprintable() or character in "\u200c\u200d" for character in line)
    wide = sum(2 if unicodedata.east_asian_width(c) in "WF" else not unicodedata.combining(c) for c in line)
    assert wide <= width + sum(c in "\u200c\u200d" for c in line)


def test_a_conversation_is_a_line_a_message() -> None:
    row = {
        "conversation_id": "a\x1b",
        "source": "chat",
        "split": "train",
        "model": None,
        "messages": [{"role": "user", "content": "one\ntwo"}, {"role": "assistant", "content": ""}],
    }
    assert as_conversation(row, 60) == "a\ufffd source=chat split=train\n  user: one two\n  assistant:"
