import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.dedup import blocks, buckets
from udfs.dedup.anchors import LENGTHS
from udfs.dedup.buckets import DIGEST_BYTES, Levels
from udfs.dedup.prompts import keys
from udfs.dedup.signatures import Signing, sign
from udfs.shingles import CLOSING

ALONE = buckets.Groups(np.empty(0, np.int64), np.empty(0, np.int64))
HOW = Signing(shingle=5, min_shingles=6, bands=25, rows=5, seed=1)
WORDS = [f"word{number}" for number in range(3000)]


def signed(*talks: list[str]) -> pa.RecordBatch:
    """Signatures of conversations given as lists of messages, user first."""
    roles = [["user", "assistant"] * len(talk) for talk in talks]
    batch = pa.RecordBatch.from_pydict(
        {
            "conversation_id": pa.array([f"c{row}" for row in range(len(talks))]),
            "row": pa.array(range(len(talks)), pa.int64()),
            "digest": pa.array([f"{row:064x}" for row in range(len(talks))]),
            "roles": pa.array(
                [given[: len(talk)] for given, talk in zip(roles, talks, strict=True)], pa.list_(pa.string())
            ),
            "contents": pa.array(list(talks), pa.list_(pa.string())),
        }
    )
    return next(iter(sign([batch], HOW)))


def edges(batch: pa.RecordBatch, levels: Levels) -> set[tuple[int, int]]:
    found = buckets.edges(buckets.pack([batch], levels, 3))
    return {(a, b) for part in found for a, b in zip(part["a"].to_pylist(), part["b"].to_pylist(), strict=True)}


NONE = Levels(False, False, False, False)
SNAPSHOT, EXACT = NONE._replace(snapshot=True), NONE._replace(exact=True)
NEAR, CONTAINED = NONE._replace(near=True), NONE._replace(contained=True)
ALL = Levels(True, True, True, True)


def test_a_conversation_shares_a_key_with_its_continuations_and_they_with_none_of_each_other():
    batch = signed(["Hi", "Hello"], ["hi ", "HELLO", "Bye", "Goodbye"], ["Hi", "Hello", "So?", "Well."], ["Hi", "No."])
    assert edges(batch, SNAPSHOT) == {(0, 1), (0, 2)}
    only_beginnings = signed(["Hi", "Hello", "Bye", "Goodbye"], ["Hi", "Hello", "So?", "Well."])
    assert edges(only_beginnings, SNAPSHOT) == set()


def test_near_texts_share_a_band_and_others_do_not():
    text = " ".join(WORDS[:100])
    batch = signed([text, "yes"], [text.upper(), "yes!"], [" ".join(WORDS[100:200]), "yes"])
    assert edges(batch, NEAR) == {(0, 1)}


@pytest.mark.parametrize("length", LENGTHS[:-1])
def test_a_truncated_text_and_one_with_something_before_it_share_an_anchor_with_the_whole(length):
    whole = WORDS[: 3 * length]
    head, tail = " ".join(whole[:length]), " ".join(["Note:", *whole])
    batch = signed(["q " + " ".join(whole)], ["q " + head], [tail])
    assert (0, 1) in edges(batch, CONTAINED) and {(0, 2), (1, 2)} & edges(batch, CONTAINED)


@pytest.mark.parametrize("length", [16, 32, 63])
def test_an_opener_that_long_texts_share_is_no_anchor(length):
    opener, rest = WORDS[:length], (WORDS[100:400], WORDS[500:900])
    assert edges(signed(*([" ".join([*opener, *each])] for each in rest)), CONTAINED) == set()


