"""Are all files found, and read under the names they have?"""

import io
import tarfile
from pathlib import Path

import pytest

from conf.settings import Input
from jobs import files
from jobs.errors import InputUnreadable
from jobs.reader import survey
from tests.reader.reading import read_splits

LINE = b'{"id": "%d", "messages": [{"role": "user", "content": "Hi"}]}'
NAMES = ["a b.jsonl", "a#b.jsonl", "a%20b.jsonl", "a?b.jsonl", "a[1].jsonl", "a+b&c.jsonl", "a\\b.jsonl", "ä中.jsonl"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a file of each name; its place in the list is the id of its record."""
    for number, name in enumerate(NAMES):
        (tmp_path / name).write_bytes(LINE % number)
    return tmp_path


def read(path: str) -> dict[str, str]:
    """The id of the record in each file under the path, by the file's name."""
    found = survey.chunks(files.find([path]), 1000)
    reading = read_splits(survey.splits(survey.survey(chunk, Input()) for chunk in found))
    assert reading.refused == reading.failed == []
    return {row["file"].rpartition("/")[2]: row["conversation_id"] for row in reading.rows}


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_files_are_read_whatever_their_names_hold(folder: Path, scheme: str):
    assert read(f"{scheme}{folder}") == {name: str(number) for number, name in enumerate(NAMES)}


def test_a_uri_may_be_written_with_escapes(folder: Path):
    (folder / "c d").mkdir()
    (folder / "c d/e.jsonl").write_bytes(LINE % 9)
    for path in ("c%20d", "c%20d/e.jsonl", "c%20d/*.jsonl"):
        assert read(f"file://{folder}/{path}") == {"e.jsonl": "9"}
    assert read(f"file://{folder}/a%20b.jsonl") == {"a%20b.jsonl": "2"}


@pytest.mark.parametrize("scheme", ["", "file://"])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_can_be_named_whatever_its_name_holds(folder: Path, scheme: str, name: str):
    assert read(f"{scheme}{folder}/{name}") == {name: str(NAMES.index(name))}


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_glob_matches_below_folders_with_any_name(folder: Path, scheme: str):
    (folder / "b [2] d").mkdir()
    (folder / "b [2] d/e.jsonl").write_bytes(LINE % 9)
    assert read(f"{scheme}{folder}/b [2] d/*.jsonl") == read(f"{scheme}{folder}/b*/e.jsonl") == {"e.jsonl": "9"}
    assert read(f"{scheme}{folder}/a[+#]*.jsonl") == {"a#b.jsonl": "1", "a+b&c.jsonl": "5"}


@pytest.mark.parametrize("below", ["", "/\udcff.jsonl"])
def test_a_name_that_is_not_utf8_is_named(tmp_path: Path, below: str):
    (tmp_path / "\udcff.jsonl").write_bytes(LINE % 0)
    with pytest.raises(InputUnreadable, match=r"ff\.jsonl' is not UTF-8; rename that file"):
        files.find([f"{tmp_path}{below}"])


def test_what_cannot_be_listed_is_unreadable_input():
    with pytest.raises(InputUnreadable, match="cannot list /dev/null: expected a file, a folder or a glob"):
        files.find(["/dev/null"])


def test_members_of_an_archive_have_names_of_their_own(tmp_path: Path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for number, name in enumerate(["a.jsonl", "a.jsonl", "a.jsonl#2", "a.jsonl"]):
            info = tarfile.TarInfo(name)
            info.size = len(LINE % number)
            archive.addfile(info, io.BytesIO(LINE % number))
    found = survey.chunks(files.find([str(tmp_path)]), 1000)
    reading = read_splits(survey.splits(survey.survey(chunk, Input()) for chunk in found))
    named = [(row["file"].rpartition("!")[2], row["reason"]) for row in (*reading.rows, *reading.failed)]
    told = [("a.jsonl#2#2", "unsupported_file")]
    assert named == [("a.jsonl", None), ("a.jsonl#2", None), ("a.jsonl#3", None), *told]
