"""Which prompts are the same, and which nearly so."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.dedup import blocks, prompts, verifying
from udfs.dedup.prompts import Likeness

LIKENESS = Likeness(threshold=0.85, shingle=5, min_shingles=6, bands=25, rows=5, seed=1, bucket_limit=64)
LONG = (
    " ".join(f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz") + " and then the long text goes on to its end"
)


def keys(*texts: str | None) -> list[bytes | None]:
    return prompts.keys(pa.array(texts, pa.string())).to_pylist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is Spark?", "what is  spark"),
        ("HELLO, world!", "hello world"),
        ("Straße", "STRAẞE"),
        ("cafe\u0301", "café"),
        ("你好，世界", "你好世界。"),
        ("สวัสดี ครับ", "สวัสดีครับ"),
        ("🙂", " 🙂 "),
    ],
)
def test_case_punctuation_and_spaces_do_not_make_another_prompt(one: str, other: str):
    assert keys(one) == keys(other) != [None]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("what is 37+48?", "what is 12+5?"),
        ("か", "が"),
        ("กิน", "กัน"),
        ("मैं", "मे"),
        ("🙂", "🙃"),
        ("🙂", "🙂🙂"),
        ("?", "!"),
        ("a b", "ab"),
        ("the dog bit the man", "the man bit the dog"),
        ("我喜欢猫", "我喜欢狗"),
        ("кошка", "собака"),
    ],
)
def test_prompts_that_differ_in_a_letter_a_mark_a_digit_or_order_are_not_the_same(one: str, other: str):
    assert keys(one) != keys(other)


@pytest.mark.parametrize("text", [None, "", " ", "\n\t\u3000"])
def test_a_prompt_that_says_nothing_has_no_key(text: str | None):
    assert keys(text, "hi")[0] is None


@given(st.lists(st.text(max_size=12), min_size=1, max_size=8), st.integers(0, 7))
def test_a_key_depends_on_its_own_text_alone(texts: list[str], cut: int):
    whole = pa.array(texts, pa.string())
    assert prompts.keys(whole).to_pylist() == [key for text in texts for key in keys(text)]
    assert prompts.keys(whole.slice(cut)).to_pylist() == prompts.keys(whole).to_pylist()[cut:]


def test_a_key_is_16_bytes_and_stays_what_it_is():
    assert keys("What is 37+48?") == [bytes.fromhex("3b0e2cd1c716714f49a80ffa4fae9a13")]


def unite(
    *texts: str, order: list[list[float]] | None = None, how: Likeness = LIKENESS
) -> dict[str, tuple[str, float]]:
    """What each text is united with, in one component, in the order of the texts (or of ``order``)."""
    count = len(texts)
    names = [f"{number:03}" for number in range(count)]
    columns = {
        "component": pa.array([7] * count),
        "key": pa.array([text.encode() for text in texts]),
        "prompt": pa.array(texts, pa.string()),
        "order": pa.array(order or [[]] * count, pa.list_(pa.float64())),
        "digest": pa.array(names),
        "conversation_id": pa.array(names),
    }
    table = pa.table(columns)
    halves = [*table.slice(0, 1).to_batches(), *table.slice(1).to_batches()]
    found = [row for batch in prompts.unite(halves, how) for row in batch.to_pylist()]
    return {row["key"].decode(): (row["founder"].decode(), row["similarity"]) for row in found}


def test_a_nearly_equal_prompt_goes_to_the_first_in_the_order():
    other = LONG + " indeed"
    assert unite(LONG, other)[other][0] == LONG
    assert unite(other, LONG)[LONG][0] == other
    assert unite(LONG, other, order=[[1.0], [0.0]])[LONG][0] == other


def test_the_similarity_is_the_exact_jaccard_of_the_shingles():
    other = LONG + " indeed"
    sets, _ = prompts._sets(pa.array([LONG, other]), LIKENESS)
    parts = [sets.hashes[sets.offsets[row] : sets.offsets[row + 1]] for row in range(2)]
    assert unite(LONG, other)[other][1] == verifying.jaccard(*parts)


def test_a_chain_of_likeness_is_not_followed():
    words = LONG.split()
    first, second, third = (" ".join(words[cut : cut + 30]) for cut in (0, 2, 4))
    how = LIKENESS._replace(threshold=0.8)
    found = unite(first, second, third, how=how)
    assert found[second][0] == first
    assert third not in found


def test_the_same_long_task_with_other_numbers_is_another_prompt():
    assert unite(LONG + " 37", LONG + " 38") == {}
    assert unite(LONG + " 37", "37 " + LONG, how=LIKENESS._replace(threshold=0.5)) != {}


def test_only_prompts_long_enough_are_filed():
    texts = pa.array(["hi", "continue", "what is 37+48?", "", None, LONG], pa.string())
    batch = pa.record_batch({"row": pa.array(np.arange(6)), "prompt": texts})
    filed, owners = blocks.unpack(prompts.file([batch], LIKENESS, 4))
    assert set(owners.tolist()) == {5}
    assert len(filed) == LIKENESS.bands
