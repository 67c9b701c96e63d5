import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs import facts, turns
from udfs.batch import Limits, batch_of

ROLES = {"s": "system", "u": "user", "a": "assistant", "t": "tool", "x": "narrator", "-": None}
MERGING = ("drop_roles", "trim_start", "merge_roles")


def _repair(conversations, enabled=turns.REPAIRS):
    """Of each conversation, written as role letter and text ("u:hello"), the repaired one, origins and repairs."""
    messages = [each for conversation in conversations for each in conversation]
    roles = pa.array([ROLES[each[0]] for each in messages], pa.string())
    contents = pa.array([each[2:] for each in messages], pa.string())
    offsets = np.cumsum([0, *map(len, conversations)], dtype=np.int32)
    return turns.repair(roles, contents, offsets, enabled)


def _alone(conversation, enabled=turns.REPAIRS):
    found = _repair([conversation], enabled)
    letters = {name: letter for letter, name in ROLES.items() if name} | {"": "-"}
    said = [f"{letters[r]}:{c}" for r, c in zip(found.roles.to_pylist(), found.contents.to_pylist(), strict=True)]
    return said, found.origin.tolist(), [name for name, rows in found.repairs.items() if rows[0]]


@pytest.mark.parametrize(
    ("before", "after", "repairs"),
    [
        (["u:1", "a:2", "u: ", "a:4", "u:5", "a:6"], ["u:1", "a:2", "u:5", "a:6"], ["drop_blank"]),
        (["u:1", "a:2", "u:3", "a:\n"], ["u:1", "a:2"], ["drop_blank"]),
        (["s:0", "u:", "a:2", "u:3", "a:4"], ["s:0", "u:3", "a:4"], ["drop_blank"]),
        (["u:1", "a:", "a:3"], ["u:1", "a:3"], ["drop_blank"]),
        (["u:", "u:2", "a:3"], ["u:2", "a:3"], ["drop_blank"]),
        (["u:1", "a:", "t:3", "a:4", "u:5", "a:6"], ["u:5", "a:6"], ["drop_blank"]),
        (["u:1", "u:2", "a:3", "a:4"], ["u:1\n\n2", "a:3\n\n4"], ["merge_roles"]),
        (["s:0", "a:1", "u:2", "a:3"], ["s:0", "u:2", "a:3"], ["trim_start"]),
        (["a:0", "t:1", "u:2", "a:3"], ["u:2", "a:3"], ["trim_start"]),
        (["u:1", "s:2", "a:3"], ["u:1", "a:3"], ["drop_roles"]),
        (["u:1", "x:2", "u:3", "-:4", "a:5"], ["u:1\n\n3", "a:5"], ["drop_roles", "merge_roles"]),
        (["u:1", "t:2", "a:3", "t:4", "t:5", "a:6"], ["u:1", "a:3", "t:4", "t:5", "a:6"], ["drop_roles"]),
        (["u:1", "a:2", "u:3"], ["u:1", "a:2"], ["drop_unanswered"]),
        (["u:1", "a:2", "u:3", "a:4", "t:5"], ["u:1", "a:2"], ["drop_unanswered"]),
        (["a:1", "u:2", "u:", "a:4", "u:5"], ["u:2", "a:4"], ["drop_blank", "trim_start", "drop_unanswered"]),
    ],
)
def test_a_fault_costs_its_exchange_and_no_more(before, after, repairs):
    said, origin, done = _alone(before)
    assert (said, done) == (after, repairs)
    assert [before[index][0] for index in origin] == [each[0] for each in after]


@pytest.mark.parametrize(
    "whole", [["u:", "a:2"], ["u:1", "a: "], ["u:1"], ["a:1"], ["s:1"], ["s:1", "a:2"], [], ["u:1", "a:", "u:3"]]
)
def test_where_no_exchange_would_be_left_the_conversation_stays_for_the_facts_to_tell_of(whole):
    assert _alone(whole) == (whole, list(range(len(whole))), [])


@pytest.mark.parametrize("whole", [["u:1", "a:2", "t:3", "a:4", "u:5", "a:6"], ["s:0", "s:1", "u:1", "a:2"]])
def test_good_turns_stay(whole):
    assert _alone(whole) == (whole, list(range(len(whole))), [])


def test_a_repair_that_needs_another_one_that_is_off_is_not_made():
    whole = ["a:0", "u:1", "u:2", "a:3"]
    assert _alone(whole, ("merge_roles",)) == (whole, [0, 1, 2, 3], [])
    assert _alone(whole, ("merge_roles", "trim_start"))[0] == ["u:1\n\n2", "a:3"]
    assert _alone(["u:1", "a:2", "u:"], ("drop_unanswered",))[0] == ["u:1", "a:2"]


def test_every_raw_message_is_told_where_its_text_went():
    found = _repair([["u:1", "a:2", "u:3"], ["u:1", "u: ", "u:2", "a:3"]], MERGING)
    assert found.contents.to_pylist() == ["1", "2", "3", "1\n\n2", "3"]
    assert found.owner.tolist() == [0, 1, 2, 3, 3, 3, 4]
    assert found.is_merged.tolist() == [False, False, False, True, False]
    assert found.offsets.tolist() == [0, 3, 5]


def test_an_unknown_repair_is_refused_by_name():
    with pytest.raises(ValueError, match="no repair is called merge; expected some of drop_blank, drop_roles"):
        _repair([], ["merge"])


messages = st.lists(st.builds("{}:{}".format, st.sampled_from("suatx-"), st.sampled_from(["", " ", "x"])), max_size=7)


@given(st.lists(messages, max_size=4), st.sets(st.sampled_from(turns.REPAIRS)))
def test_repaired_turns_are_a_fixed_point_and_neighbours_do_not_matter(conversations, enabled):
    once = _repair(conversations, enabled)
    twice = turns.repair(once.roles, once.contents, once.offsets, enabled)
    assert twice.contents.equals(once.contents) and twice.roles.equals(once.roles)
    assert not any(rows.any() for rows in twice.repairs.values())
    for row, conversation in enumerate(conversations):
        said = slice(once.offsets[row], once.offsets[row + 1])
        alone = _repair([conversation], enabled)
        assert once.contents[said].equals(alone.contents) and once.roles[said].equals(alone.roles)
        assert {name: rows[row] for name, rows in once.repairs.items()} == {n: r[0] for n, r in alone.repairs.items()}


@given(messages)
def test_any_order_of_roles_ends_valid_or_has_no_exchange(conversation):
    found = _repair([conversation])
    batch = batch_of(found.roles, found.contents, found.offsets, pa.nulls(len(found.roles), pa.string()))
    wrong = facts.judge(batch, ("blank_message", "bad_roles", "unanswered"), Limits())
    if any(rows[0] for rows in found.repairs.values()):
        assert {"user", "assistant"} <= set(found.roles.to_pylist())
    if wrong["bad_roles"][0]:
        spoken = [each for each in conversation if each[2:].strip() or each[0] not in "ua"]
        assert not any(a[0] == "u" and b[0] == "a" for a in spoken for b in spoken[spoken.index(a) :])


@given(messages)
def test_only_whole_messages_go_and_their_order_stays(conversation):
    found = _repair([conversation])
    for message, text in enumerate(found.contents.to_pylist()):
        owned = [conversation[i][2:] for i in np.flatnonzero(found.owner == message)]
        assert text == (turns.BETWEEN.join(t for t in owned if t.strip()) if len(owned) > 1 else owned[0])
    assert (np.diff([owner for owner in found.owner if owner >= 0]) >= 0).all()
