"""Does a line file give the same records however it is cut into splits?"""

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conf.settings import Input
from jobs.files import SourceFile, find
from jobs.reader import survey
from tests.museum import build
from tests.reader.reading import read, read_splits, survey_and_read

GOOD = b'{"messages": [{"role": "user", "content": "Hi"}]}'
ALPACA = b'{"instruction": "Hi", "output": "Ho"}'
LINE = st.sampled_from(
    [GOOD, GOOD + b"\r", b"", b" ", b"\r", b"{bad}", b"{}", b"\xff", GOOD[:-1] + b', "long": "' + b"x" * 300 + b'"}']
)


@st.composite
def contents(draw: st.DrawFn) -> bytes:
    lines = [GOOD, *draw(st.lists(LINE, max_size=12))] if draw(st.booleans()) else draw(st.lists(LINE, max_size=12))
    bom = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return bom + b"\n".join(lines) + draw(st.sampled_from([b"", b"\n"]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=contents(), size=st.integers(1, 400), name=st.sampled_from(["in.jsonl", "in.json"]), small=st.booleans())
def test_any_splits_give_what_one_gives(tmp_path: Path, data: bytes, size: int, name: str, small: bool):
    path = tmp_path / name
    path.write_bytes(data)
    options = Input.model_construct(
        **{**Input().__dict__, "split_bytes": size, "max_record_bytes": 100 if small else 9999}
    )
    whole, parts = read(path, options), survey_and_read(path, options)
    for row in (*parts.rows, *parts.refused, *parts.failed):
        row["file_id"] = "id"
    assert parts.failures().keys() == whole.failures().keys()
    if not whole.failed:
        assert parts.rows == whole.rows and parts.refused == whole.refused
        assert sum(row["records"] for row in parts.seen) == whole.seen[0]["records"]
        assert sum(row["bytes"] for row in parts.seen) == len(data)
        assert whole.is_whole() and parts.is_whole()
        if name == "in.jsonl":
            assert_places_are_right(data, whole.rows + whole.refused)


def assert_places_are_right(data: bytes, rows: list[dict]) -> None:
    lines = data.split(b"\n")
    for row in rows:
        line = lines[row["record"]].removeprefix(b"\xef\xbb\xbf" if row["record"] == 0 else b"")
        assert data[row["offset"] :].startswith(line)
        if row["kind"] == "refused":
            assert row["sample"] == line[:2048] and row["digest"] == hashlib.sha256(line).hexdigest()


def test_places_in_an_array_over_many_blocks_are_right(tmp_path: Path):
    good = [{"id": f"g{n}", "messages": [{"role": "user", "content": "é" * 500}]} for n in range(12_000)]
    members = [json.dumps(record, ensure_ascii=False).encode() for record in good]
    for broken in (0, 5000, 11_999):
        members[broken] = members[broken].replace(b'"messages":', b'"messages"')
    path = tmp_path / "in.json"
    path.write_bytes(data := b"\xef\xbb\xbf[" + b",".join(members) + b"]")
    found = read(path)
    assert found.reasons() == [(0, "malformed_json"), (5000, "malformed_json"), (11_999, "malformed_json")]
    assert len(found.rows) == 11_997 and found.is_whole() and found.seen[0]["bytes"] == len(data)
    for row in (*found.rows, *found.refused):
        assert data[row["offset"] :].startswith(members[row["record"]])


def test_places_in_a_csv_are_right(tmp_path: Path):
    rows = [b'"a ""%d""\nb",c' % n if n % 3 else b"too few %d" % n for n in range(2000)]
    path = tmp_path / "in.csv"
    path.write_bytes(data := b"\xef\xbb\xbfprompt,response\r\n" + b"\r\n".join(rows))
    found = read(path)
    assert len(found.refused) == 667 and len(found.rows) == 1333 and found.is_whole()
    for row in found.refused:
        raw = rows[row["record"]] + b"\r" * (row["record"] < 1999)
        assert data[row["offset"] :].startswith(raw) and row["digest"] == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize("before", [b"", b"\n", b"\r\n \t\r\n\n", b"\n" * 3_000_000, b"\n" * 1_048_575 + b" "])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_blank_lines_before_the_header_of_a_csv_are_skipped(tmp_path: Path, bom: bytes, before: bytes):
    path = tmp_path / "in.csv"
    before += b"\n" * before.endswith(b" ")
    path.write_bytes(data := bom + before + b"prompt,response\na,b\n\nfew\nc,d\n")
    found = read(path, Input(max_record_bytes=1 << 16))
    assert [row["record"] for row in found.rows] == [0, 3] and found.reasons() == [(2, "malformed_csv")]
    assert [data[row["offset"] :][:3] for row in (*found.rows, *found.refused)] == [b"a,b", b"c,d", b"few"]
    assert found.is_whole() and found.seen[0]["bytes"] == len(data)


@pytest.mark.parametrize("data", [b"", b"\n", b" ", b"\n \r\n", b"\n" * 3_000_000])
def test_a_csv_of_blanks_has_no_records(tmp_path: Path, data: bytes):
    path = tmp_path / "in.csv"
    path.write_bytes(data)
    found = read(path)
    assert not found.rows and not found.refused and not found.failed
    assert [(row["records"], row["bytes"]) for row in found.seen] == [(0, len(data))]


def test_a_large_refused_csv_row_is_digested_whole(tmp_path: Path):
    path = tmp_path / "in.csv"
    path.write_bytes(b"prompt,response\nHi,Hello\n" + b"x" * 5000 + b"\n")
    refused = read(path).refused[0]
    assert refused["digest"] == hashlib.sha256(b"x" * 5000).hexdigest() and len(refused["sample"]) == 2048


@pytest.mark.parametrize("name", ["in.jsonl", "array.json"])
def test_the_format_shows_behind_a_first_record_past_the_limit(tmp_path: Path, name: str):
    lines, path = (
        [GOOD[:-1] + b', "long": "' + b"x" * 3_000_000 + b'"}', GOOD, b'{"messages": 1}', GOOD],
        tmp_path / name,
    )
    path.write_bytes(b"[" + b",".join(lines) + b"]" if name == "array.json" else b"\n".join(lines))
    options = Input(max_record_bytes=1000, split_bytes=1_000_000)
    for found in (read(path, options), survey_and_read(path, options)):
        assert found.reasons() == [(0, "record_too_large"), (2, "wrong_type")] and not found.failed and found.is_whole()
        assert [row["record"] for row in found.rows] == [1, 3] and {row["format"] for row in found.rows} == {"messages"}


@pytest.mark.parametrize("lines", [[GOOD] * 25 + [ALPACA] * 99, [GOOD] * 25 + [b"{}"] * 99, [b"{}"] * 25 + [GOOD] * 99])
def test_splits_agree_on_the_format_behind_a_record_past_the_limit(tmp_path: Path, lines: list[bytes]):
    path = tmp_path / "in.jsonl"
    path.write_bytes(b"\n".join([b'{"long": "' + b"x" * 3_000_000 + b'"}', *lines]))
    whole, parts = (survey_and_read(path, Input(max_record_bytes=1000, split_bytes=size)) for size in (1 << 24, 1000))
    assert parts.rows == whole.rows and parts.refused == whole.refused and parts.failed == whole.failed


def test_empty_files_have_ids_of_their_own(tmp_path: Path):
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).touch()
    found = survey_and_read(tmp_path, Input())
    assert len({row["file_id"] for row in found.seen}) == len(found.seen) == 2


