"""What is cut and what is joined: limits hold, nothing is lost, order of arrival does not matter."""

import random
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.udfs.test_exchanges import ROLES
from tests.vocabularies import write_tokenizer
from udfs import shaping, vocabulary
from udfs.shaping import Limits
from udfs.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    """A byte is a token, a message costs one more."""
    path: Path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    return Vocabulary(vocabulary.read(write_tokenizer(path)), 1)


Message = tuple[str, int]
MESSAGES = st.lists(st.tuples(st.sampled_from("suuaaat"), st.integers(0, 12)), max_size=12)


def batch(chats: list[list[Message]], first: int = 0) -> pa.RecordBatch:
    columns = {
        "conversation_id": [f"c{first + number}" for number in range(len(chats))],
        "digest": [f"d{first + number}" for number in range(len(chats))],
        "key": ["k"] * len(chats),
        "roles": pa.array([[ROLES[role] for role, _ in chat] for chat in chats], pa.list_(pa.string())),
        "contents": pa.array([["x" * size for _, size in chat] for chat in chats], pa.list_(pa.string())),
    }
    return pa.RecordBatch.from_pydict(columns)


def planned(chats: list[list[Message]], limits: Limits, words: Vocabulary | None) -> dict[str, dict[str, Any]]:
    rows = [row for found in shaping.plan([batch(chats)], limits, words) for row in found.to_pylist()]
    assert len({row["conversation_id"] for row in rows}) == len(rows)
    return {row["conversation_id"]: row for row in rows}


def tokens(chat: list[Message]) -> int:
    return sum(size + 1 for _, size in chat)


PAIR = [("u", 4), ("a", 4)]
CASES = {
    "short": (PAIR * 2, None),
    "as long as may be": (PAIR * 3, None),
    "longer": (PAIR * 4, [0, 6]),
    "the head counts in every part": ([("s", 9), *PAIR * 5], [1, 5, 9]),
    "one long exchange stays whole": ([("u", 90), ("a", 90)], None),
    "a long exchange is a part of its own": ([*PAIR, ("u", 90), ("a", 90), *PAIR], [0, 2, 4]),
    "a head longer than all": ([("s", 90), *PAIR * 2], [1, 3]),
    "tools stay in their exchange": ([*PAIR, ("t", 9), ("a", 4), *PAIR * 2], [0, 4]),
    "nothing": ([], None),
    "system messages alone": ([("s", 99)], None),
}


@pytest.mark.parametrize("case", CASES)
def test_a_conversation_longer_than_the_limit_is_cut_between_exchanges(case: str, words: Vocabulary) -> None:
    chat, cuts = CASES[case]
    found = planned([PAIR, chat, PAIR], Limits(30, 0, 0), words)
    assert {name: row["cuts"] for name, row in found.items()} == ({"c1": cuts} if cuts else {})


@given(chats=st.lists(MESSAGES, max_size=6), limit=st.integers(1, 60))
@hypothesis_settings(max_examples=150)
def test_parts_are_whole_exchanges_within_the_limit_and_none_could_take_one_more(
    words: Vocabulary, chats: list[list[Message]], limit: int
) -> None:
    found = planned(chats, Limits(limit, 0, 0), words)
    for number, chat in enumerate(chats):
        row = found.get(f"c{number}")
        head = len(chat) - len("".join(role for role, _ in chat).lstrip("s"))
        inner = [
            place
            for place in range(head + 1, len(chat))
            if (chat[place - 1][0], chat[place][0]) == ("a", "u") and "u" in [role for role, _ in chat[head:place]]
        ]
        starts = [head, *inner]
        if row is None:
            assert tokens(chat) <= limit or len(starts) == 1
            continue
        cuts = row["cuts"]
        assert row["head"] == head and cuts[0] == head and set(cuts) <= set(starts)
        ends = [*cuts[1:], len(chat)]
        for cut, end in zip(cuts, ends, strict=True):
            exchanges = [start for start in starts if cut <= start < end]
            assert tokens(chat[:head] + chat[cut:end]) <= limit or len(exchanges) == 1
            if end < len(chat):
                following = next((start for start in starts if start > end), len(chat))
                assert tokens(chat[:head] + chat[cut:following]) > limit


