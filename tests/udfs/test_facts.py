import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf import rules
from udfs import facts
from udfs.batch import Limits, any_of, batch_of, sum_of

ALL = tuple(fact.name for fact in facts.FACTS)
ROLES = ("system", "user", "assistant", "tool", "narrator", None)
message = st.tuples(st.sampled_from(ROLES), st.text(max_size=20))


def judge(conversations):
    offsets = np.cumsum([0, *map(len, conversations)], dtype=np.int32)
    messages = [each for conversation in conversations for each in conversation]
    roles, contents = (pa.array([each[part] for each in messages], pa.string()) for part in (0, 1))
    return facts.judge(batch_of(roles, contents, offsets, pa.array(["und"] * len(messages))), ALL, Limits())


def test_the_recipe_has_a_key_for_every_fact_and_every_limit_and_no_other():
    assert tuple(rules.Reasons.model_fields) == ALL
    assert rules.Limits().model_dump() == Limits()._asdict()


def test_an_unknown_fact_is_refused_by_name():
    with pytest.raises(ValueError, match=r"no fact is called blank_mesage; expected some of ai_disclaimer, answer_"):
        facts.judge(
            batch_of(*[pa.array([], pa.string())] * 2, np.zeros(1, int), pa.array([], pa.string())),
            ["blank_mesage"],
            Limits(),
        )


@given(st.lists(st.lists(message, max_size=4), max_size=5))
def test_neighbours_and_empty_conversations_do_not_change_a_judgement(conversations):
    together = judge(conversations)
    assert tuple(together) == ALL
    for row, conversation in enumerate(conversations):
        assert {name: flags[row] for name, flags in together.items()} == {
            name: flags[0] for name, flags in judge([conversation]).items()
        }


def test_sums_by_conversation_hold_where_conversations_are_empty():
    offsets = np.array([0, 0, 2, 2, 3, 3])
    assert sum_of(np.array([1, 2, 3]), offsets).tolist() == [0, 3, 0, 3, 0]
    assert any_of(np.array([False, True, False]), offsets).tolist() == [False, True, False, False, False]
