"""Is a table of text read by the separator that its name or its header tells?"""

import csv
import json
from pathlib import Path

import pytest

from tests.reader.reading import read

HARD = '5" a;b,\tc\nd"'


@pytest.mark.parametrize(
    "name, separator, third",
    [
        ("in.csv", ",", "a;b;c"),
        ("in.csv", ",", '"\t'),
        ("in.csv", ";", "a, b"),
        ("in.csv", ";", 'a ",b,", c'),
        ("in.csv", ";", "a\tb"),
        ("in.csv", "\t", "a,\nb;c"),
        ("in.tsv", "\t", "a;b,c"),
    ],
)
@pytest.mark.parametrize("place", range(3))
def test_the_separator_is_the_first_that_the_header_has_outside_quotes(
    tmp_path: Path, name: str, separator: str, third: str, place: int
):
    header, row = ["prompt", "response"], [HARD, ""]
    header.insert(place, third)
    row.insert(place, HARD)
    with (tmp_path / name).open("w", newline="") as file:
        csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL).writerow(header)
        csv.writer(file, delimiter=separator).writerows([row, row])
    found = read(tmp_path / name)
    assert [[message["content"] for message in row["messages"]] for row in found.rows] == [[HARD, ""]] * 2
    assert [json.loads(row["metadata"]) for row in found.rows] == [{third: HARD}] * 2 and found.is_whole()


def test_a_header_of_a_million_names_is_told_by_the_one_it_has_twice(tmp_path: Path):
    """In quadratic time this would not end."""
    (tmp_path / "in.csv").write_bytes(b"a," * 500_000 + b"b\n")
    [told] = read(tmp_path / "in.csv").failed
    assert told["reason"] == "corrupt_file" and "'a' more than once" in told["detail"]