def test_parquet_row_groups_are_splits_with_the_right_numbers(tmp_path: Path):
    path = build.build(tmp_path, "in.parquet", lambda: build.parquet(170))
    whole, parts = read(path), survey_and_read(path, Input())
    assert len(parts.seen) == 4 and [row["record"] for row in parts.rows] == list(range(170))
    assert [r["conversation_id"] for r in parts.rows] == [r["conversation_id"] for r in whole.rows]


@pytest.mark.parametrize("size", [1000, 9_999_999, 8_000_000, 20_000_000])
def test_a_files_id_does_not_depend_on_how_it_is_split(tmp_path: Path, size: int):
    path = tmp_path / "in.jsonl"
    path.write_bytes((GOOD + b"\n") * 340_000 if size > 1000 else GOOD)

    def file_id(size: int) -> set[str]:
        found = survey.chunks([SourceFile(str(path), path.stat().st_size)], size)
        return {split.file_id for split in survey.splits(survey.survey(chunk, Input()) for chunk in found)}

    assert file_id(size) == file_id(32_000_000) and len(file_id(size)) == 1


def test_a_file_that_vanishes_or_folder_without_files_is_told(tmp_path: Path):
    gone = survey.Chunk(str(tmp_path / "gone.jsonl"), 10, 0, 10)
    [split] = survey.splits([survey.survey(gone, Input())])
    assert read_splits([split]).failures() == {"unreadable_file": 1}


def test_a_link_to_nothing_in_a_folder_is_told(tmp_path: Path):
    folder = tmp_path / "in"
    (folder / "b").mkdir(parents=True)
    (folder / "a.jsonl").write_bytes(GOOD)
    for name, target in (("b/2.jsonl", "gone.jsonl"), ("loop.csv", "loop.csv"), ("_x", "gone"), ("c.jsonl", "a.jsonl")):
        (folder / name).symlink_to(target)
    for path in (str(folder), f"file://{folder}", str(folder / "*"), str(folder / "**/*")):
        found = [file.path.rpartition("/in/")[2] for file in find([path])]
        assert found == ["a.jsonl", "b/2.jsonl", "c.jsonl", "loop.csv"]
    found = survey_and_read(folder, Input())
    assert [(Path(row["file"]).name, row["reason"]) for row in found.failed] == [
        ("2.jsonl", "unreadable_file"),
        ("loop.csv", "unreadable_file"),
    ]
    assert "No such file" in found.failed[0]["detail"] and found.is_whole()


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path: Path):
    for name in ("a/b/1.jsonl", "c/2.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(GOOD)
    for name, target in (("a/up", ".."), ("a/b/here", "."), ("c/other", "../a"), ("a/d", "../c")):
        (tmp_path / name).symlink_to(target)
    for path in (str(tmp_path / "a"), f"file://{tmp_path}/a"):
        found = [file.path.rpartition(f"{tmp_path}/a/")[2] for file in find([path])]
        assert found == ["b/1.jsonl", "d/2.jsonl", "up/c/2.jsonl"]


def test_hidden_files_are_left_out_and_order_is_by_path(tmp_path: Path):
    for name in ("b/2.jsonl", "a/1.jsonl", "_SUCCESS", ".x/3.jsonl", "b/_tmp/4.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"")
    found = [os.path.relpath(file.path, tmp_path) for file in find([str(tmp_path), str(tmp_path / "b/*.jsonl")])]
    assert found == ["a/1.jsonl", "b/2.jsonl"]
