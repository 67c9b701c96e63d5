"""Where exchanges begin, whatever the order of roles."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.exchanges import exchanges, is_one_exchange

ROLES = {"s": "system", "u": "user", "a": "assistant", "t": "tool", "-": None}

CASES = {
    "": (0, []),
    "s": (1, []),
    "u": (0, [0]),
    "ua": (0, [0]),
    "suaua": (1, [1, 3]),
    "ssua": (2, [2]),
    "uaua": (0, [0, 2]),
    "uauaua": (0, [0, 2, 4]),
    "auaua": (0, [0, 3]),  # what the assistant says first belongs to the first exchange
    "saua": (1, [1]),
    "uuaua": (0, [0, 3]),
    "uataua": (0, [0, 4]),  # a call of a tool is inside an exchange
    "uatua": (0, [0]),  # so is a question after no answer
    "uasua": (0, [0]),
    "uau": (0, [0, 2]),
    "-ua": (0, [0]),
}


def flat(chats: list[str]) -> tuple[pa.Array, np.ndarray]:
    roles = pa.array([ROLES[one] for chat in chats for one in chat], pa.string())
    return roles, np.cumsum([0, *map(len, chats)])


@pytest.mark.parametrize("chat", CASES)
def test_an_exchange_goes_from_a_question_to_before_the_next_one(chat: str) -> None:
    found = exchanges(*flat([chat]))
    assert (found.heads.tolist(), found.starts.tolist(), found.offsets.tolist()) == (
        [CASES[chat][0]],
        CASES[chat][1],
        [0, len(CASES[chat][1])],
    )


@given(st.lists(st.text("suat-", max_size=9), max_size=9))
def test_conversations_side_by_side_are_each_as_they_are_alone(chats: list[str]) -> None:
    found = exchanges(*flat(chats))
    offsets = np.cumsum([0, *map(len, chats)])
    for number, chat in enumerate(chats):
        alone = exchanges(*flat([chat]))
        own = found.starts[found.offsets[number] : found.offsets[number + 1]]
        assert (own - offsets[number]).tolist() == alone.starts.tolist()
        assert found.heads[number] == alone.heads[0] == len(chat) - len(chat.lstrip("s"))
        assert (len(own) > 0) == bool(chat.strip("s"))


@pytest.mark.parametrize(
    "chat", ["ua", "sua", "ssuua", "uata", "uasa", "uatua", "us", "u", "au", "aua", "", "s", "uaua"]
)
def test_one_exchange_is_begun_by_the_user_and_ended_by_the_assistant(chat: str) -> None:
    roles, offsets = flat([chat])
    wanted = chat in ("ua", "sua", "ssuua", "uata", "uasa", "uatua")
    assert is_one_exchange(exchanges(roles, offsets), roles, offsets).tolist() == [wanted]


@given(st.lists(st.sampled_from(["ua", "uua", "uaa", "uata", "uatua", "uasa"]), min_size=1, max_size=6))
def test_single_exchanges_one_after_the_other_are_found_again(chats: list[str]) -> None:
    found = exchanges(*flat(["s" + "".join(chats)]))
    assert found.starts.tolist() == np.cumsum([1, *map(len, chats)])[:-1].tolist()
