import hashlib

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from udfs import digest

message = st.tuples(st.sampled_from(["user", "assistant", ""]), st.text("ab:0123é中 \n", max_size=6))
conversations = st.lists(st.lists(message, max_size=3), max_size=4)
row_digests = st.lists(st.binary(min_size=32, max_size=32), max_size=8)


def _flat(drawn):
    offsets = np.cumsum([0, *map(len, drawn)], dtype=np.int32)
    messages = [each for conversation in drawn for each in conversation]
    return (*(pa.array([each[part] for each in messages], pa.string()) for part in (0, 1)), offsets)


@given(conversations)
def test_a_digest_is_sha256_of_framed_roles_and_contents(drawn):
    def framed(conversation):
        texts = (text.encode() for pair in conversation for text in pair)
        return b"".join(b"%d:%s" % (len(text), text) for text in texts)

    expected = [hashlib.sha256(framed(conversation)).hexdigest() for conversation in drawn]
    assert digest.conversations(*_flat(drawn)).to_pylist() == expected


@given(conversations)
def test_conversations_have_equal_digests_only_if_equal(drawn):
    digests = digest.conversations(*_flat(drawn)).to_pylist()
    assert len(set(digests)) == len({tuple(each) for each in drawn})


def test_a_null_is_an_empty_text_and_a_slice_is_what_it_shows():
    roles, contents = pa.array(["user", None, "user", ""]), pa.array([None, "a", "", "a"])
    first, second = digest.conversations(roles, contents, np.array([0, 2, 4])).to_pylist()
    assert first == second
    assert digest.conversations(roles.slice(2), contents.slice(2), np.array([0, 2])).to_pylist() == [second]


def test_a_row_is_framed_in_characters():
    framed = "3:né7|4:lmsy|train|" + "ab" * 32
    assert digest.row("né7", "lmsy", "train", "ab" * 32) == hashlib.sha256(framed.encode()).digest()


@given(row_digests)
def test_the_dataset_digest_sums_fifteen_hex_digits_a_lane_as_sql_does(rows):
    sums = [sum(int(row.hex()[15 * lane : 15 * lane + 15], 16) for row in rows) for lane in range(digest.LANES)]
    assert digest.combine(rows) == digest.write(len(rows), sums)
    assert digest.combine(rows) == f"{len(rows)}-" + "".join(f"{each % 2**60:015x}" for each in sums)


@given(row_digests, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_change_the_dataset_digest(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert digest.combine(shuffled) == digest.combine(rows)


@given(row_digests.filter(bool))
def test_a_row_more_or_twice_changes_the_dataset_digest(rows):
    assert len({digest.combine(rows), digest.combine(rows[1:]), digest.combine([*rows, rows[0]])}) == 3
