"""The same question, and another persona."""

import pyarrow as pa
import pytest

from udfs import personas

ADA = ("You are Ada, a poet.", "Ada", "m-1")
SAME = {
    "case and spaces of the system prompt": ("you are  ADA, a poet", "Ada", "m-1"),
    "case of the character": ("You are Ada, a poet.", " ada ", "m-1"),
    "case of the model": ("You are Ada, a poet.", "Ada", "M-1"),
}
OTHER = {
    "system prompt": ("You are Ada, a painter.", "Ada", "m-1"),
    "a number": ("You are Ada 2, a poet.", "Ada", "m-1"),
    "character": ("You are Ada, a poet.", "Bob", "m-1"),
    "model": ("You are Ada, a poet.", "Ada", "m-2"),
    "nothing told": (None, None, None),
    "the model in place of the character": ("You are Ada, a poet.", "m-1", "Ada"),
}


def keys(*told: tuple[str | None, str | None, str | None]) -> list[str]:
    found: list[str] = personas.personas(
        *(pa.array(column, pa.string()) for column in zip(*told, strict=True))
    ).to_pylist()
    return found


@pytest.mark.parametrize("case", SAME)
def test_a_persona_in_another_spelling_is_the_same(case: str) -> None:
    assert len(set(keys(ADA, SAME[case]))) == 1


@pytest.mark.parametrize("case", OTHER)
def test_a_persona_that_differs_in_one_thing_is_another(case: str) -> None:
    assert len(set(keys(ADA, OTHER[case]))) == 2


def test_null_and_empty_are_one_and_keys_are_32_digits() -> None:
    assert len(set(keys((None, None, None), ("", "", ""), (" ", " ", None)))) == 1
    assert len(keys(ADA)[0]) == 32


def test_every_conversation_has_its_keys_and_texts_are_cut() -> None:
    columns = {
        "conversation_id": ["a", "b", "c"],
        "text": ["What is Spark?", "what is  SPARK", "x" * 500],
        "system": [None, "s" * 500, None],
        "character": pa.nulls(3, pa.string()),
        "model": ["m", None, None],
    }
    (found,) = personas.identify([pa.RecordBatch.from_pydict(columns)])
    rows = found.to_pylist()
    assert rows[0]["question"] == rows[1]["question"] != rows[2]["question"]
    assert len({row["persona"] for row in rows}) == 3
    assert (len(rows[2]["text"]), len(rows[1]["system"]), rows[0]["system"]) == (200, 200, None)
