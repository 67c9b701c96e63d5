import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.shingling import fold as fold_character
from udfs import folding
from udfs.tokens import compose


def fold(texts: pa.Array) -> pa.Array:
    return folding.fold(compose(texts))


def fold_slowly(text: str) -> str:
    return " ".join("".join(map(fold_character, unicodedata.normalize("NFC", text))).split())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello  World", "hello world"),
        (" a\r\n\tb\u3000c ", "a b c"),
        ("e\u0301", "É"),
        ("ПРИВЕТ", "привет"),
        ("ẞ", "ß"),
        ("Σίσυφος", "σίσυφοσ"),
        ("", None),
        (" \n", ""),
    ],
)
def test_case_spacing_and_composition_do_not_tell_texts_apart(one, other):
    assert fold(pa.array([one])).equals(fold(pa.array([other], pa.string())))


@pytest.mark.parametrize(
    ("one", "other"), [("a b", "ab"), ("1", "2"), ("か", "が"), ("a.", "a"), ("ｆ", "f"), ("กิน", "กัน")]
)
def test_everything_else_does(one, other):
    assert not fold(pa.array([one])).equals(fold(pa.array([other])))


@given(st.lists(st.text(max_size=30), max_size=5))
def test_folding_is_that_of_python_strings_and_folding_twice_changes_nothing(texts):
    once = fold(pa.array(texts, pa.string()))
    assert once.to_pylist() == [fold_slowly(text) for text in texts]
    assert fold(once).equals(once) or any(fold_slowly(fold_slowly(text)) != fold_slowly(text) for text in texts)


@given(st.lists(st.text(max_size=8), min_size=2, max_size=6), st.data())
def test_a_slice_and_a_large_array_fold_alike(texts, data):
    start = data.draw(st.integers(0, len(texts) - 1))
    expected = fold(pa.array(texts[start:], pa.string())).to_pylist()
    assert fold(pa.array(texts, pa.string())[start:]).to_pylist() == expected
    assert fold(pa.array(texts, pa.large_string())[start:]).to_pylist() == expected
