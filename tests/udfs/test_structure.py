import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf.settings import Structure
from udfs import structure

ROLES = {"s": "system", "u": "user", "a": "assistant", "t": "tool", "x": "narrator", "-": None}


def _judge(*conversations, contents=None):
    roles = [ROLES[letter] for letters in conversations for letter in letters]
    offsets = np.cumsum([0, *map(len, conversations)], dtype=np.int32)
    contents = ["text"] * len(roles) if contents is None else contents
    return structure.judge(pa.array(roles, pa.string()), pa.array(contents, pa.string()), offsets)


def test_the_recipe_has_a_key_for_every_reason_and_no_other():
    assert tuple(Structure.model_fields) == structure.REASONS == tuple(_judge("ua"))


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


@given(st.lists(st.text("suatx", max_size=6), max_size=6))
def test_neighbours_and_empty_conversations_do_not_change_a_judgement(conversations):
    together = _judge(*conversations)
    for row, letters in enumerate(conversations):
        assert {name: flags[row] for name, flags in together.items()} == {
            name: flags[0] for name, flags in _judge(letters).items()
        }


def test_sums_by_conversation_hold_where_conversations_are_empty():
    assert structure.count_of(np.array([1, 2, 3]), np.array([0, 0, 2, 2, 3, 3])).tolist() == [0, 3, 0, 3, 0]
