"""Is every odd input read, and every bad one refused with its reason, by name, and nothing lost either way?"""

import time
from pathlib import Path

import pytest

from conf.settings import Input
from jobs import refusals
from tests.museum import build
from tests.reader.reading import read, survey_and_read

HERE = Path(__file__).parent

REFUSED = {
    "malformed_json.jsonl": (2, [(1, "malformed_json")]),
    "two_values_in_one_record.jsonl": (2, [(1, "two_values_in_one_record")]),
    "trailing_garbage.jsonl": (2, [(1, "trailing_garbage")]),
    "duplicate_key.jsonl": (2, [(1, "duplicate_key")]),
    "duplicate_key_escaped.jsonl": (2, [(1, "duplicate_key")]),
    "duplicate_key_nested.jsonl": (2, [(1, "duplicate_key")]),
    "lone_surrogate.jsonl": (2, [(1, "lone_surrogate")]),
    "invalid_utf8.jsonl": (2, [(1, "invalid_utf8")]),
    "invalid_utf8.csv": (2, [(1, "invalid_utf8")]),
    "control_character.jsonl": (2, [(1, "control_character")]),
    "control_character.csv": (2, [(1, "control_character")]),
    "raw_tab_in_string.jsonl": (2, [(1, "control_character")]),
    "raw_cr_in_string.jsonl": (2, [(1, "control_character")]),
    "too_deep.jsonl": (2, [(1, "too_deep")]),
    "not_a_number.jsonl": (2, [(1, "malformed_json")]),
    "bom_inside.jsonl": (2, [(1, "malformed_json")]),
    "malformed_csv.csv": (2, [(1, "malformed_csv"), (2, "malformed_csv"), (3, "malformed_csv")]),
    "malformed_csv.tsv": (1, [(1, "malformed_csv"), (2, "malformed_csv"), (3, "malformed_csv")]),
    "unclosed_quote.csv": (1, [(1, "malformed_csv")]),
    "wrong_type.jsonl": (2, [(1, "wrong_type")]),
    "wrong_type_content.jsonl": (2, [(1, "wrong_type")]),
    "missing_field.jsonl": (2, [(1, "missing_field")]),
    "unknown_role.jsonl": (2, [(1, "unknown_role")]),
    "empty_conversation.jsonl": (2, [(1, "empty_conversation")]),
    "unknown_question.jsonl": (0, [(0, "unknown_question")]),
    "unclosed_array.json": (2, [(2, "malformed_json")]),
    "after_the_array.json": (2, [(2, "two_values_in_one_record")]),
    "two_commas.json": (2, [(1, "malformed_json")]),
    "broken_first_line.json": (2, [(0, "malformed_json")]),
}
"""File -> rows read, and the number and reason of each refused record."""

FAILED = {
    "unknown_format.jsonl": "unknown_format",
    "unknown_format_array.jsonl": "unknown_format",
    "unsupported_file.txt": "unsupported_file",
    "utf16.jsonl": "unsupported_file",
    "corrupt_header_twice.csv": "corrupt_file",
}

READ = {
    "bom.jsonl": ["g0", "g1"],
    "crlf.jsonl": ["g0", "g1"],
    "no_final_newline.jsonl": ["g0", "g1"],
    "blank_lines.jsonl": ["g0", "g1"],
    "only_blank_lines.jsonl": [],
    "array.json": ["g0", "g1"],
    "array_bom.json": ["g0", "g1"],
    "array_on_one_line.json": ["g0", "g1"],
    "array.jsonl": ["g0", "g1"],
    "array_on_one_line.jsonl": ["g0", "g1"],
    "lines.json": ["g0", "g1"],
    "pretty_array.json": ["g0", "g1"],
    "pretty_array.jsonl": ["g0", "g1"],
    "pretty_document.json": ["g0"],
    "pretty_document.jsonl": ["g0"],
    "object_of_records.json": ["g0", "g1"],
    "object_of_records_pretty.json": ["g0", "g1"],
    "message_list.json": [None],
    "message_list.jsonl": [None],
    "message_lists.jsonl": [None, None],
    "unicode_line_separators.jsonl": ["g0", "g1"],
    "escaped_nul.jsonl": ["g0"],
    "wide_integers.jsonl": ["g0"],
    "empty.jsonl": [],
    "empty.csv": [],
    "empty_array.json": [],
    "spaced_empty_array.json": [],
    "header_only.csv": [],
    "quoted_newlines.csv": [None, None],
    "bom.csv": [None],
    "blank_lines.csv": [None, None],
    "quote_inside.csv": [None, None],
    "semicolons.csv": [None, None],
    "tabs.csv": [None, None],
    "tabs.tsv": [None, None],
}
"""File -> the ids of its conversations; None for one that the reader makes."""


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_record_is_refused_by_its_reason_and_its_neighbours_are_read(name: str):
    found = read(HERE / "refused" / name)
    assert (len(found.rows), found.reasons()) == REFUSED[name]
    assert found.failed == [] and found.is_whole()
    assert all(row["detail"] and row["file"].endswith(name) for row in found.refused)


