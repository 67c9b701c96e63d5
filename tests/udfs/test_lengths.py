import pyarrow as pa
import pytest

from tests.udfs.chats import holds
from udfs.facts import lengths

ANSWER = "a:Here is an answer of some words."


@pytest.mark.parametrize(
    ("said", "is_short"),
    [
        (["u:hi", ANSWER], True),
        (["u:!?", ANSWER], True),
        (["u:你好", ANSWER], True),
        (["u:hi there", ANSWER], False),
        (["u:你好世界", ANSWER], False),
        (["u:hi", "a:Hello, how are you?", "u:fine", ANSWER], False),
        (["u:What is the capital of France?", "a:Paris."], True),
        (["u:What is the capital of France?", "a:Paris it is."], False),
        (["u:" + "https://example.org/a/very/long/link/indeed-it-is", ANSWER], False),
        (["u:" + "x" * 1_000_000, ANSWER], False),
        ([], True),
    ],
)
def test_a_side_of_fewer_words_than_the_limit_is_short(said, is_short):
    assert holds("too_short", *said) is is_short


def test_no_limit_finds_nothing_short():
    assert not holds("too_short", "u:", "a:", min_user_words=0, min_answer_words=0)


def test_words_count_two_characters_of_an_unspaced_script_as_one():
    texts = pa.array(["two words", "中文字符", "Python 代码", "สวัสดี", "", "5+5", "don't"])
    assert lengths.words(texts).tolist() == [2, 2, 2, 3, 0, 2, 2]


def test_a_long_message_or_many_make_a_conversation_long():
    assert not holds("too_long", "u:" + "x" * 100, "a:" + "x" * 100, max_message_characters=100, max_characters=200)
    assert holds("too_long", "u:" + "x" * 101, "a:x", max_message_characters=100, max_characters=200)
    assert holds("too_long", *["u:" + "x" * 80, "a:" + "x" * 80] * 2, max_message_characters=100, max_characters=200)
