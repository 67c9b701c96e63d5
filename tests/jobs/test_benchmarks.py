"""Benchmark files of every usual shape are read; what is wrong with one is told with file and line, all at once."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from conf.duplicates import Decontaminate, Fields
from jobs.errors import InputUnreadable
from jobs.questions import Item, read


def items(folder: Path, **settings: object) -> list[Item]:
    return read(Decontaminate.model_validate({"benchmarks": str(folder), **settings}))


def problems(folder: Path) -> list[str]:
    with pytest.raises(InputUnreadable) as raised:
        items(folder)
    return [line.removeprefix(f"{folder}/") for line in str(raised.value).split("\n")]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("q.jsonl", '{"question_id": 81, "turns": ["One?", "Two?"]}', Item("q", "81", "One?", later=("Two?",))),
        ("q.jsonl", '\ufeff{"question": "One?"}\r\n\r\n', Item("q", "1", "One?")),
        ("q.jsonl", '{"id": "a/1", "prompt": "One?"}', Item("q", "a/1", "One?")),
        ("q.jsonl", '{"instruction": "Do it.", "input": ""}', Item("q", "1", "Do it.")),
        ("q.jsonl", '{"instruction": "Do it.", "input": "To this."}', Item("q", "1", "Do it.\nTo this.")),
        ("q.jsonl", '{"input": "One?", "target": "x"}', Item("q", "1", "One?")),
        ("q.jsonl", '{"text": "One?", "id": 0}', Item("q", "0", "One?")),
        ("q.jsonl", '{"turns": [{"content": "One?"}]}', Item("q", "1", "One?")),
        (
            "q.jsonl",
            '{"prompt": [{"role": "system", "content": "S"}, {"role": "user", "content": "One?"}]}',
            Item("q", "1", "One?"),
        ),
        ("q.jsonl", '{"question": "One?", "choices": ["x", 2]}', Item("q", "1", "One?", ("x", "2"))),
        (
            "q.jsonl",
            '{"question": "One?", "choices": {"text": ["x", "y"], "label": ["A", "B"]}}',
            Item("q", "1", "One?", ("x", "y")),
        ),
        ("q.jsonl", '{"question": "One?", "options": {"A": "x", "B": "y"}}', Item("q", "1", "One?", ("x", "y"))),
        ("q.jsonl", '{"question": "One?", "A": 4, "B": "x", "C": 2.5}', Item("q", "1", "One?", ("4", "x", "2.5"))),
        ("q.jsonl", '{"question": 4, "prompt": "One?"}', Item("q", "1", "One?")),
        ("q.json", '[\n{"question": "One?"}\n]', Item("q", "2", "One?")),
        ("q.json", '{"question": "One?"}', Item("q", "1", "One?")),
        ("q.csv", "question,,\nOne?,,\n", Item("q", "2", "One?")),
        ("q.csv", "\nquestion;A\nOne, or two?;x\n", Item("q", "3", "One, or two?", ("x",))),
        ("q.tsv", "question\tA\nOne?\tx\n", Item("q", "2", "One?", ("x",))),
        ("q.csv", "question\n" + "?" * 200_000, Item("q", "2", "?" * 200_000)),
        ("deep/q.csv", 'question,A,B\r\n"One,\ntwo?",x,y\r\n', Item("deep/q", "2", "One,\ntwo?", ("x", "y"))),
    ],
)
def test_a_question_is_read_from_every_usual_shape(tmp_path: Path, name: str, text: str, expected: Item) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(text.encode())
    assert items(tmp_path) == [expected]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("q.jsonl", '{"question": "One?"}\n\n{"question": "Two?"', "q.jsonl:3: malformed_json"),
        ("q.jsonl", '{"question": "One?"}\n[]', "q.jsonl:2: expected an object with a question, found list"),
        ("q.jsonl", '{"question": "  "}', "q.jsonl:1: no question: expected text in one of question, prompt"),
        ("q.jsonl", '{"ask": "One?"}', "q.jsonl:1: no question: expected text in one of question, prompt"),
        ("q.jsonl", '{"question": "a", "question": "b"}', "q.jsonl:1: duplicate_key"),
        ("q.jsonl", '{"question": "\\ud800"}', "q.jsonl:1: lone_surrogate"),
        ("q.jsonl", "\n \n", "q.jsonl:1: holds no question"),
        ("q.json", '[{"question": "a"},\n{"question": "b"},\n]', "q.json:3: not a JSON array"),
        ("q.json", '[{"question": "a"},\n {"ask": "b"}]', "q.json:2: no question"),
        ("q.json", "[]", "q.json:1: holds no question"),
        ("q.json", '{"questions": [\n{"question": "a"}]}', "q.json:1: expected one record a line or one array"),
        ("q.csv", "question,A\nOne?,x,y\n", "q.csv:2: expected 2 fields as in the header, found 3"),
        ("q.csv", "question,A,question\nOne?,x,y\n", "q.csv:1: the header has 'question' more than once"),
        ("q.csv", "One?,x,y,A\nTwo?,x,y,B\n", "q.csv:2: no question"),
        ("q.csv", 'question\n"One?\n', "q.csv:2: malformed CSV"),
        ("q.parquet", "PAR1", "q.parquet:1: not a Parquet file that can be read: "),
        (
            "q.txt",
            "One?",
            "q.txt:1: expected a benchmark in a file that ends in .jsonl, .ndjson, .json, .csv, .tsv, .pa",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, name: str, text: str, expected: str) -> None:
    (tmp_path / name).write_text(text)
    [problem] = problems(tmp_path)
    assert problem.startswith(expected)


def test_the_rows_of_a_parquet_file_are_questions(tmp_path: Path) -> None:
    rows = [{"question": "One?", "choices": ["x", "y"]}, {"question": None, "choices": []}]
    parquet.write_table(pa.Table.from_pylist(rows[:1]), tmp_path / "mmlu.parquet")
    assert items(tmp_path) == [Item("mmlu", "1", "One?", ("x", "y"))]
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "mmlu.parquet")
    [problem] = problems(tmp_path)
    assert problem.startswith("mmlu.parquet:2: no question")


def test_a_file_in_another_encoding_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_bytes('{"question": "One?"}\n{"question": "Où ?"}'.encode("latin-1"))
    assert problems(tmp_path) == ["q.jsonl:2: not UTF-8 text (byte 0xf9)"]


def test_every_mistake_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"x": 1}\n{"id": 1, "question": "a"}\n{"id": 1, "question": "b"}')
    (tmp_path / "b.json").write_text("[1]")
    told = problems(tmp_path)
    assert [line.split(" ")[0] for line in told] == ["a.jsonl:1:", "a.jsonl:3:", "b.json:1:"]
    assert "'1' is also the id at" in told[1] and told[1].endswith("a.jsonl:2; see decontaminate.fields.id")


def test_a_flood_of_mistakes_is_cut(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{}\n" * 50)
    assert len(problems(tmp_path)) == 21 and problems(tmp_path)[-1] == "and 30 more"


def test_fields_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Stem,Key,One,Two\nWhy?,k1,x,\n")
    fields = Fields(question=["Stem"], id=["Key"], choices=["One", "Two"])
    assert items(tmp_path, fields=fields) == [Item("a", "k1", "Why?", ("x",))]


def test_files_of_one_name_in_two_folders_are_two_benchmarks(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "question.jsonl").write_text('{"id": 1, "question": "q"}')
    assert [item.benchmark for item in items(tmp_path)] == ["a/question", "b/question"]
    assert [item.benchmark for item in items(tmp_path / "a" / "question.jsonl")] == ["question"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match=r"input not found: .*nowhere"):
        items(tmp_path / "nowhere")


def test_a_question_with_choices_may_be_asked_in_three_ways() -> None:
    assert Item("b", "1", "Q?", ("x", "y")).texts() == ["Q?", "Q?\nx\ny", "Q?\nA. x\nB. y"]
    assert Item("b", "1", "Q?").texts() == ["Q?"]
