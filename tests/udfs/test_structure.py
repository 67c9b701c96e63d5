import numpy as np
import pyarrow as pa
import pytest

from udfs import facts
from udfs.batch import Limits, batch_of

ROLES = {"s": "system", "u": "user", "a": "assistant", "t": "tool", "x": "narrator", "-": None}


def _judge(*conversations, contents=None):
    roles = [ROLES[letter] for letters in conversations for letter in letters]
    offsets = np.cumsum([0, *map(len, conversations)], dtype=np.int32)
    contents = ["text"] * len(roles) if contents is None else contents
    columns = (pa.array(column, pa.string()) for column in (roles, contents))
    batch = batch_of(*columns, offsets, pa.array(["und"] * len(roles)))
    return facts.judge(batch, ("blank_message", "bad_roles", "unanswered"), Limits())


@pytest.mark.parametrize("letters", ["ua", "uaua", "sua", "ssua", "uata", "uatta", "uatu", "u", "s", "", "uatua"])
def test_roles_in_turns_are_good(letters):
    assert _judge(letters)["bad_roles"].tolist() == [False]


@pytest.mark.parametrize(
    "letters", ["a", "au", "uu", "uaa", "usa", "uasua", "ut", "t", "sta", "sa", "xua", "u-", "uta"]
)
def test_roles_out_of_turn_are_bad(letters):
    assert _judge(letters)["bad_roles"].tolist() == [True]


@pytest.mark.parametrize(("letters", "expected"), [("ua", False), ("u", True), ("uat", True), ("s", True), ("", True)])
def test_a_conversation_that_ends_without_an_answer_is_unanswered(letters, expected):
    assert _judge(letters)["unanswered"].tolist() == [expected]


@pytest.mark.parametrize("blank", ["", " ", "\n\t\u3000\u00a0\u2003", None])
def test_a_blank_user_or_assistant_message_is_found_and_a_blank_system_message_is_no_fault(blank):
    assert _judge("sua", contents=["x", blank, "y"])["blank_message"].tolist() == [True]
    assert _judge("sua", contents=["x", "y", blank])["blank_message"].tolist() == [True]
    assert _judge("suata", contents=[blank, "x", "y", blank, "z"])["blank_message"].tolist() == [False]