@pytest.mark.parametrize("name", FAILED)
def test_a_file_that_cannot_be_read_is_refused_whole(name: str):
    found = read(HERE / "refused" / name)
    assert found.failures() == {FAILED[name]: 1}
    assert found.rows == [] and found.seen == []


@pytest.mark.parametrize("name", READ)
def test_an_odd_file_is_read_whole(name: str):
    found = read(HERE / "read" / name)
    ids = [row["conversation_id"] for row in found.rows]
    assert [made if given else None for made, given in zip(ids, READ[name], strict=True)] == READ[name]
    assert found.refused == found.failed == [] and found.is_whole()


def test_every_case_on_disk_is_in_a_table_above_and_in_the_guide():
    assert sorted(path.name for path in (HERE / "read").iterdir()) == sorted(READ)
    assert sorted(path.name for path in (HERE / "refused").iterdir()) == sorted([*REFUSED, *FAILED])
    guide = (HERE / "README.md").read_text()
    assert [name for name in (*READ, *REFUSED, *FAILED, *build.FAILED, *build.READ) if name not in guide] == []


def test_text_is_read_to_the_letter():
    def content(name: str) -> list[str]:
        return [row["messages"][0]["content"] for row in read(HERE / "read" / name).rows]

    assert content("unicode_line_separators.jsonl")[0] == "Question\u2028\u2029\u0085 0?"
    assert content("escaped_nul.jsonl") == ["Question \0?"]
    assert content("quoted_newlines.csv") == ["Line one\nline two", "Hi"]
    assert content("quote_inside.csv") == ['5" wide', "Hi"]
    assert content("semicolons.csv") == ["Line one\r\nline; two", "Hi"]
    assert content("tabs.csv") == ['Line; one, or "two"', "Hi"]
    assert content("tabs.tsv") == ["Line one\nline\ttwo", "Hi"]


def test_integers_of_any_width_are_kept():
    metadata = read(HERE / "read" / "wide_integers.jsonl").rows[0]["metadata"]
    assert metadata == '{"small":-9223372036854775808,"wide":"123456789012345678901234567890"}'


@pytest.mark.parametrize("name", build.FAILED)
def test_a_damaged_or_hostile_file_is_refused_by_name_in_bounded_time(tmp_path: Path, name: str):
    make, reason = build.FAILED[name]
    path = build.build(tmp_path, name, make)
    start = time.process_time()
    found = read(path)
    assert time.process_time() - start < 10
    assert reason in found.failures()
    assert all(row["file"].startswith(str(path)) and row["detail"] for row in found.failed)


@pytest.mark.parametrize("name", [name for name in build.FAILED if ".tar" in name])
def test_no_member_of_a_damaged_tar_is_kept(tmp_path: Path, name: str):
    found = read(build.build(tmp_path, name, build.FAILED[name][0]))
    assert {row["file"] for row in found.rows} <= {row["file"] for row in found.failed}


@pytest.mark.parametrize("name", build.READ)
def test_a_sound_container_is_read_whole(tmp_path: Path, name: str):
    make, count = build.READ[name]
    for found in (read(path := build.build(tmp_path, name, make)), survey_and_read(path, Input())):
        assert (len(found.rows), found.refused, found.failed) == (count, [], [])
        assert found.seen and found.is_whole()


def test_a_zip_with_one_damaged_member_keeps_the_others(tmp_path: Path):
    members = {f"{n}.jsonl": build.lines(200) for n in range(3)}
    found = read(build.build(tmp_path, "a.zip", lambda: build.flipped(build.zipped(members), 0.5)))
    assert [row["file"].rpartition("!")[2] for row in found.failed] == ["1.jsonl"]
    kept = {row["file"] for row in found.rows} - {row["file"] for row in found.failed}
    assert len(kept) == 2


def test_a_record_past_the_limit_is_refused_with_its_size(tmp_path: Path):
    large = build.LINE % (1, b"x" * 5000, 1)
    path = build.build(tmp_path, "large.jsonl", lambda: build.lines(1) + large + build.lines(1))
    found = read(path, Input(max_record_bytes=2000))
    assert found.reasons() == [(1, refusals.TOO_LARGE)]
    assert f"{len(large) - 1:,} bytes" in found.refused[0]["detail"] and found.is_whole()


def test_a_file_that_is_gone_is_unreadable(tmp_path: Path):
    for name in ("gone.jsonl", "gone.csv.gz", "gone.zip", "gone.tar.gz", "gone.parquet"):
        assert read(tmp_path / name).failures() == {refusals.UNREADABLE_FILE: 1}


def test_a_folder_in_a_files_place_is_unreadable(tmp_path: Path):
    (tmp_path / "folder.jsonl").mkdir()
    assert read(tmp_path / "folder.jsonl").failures() == {refusals.UNREADABLE_FILE: 1}


def test_every_reason_has_a_case():
    cases = {reason for _, found in REFUSED.values() for _, reason in found} | set(FAILED.values())
    cases |= {reason for _, reason in build.FAILED.values()} | {refusals.TOO_LARGE, refusals.UNREADABLE_FILE}
    settled_later = {refusals.DUPLICATE_RECORD, refusals.DUPLICATE_FILE}
    codes = {value for name, value in vars(refusals).items() if name.isupper() and isinstance(value, str)}
    assert codes - settled_later == cases
