import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs import alike, hanzi

TEXT = st.one_of(st.text(max_size=30), st.text(alphabet="aｶﾞe\u0301\u0302 \n\u00a0\u200b殺杀İß'’\0", max_size=30))


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Ｈｅｌｌｏ  ＷORLD", "hello world"), ("ﾊﾟｿｺﾝ", "パソコン"),
        ("e\u0301te\u0301", "été"), ("e\u0302\u0301", "ế"),
        ("殺人犯罪臺灣", "杀人犯罪台湾"), ("don’t\u00a0\n x", "don't x"),
        ("k\u200bi\u00adll", "kill"), ("a \u200b \n", "a "), ("𝐤𝐢𝐥𝐥", "kill"),
        ("İ", "i"), ("a\0b", "a b"), ("ß", "ß"), ("ﬁn", "ﬁn"), ("", ""), (None, ""),
    ],
)  # fmt: skip
def test_what_is_read_alike_is_folded_away(text, read):
    assert alike.fold(text) == read


@given(st.lists(st.one_of(st.none(), TEXT), max_size=4))
@settings(deadline=None, max_examples=100)
def test_every_character_is_placed_in_the_stored_text(texts):
    reading = alike.read(pa.array(texts, pa.string()))
    stored = "".join(f"{text or ''}\x01" for text in texts)
    assert len(reading.text) == len(reading.codes) == len(reading.places)
    assert (np.diff(reading.places) > 0).all()
    assert reading.begins.tolist() == [0, *np.cumsum([len(text or "") + 1 for text in texts])]
    assert all(alike.fold(stored[place]) in ("", code) or code == "\0" or ord(code) > 0x7F
               for code, place in zip(reading.text, reading.places.tolist(), strict=True))  # fmt: skip


@given(TEXT)
@settings(deadline=None, max_examples=100)
def test_reading_twice_changes_nothing_more(text):
    once = alike.fold(text)
    assert alike.fold(once) == once


def test_the_table_of_characters_pairs_up_and_is_closed():
    assert len(hanzi.TRADITIONAL) == len(hanzi.SIMPLIFIED) > 2900
    assert not set(hanzi.TRADITIONAL) & set(hanzi.SIMPLIFIED)


@pytest.mark.parametrize("unit", ["a", " ", "\0", "e\u0301", "ｶﾞ", "\u200b", "🤖", "殺"])
def test_a_megabyte_is_read(unit):
    assert alike.read(pa.array([unit * 300_000])).text.endswith("\0")
