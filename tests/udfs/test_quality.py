import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.chats import batch
from udfs import facts, quality
from udfs.batch import Limits

GOOD = (
    "The moon is far away from the earth, and yet its pull moves every sea. Sailors knew this long before anyone could "
    "say why: they watched the tide come in, counted hours, and wrote small tables for their harbours."
)


def _score(*conversations, hits=None, languages="und"):
    chats = batch(*conversations, languages=languages)
    found = facts.judge(chats, quality.USES, Limits())
    keywords = pa.array(hits or [[]] * len(chats.roles), pa.list_(pa.string()))
    return quality.score(chats, found, keywords)


def test_weights_add_up_to_one():
    assert sum(quality.WEIGHTS.values()) == pytest.approx(1.0)
    assert tuple(quality.WEIGHTS) == quality.Parts._fields


def test_a_long_whole_answer_is_worth_about_one():
    lines = "\n".join(f"Point {number}: the {number * 7} ships of harbour {number * 13} sail." for number in range(40))
    assert _score(["u:Tell me", f"a:{lines}"])[0] > 0.8


@pytest.mark.parametrize(
    "worse",
    [
        ["u:Why?"],
        ["u:Why?", "a:"],
        ["u:Why?", f"a:{GOOD[:60]}"],
        ["u:Why?", f"a:{GOOD[:-30]}"],
        ["u:Why?", f"a:{GOOD} <|im_end|>"],
        ["u:Why?", f"a:{GOOD}\n```"],
        ["u:Why?", f"a:As an AI language model, I can say this. {GOOD}"],
        ["u:Why?", "a:Network error, please try again."],
        ["u:Why?", "a:" + "I do not know. " * 14],
    ],
)
def test_each_fault_costs(worse):
    assert _score(worse)[0] < _score(["u:Why?", f"a:{GOOD}"])[0]


def test_disclaimers_and_another_language_cost():
    chat = ["u:Why?", f"a:{GOOD}"]
    assert _score(chat, hits=[[], ["refusal"]])[0] < _score(chat, hits=[["refusal"], ["advert"]])[0]
    assert _score(chat, languages="de en")[0] < _score(chat, languages="und en")[0] == _score(chat)[0]


chats = st.lists(
    st.lists(st.builds("{}:{}".format, st.sampled_from("suat"), st.text(max_size=40)), max_size=4), max_size=4
)


@given(chats)
def test_every_conversation_has_a_score_of_its_own_between_0_and_1(conversations):
    together = _score(*conversations)
    assert ((together >= 0) & (together <= 1)).all()
    assert np.array_equal(together, np.array([_score(one)[0] for one in conversations]))