@pytest.mark.parametrize("size", [36, 60, 64, 127, 128, 300])
def test_of_a_text_and_its_half_both_have_an_anchor(size):
    assert edges(signed([" ".join(WORDS[:size])], [" ".join(WORDS[: size // 2])]), CONTAINED) == {(0, 1)}


def test_a_prompt_has_the_key_of_its_tokens():
    batch = signed(["Hello, you!", "Hi"], ["hello you", "Bye"], [""], [])
    assert batch["prompt_key"].to_pylist() == keys(batch["prompt"]).to_pylist()
    assert batch["prompt_key"][0] == batch["prompt_key"][1] and batch["prompt_key"][2:].null_count == 2


def test_short_texts_have_no_keys_but_their_digest():
    batch = signed(["Hi", "Hello there"], ["Hi", "Hello there"], [""], ["👍🏽"])
    assert batch["bands"].to_pylist() == batch["anchors"].to_pylist() == [b""] * 4
    assert edges(batch, ALL) == {(0, 0), (0, 1)}
    assert edges(batch, EXACT) == {(0, 0), (0, 1)}  # of equal ones, the least is tied to itself
    assert edges(batch, NONE) == edges(batch.slice(0, 0), ALL) == set()


@given(st.lists(st.lists(st.text(max_size=12), max_size=4), min_size=1, max_size=5))
def test_prefixes_are_digests_of_every_beginning_and_equal_for_equal_ones_alone(talks):
    batch = signed(*talks)
    for talk, value in zip(talks, batch["prefixes"].to_pylist(), strict=True):
        assert len(value) == DIGEST_BYTES * max(1, len(talk))
        for end in range(1, len(talk) + 1):
            whole = signed(talk[:end])["prefixes"].to_pylist()[0][-DIGEST_BYTES:]
            assert value[(end - 1) * DIGEST_BYTES : end * DIGEST_BYTES] == whole
    empty = signed([])["prefixes"].to_pylist()
    assert empty == [hashlib.sha256().digest()[:DIGEST_BYTES]]


@given(st.lists(st.lists(st.sampled_from(WORDS[:40]), min_size=1, max_size=30).map(" ".join), min_size=1, max_size=3))
def test_the_closing_is_made_of_the_conversations_own_shingles_and_its_last_one_is_among_them(talk):
    batch = signed(talk)
    own = np.frombuffer(batch["sets"].to_pylist()[0], np.uint32)
    closing = np.frombuffer(batch["closing"].to_pylist()[0], np.uint32)
    assert len(closing) == CLOSING and np.isin(closing, own).all()
    last = signed([" ".join(" ".join(talk).split()[-5:])])["sets"].to_pylist()[0]
    assert np.isin(np.frombuffer(last, np.uint32), closing).all()


def test_another_answer_to_the_same_question_has_another_closing():
    question = " ".join(WORDS[:200])
    batch = signed(
        [question, "Yes, I think so."], [question, "Certainly not, no way."], [question, "Yes, I think so. But"]
    )
    sets = [np.frombuffer(value, np.uint32) for value in batch["sets"].to_pylist()]
    closing = [np.frombuffer(value, np.uint32) for value in batch["closing"].to_pylist()]
    assert np.isin(closing[0], sets[1]).mean() == 0
    assert np.isin(closing[0], sets[2]).all()


def test_keys_that_are_wanted_are_the_only_ones_packed():
    batch = signed(["Hi", "Hello"], ["Hi", "Hello", "Bye"], ["Other", "talk"])
    (asked,) = buckets.distinct([batch.slice(0, 1)], SNAPSHOT)
    wanted = buckets.wanted(asked["bucket"].to_numpy().view(np.uint64))
    packed = list(buckets.pack_known([batch.slice(1)], SNAPSHOT, 2, wanted, ALONE))
    rows = [np.frombuffer(block, np.int64) for part in packed for block in part["values"].to_pylist()]
    assert np.concatenate(rows).tolist() == [1, 1]


def test_known_rows_go_by_their_component_and_by_themselves_where_equal_messages_count():
    batch = signed(*[[" ".join(WORDS[:100])]] * 3)
    levels = Levels(False, True, True, False)
    (asked,) = buckets.distinct([batch], levels)
    wanted = buckets.wanted(asked["bucket"].to_numpy().view(np.uint64))
    groups = buckets.Groups(np.array([0, 2]), np.array([-5, -5]))
    keys, rows = blocks.unpack(buckets.pack_known([batch], levels, 2, wanted, groups))
    is_equal = keys & np.uint64(2) > 0
    assert sorted(rows[is_equal].tolist()) == [0, 1, 2]
    assert set(rows[~is_equal].tolist()) == {-5, 1}


def test_the_prompt_is_the_first_user_message():
    roles = pa.array([["system", "user", "user"], ["assistant"], [], ["user", "assistant"]], pa.list_(pa.string()))
    contents = pa.array([["s", "first", "second"], ["a"], [], ["ask", "tell"]], pa.list_(pa.string()))
    count = len(roles)
    batch = pa.RecordBatch.from_pydict(
        {
            "conversation_id": pa.array(["a", "b", "c", "d"]),
            "row": pa.array(range(count), pa.int64()),
            "digest": pa.array(["x"] * count),
            "roles": roles,
            "contents": contents,
        }
    )
    (found,) = sign([batch], HOW)
    assert found["prompt"].to_pylist() == ["first", None, None, "ask"]


def test_rows_of_one_key_are_tied_to_the_least_of_them():
    keys, rows = np.array([5, 5, 9, 5, 9, 1], np.uint64), np.array([5, 2, 2, 8, 5, 4])
    (found,) = buckets.edges([blocks.pack(keys, rows, 1)])
    pairs = zip(found["a"].to_pylist(), found["b"].to_pylist(), strict=True)
    assert sorted(pairs) == [(2, 5), (2, 5), (2, 8)]  # 2 and 5 share two keys
    assert not any(found["is_equal"].to_pylist())
    assert list(buckets.edges([])) == []


@given(st.sets(st.integers(0, 2**63 - 1), max_size=30), st.data())
def test_of_known_keys_those_of_wanted_buckets_are_packed_and_what_begins_like_them(wanted, data):
    """Whatever they are: ``bands`` hold any 64 bits."""
    near = [bucket << 1 for bucket in wanted] + [(bucket << 1) ^ 4 for bucket in wanted]
    keys = data.draw(st.lists(st.sampled_from(near) | st.integers(0, 2**64 - 1), max_size=20)) if near else [7]
    columns = {
        "row": pa.array([3], pa.int64()),
        "prefixes": pa.array([b""]),
        "bands": pa.array([np.array(keys, np.uint64).tobytes()]),
        "anchors": pa.array([b""]),
    }
    found = buckets.wanted(np.array([*wanted, *wanted], np.uint64))
    (packed,) = buckets.pack_known([pa.RecordBatch.from_pydict(columns)], NEAR, 2, found, ALONE)
    kept, rows = blocks.unpack([packed])
    both_ways = buckets.both_ways(np.array(keys, np.uint64)).tolist()
    begins = {bucket >> 63 - found.bits for bucket in wanted}
    assert sorted(kept.tolist()) == sorted(key for key in both_ways if key >> 64 - found.bits in begins)
    assert set(rows.tolist()) <= {3}


def test_few_keys_are_packed_that_are_not_wanted():
    rng = np.random.default_rng(1)
    found = buckets.wanted(rng.integers(0, 2**63, 10_000, np.uint64))
    others = rng.integers(0, 2**64, 20_000, np.uint64)
    columns = {"row": pa.array([3], pa.int64()), "prefixes": pa.array([b""]), "anchors": pa.array([b""])}
    batch = pa.RecordBatch.from_pydict(columns | {"bands": pa.array([others.tobytes()])})
    kept, _ = blocks.unpack(buckets.pack_known([batch], NEAR, 2, found, ALONE))
    assert len(kept) < len(others) / 16
