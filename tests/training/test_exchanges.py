"""A long conversation is cut or split between exchanges, and every one has exactly one outcome."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.training.chats import conversation
from tests.training.test_chat import encoder
from training.encoding import Row, trained_ranges
from training.exchanges import Rules, exchanges, fit
from udfs.exchanges import exchanges as published

ENCODER = encoder("byte_level", "chatml")

STARTS = {
    "plain": ("ua ua ua", (0, [0, 2, 4])),
    "system": ("sua ua", (1, [1, 3])),
    "two_users": ("uua uua", (0, [0, 3])),
    "two_answers": ("uaa ua", (0, [0, 3])),
    "greeting": ("a ua ua", (0, [0, 3])),
    "open_end": ("ua u", (0, [0, 2])),
    "only_system": ("ss", (2, [])),
}
ROLES = {"u": "user", "a": "assistant", "s": "system"}


def talk(roles: str, content: str = "words and words") -> list[dict[str, str]]:
    return [{"role": ROLES[one], "content": content} for one in roles.replace(" ", "")]


def size(messages) -> int:
    row = ENCODER.encode([messages])[0]
    assert isinstance(row, Row)
    return len(row)


@pytest.mark.parametrize(("roles", "starts"), STARTS.values(), ids=STARTS)
def test_an_exchange_starts_at_a_user_who_follows_an_answer(roles, starts):
    assert exchanges(talk(roles)) == starts


@given(st.text("sua", max_size=12))
def test_training_and_publish_cut_at_the_same_borders(roles):
    flat = pa.array([ROLES[one] for one in roles], pa.string())
    found = published(flat, np.array([0, len(roles)]))
    assert exchanges(talk(roles)) == (found.heads[0], found.starts.tolist())


@pytest.mark.parametrize("loss_on", ["assistant", "last"])
@pytest.mark.parametrize("long", ["cut", "split"])
def test_a_greeting_is_never_a_row_of_its_own(long, loss_on):
    greeting = [{"role": "assistant", "content": "Hello, I am Ann."}]
    fitted = fit(ENCODER, [[*greeting, *conversation("a?", "b " * 60, "c?", "d")]], Rules(64, loss_on, long))[0]
    assert fitted.outcome == long
    assert "Ann" in ENCODER.decode(fitted.rows[0].ids) and "a?" in ENCODER.decode(fitted.rows[0].ids)


@settings(max_examples=60)
@given(
    contents=st.lists(st.text("ab \n漢", min_size=1, max_size=120), min_size=2, max_size=12),
    room=st.integers(24, 160),
    system=st.sampled_from(["", "Be short.", "system " * 12]),
)
def test_cut_keeps_as_many_whole_exchanges_from_the_start_as_fit(contents, room, system):
    messages = conversation(*contents[: len(contents) // 2 * 2], system=system)
    fitted = fit(ENCODER, [messages], Rules(room, "assistant", "cut"))[0]
    head = 1 if system else 0
    sizes = [size(messages[: head + 2 * n]) for n in range(1, len(contents) // 2 + 1)]
    fits = sum(one <= room for one in sizes)
    if fits == len(sizes):
        assert (fitted.outcome, fitted.exchanges_lost, fitted.tokens_lost) == ("whole", 0, 0)
    elif fits:
        assert (fitted.outcome, fitted.exchanges_lost, fitted.tokens_lost) == ("cut", len(sizes) - fits, 0)
        expected = ENCODER.encode([messages[: head + 2 * fits]])[0]
        assert isinstance(expected, Row)
        assert fitted.rows[0].ids.tolist() == expected.ids.tolist()
    elif fitted.outcome == "cut":
        assert len(fitted.rows[0]) == room
        assert fitted.tokens_lost == sizes[0] - room
    else:
        assert (fitted.outcome, fitted.rows) == ("no_loss", ())


@settings(max_examples=60)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=4, max_size=16),
    room=st.integers(100, 200),
    system=st.sampled_from(["", "sys " * 9]),
)
def test_split_keeps_every_answer_once_and_in_order_with_the_system_message_in_each_row(lengths, room, system):
    contents = [f"{n}:" + "x" * length for n, length in enumerate(lengths[: len(lengths) // 2 * 2])]
    messages = conversation(*contents, system=system)
    head = messages[:1] if system else []
    pairs = [messages[n : n + 2] for n in range(len(head), len(messages), 2)]
    assume(size(messages) > room and max(size([*head, *pair]) for pair in pairs) <= room)
    fitted = fit(ENCODER, [messages], Rules(room, "assistant", "split"))[0]
    assert fitted.outcome == "split"
    assert (fitted.exchanges_lost, fitted.tokens_lost) == (0, 0)
    said = [ENCODER.decode(row.ids[start:end]) for row in fitted.rows for start, end in row.turns]
    assert said == [f"{text}<|im_end|>" for text in contents[1::2]]
    assert all(len(row) <= room for row in fitted.rows)
    assert all(ENCODER.decode(row.ids).count("sys ") == system.count("sys ") for row in fitted.rows)


OUTCOMES = {
    "fits": (talk("ua"), "cut", "whole"),
    "nothing_answered": (talk("u"), "cut", "no_loss"),
    "left_out": (talk("ua ua ua ua"), "drop", "long"),
    "cut": (talk("ua ua ua ua"), "cut", "cut"),
    "split": (talk("ua ua ua ua"), "split", "split"),
    "prompt_alone_too_long": ([{"role": "user", "content": "漢" * 100}, *talk("a")], "split", "no_loss"),
    "answer_too_long": ([*talk("u", "a"), {"role": "assistant", "content": "漢" * 100}], "drop", "long"),
}


@pytest.mark.parametrize(("messages", "long", "outcome"), OUTCOMES.values(), ids=OUTCOMES)
def test_every_conversation_has_one_outcome(messages, long, outcome):
    fitted = fit(ENCODER, [messages], Rules(64, "assistant", long))[0]
    assert fitted.outcome == outcome
    assert bool(fitted.rows) == (outcome in ("whole", "cut", "split"))


def test_a_greeting_is_not_the_last_answer_where_that_is_cut_off():
    talks = [*talk("a"), *conversation("b " * 60, "c")]
    outcomes = {
        loss_on: fit(ENCODER, [talks], Rules(64, loss_on, "cut"))[0].outcome for loss_on in ("assistant", "last")
    }
    assert outcomes == {"assistant": "cut", "last": "no_loss"}


@pytest.mark.parametrize("loss_on", ["assistant", "last", "all"])
def test_every_row_has_something_to_train(loss_on):
    talks = [talk("ua ua ua ua"), conversation("a", "漢" * 100, "b", "c")]
    for fitted in fit(ENCODER, talks, Rules(64, loss_on, "split")):
        assert fitted.rows
        assert all(np.diff(trained_ranges(row, loss_on)).sum() > 0 for row in fitted.rows)