def test_what_may_be_joined_is_one_whole_exchange(words: Vocabulary) -> None:
    chats = [PAIR, [("s", 3), *PAIR], PAIR * 2, [("u", 1)], [("a", 1), *PAIR], [], [("s", 1)]]
    found = planned(chats, Limits(0, 4, 50), words)
    facts = {name: (row["cuts"], row["head"], row["head_tokens"], row["tokens"]) for name, row in found.items()}
    assert facts == {"c0": (None, 0, 0, 10), "c1": (None, 1, 4, 10)}
    assert set(planned(chats, Limits(0, 4, 0), None)) == {"c0", "c1"}


def test_conversations_of_null_roles_and_no_batches_are_left_alone(words: Vocabulary) -> None:
    nothing = batch([[("-", 3)]])
    assert [found.num_rows for found in shaping.plan([nothing], Limits(1, 2, 9), words)] == [0]
    assert list(shaping.plan([], Limits(1, 2, 9), words)) == list(shaping.join([], Limits(0, 2, 0))) == []


SHORT = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from("xyz"),
            "digest": st.text("ab", max_size=2),
            "tokens": st.integers(0, 30),
            "head_tokens": st.integers(0, 5),
        }
    ),
    max_size=30,
)


def joined(rows: list[dict[str, Any]], limits: Limits, cuts: list[int]) -> list[dict[str, Any]]:
    schema = pa.schema(
        [*((name, pa.string()) for name in ("conversation_id", "digest", "key")), ("head", pa.int32())]
        + [(name, pa.int64()) for name in ("tokens", "head_tokens")]
    )
    edges = sorted({0, len(rows), *(cut % (len(rows) + 1) for cut in cuts)})
    batches = [pa.RecordBatch.from_pylist(rows[a:b], schema) for a, b in pairwise(edges)]
    found = [row for out in shaping.join(batches, limits) for row in out.to_pylist()]
    return sorted(found, key=lambda row: row["conversation_id"])


@given(SHORT, st.integers(2, 5), st.integers(0, 40), st.randoms(use_true_random=False), st.lists(st.integers(0, 40)))
@hypothesis_settings(max_examples=150)
def test_joined_rows_keep_to_limits_and_group_and_do_not_depend_on_the_order_of_arrival(
    short: list[dict], most: int, limit: int, rng: random.Random, cuts: list[int]
) -> None:
    rows = [{"conversation_id": f"c{number:02}", "head": 1, **row} for number, row in enumerate(short)]
    limits = Limits(0, most, limit)
    found = joined(rows, limits, [])
    known = {row["conversation_id"]: row for row in rows}
    assert max(Counter(row["conversation_id"] for row in found).values(), default=1) == 1
    groups: dict[str, list[dict]] = {}
    for row in sorted(found, key=lambda row: row["place"]):
        groups.setdefault(row["first"], []).append(known[row["conversation_id"]])
    for first, members in groups.items():
        assert members[0]["conversation_id"] == first and 2 <= len(members) <= most
        assert len({row["key"] for row in members}) == 1
        assert [(row["digest"], row["conversation_id"]) for row in members] == sorted(
            (row["digest"], row["conversation_id"]) for row in members
        )
        assert not limit or members[0]["head_tokens"] + sum(row["tokens"] for row in members) <= limit
    shuffled = rng.sample(rows, len(rows))
    assert joined(shuffled, limits, cuts) == found


def test_a_group_is_joined_to_the_last_row_that_has_a_neighbour() -> None:
    rows = [
        {"conversation_id": f"c{n}", "digest": f"{n}", "key": "k", "head": 0, "tokens": 1, "head_tokens": 0}
        for n in range(7)
    ]
    found = joined(rows, Limits(0, 3, 0), [])
    assert [(row["first"], row["place"]) for row in found] == [(f"c{n - n % 3}", n % 3) for n in range(6)]
    assert np.array_equal(shaping.fill(np.zeros(7), np.zeros(7), np.ones(7), Limits(0, 3, 0)), np.arange(7) % 3 == 0)
