import json

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.bytewise import scan, spans
from tests.memory import guarded

GUARD = 16
texts = st.text(st.sampled_from('a"\\/\b\n\t\x00\x7fé中😀'), max_size=40)
bytes_around = st.binary(min_size=GUARD, max_size=GUARD)


@given(st.lists(st.tuples(texts, st.booleans()), max_size=6), bytes_around)
@example([("\\" * 8, True), ("a" * 7 + "\\", True), ("a" * 8 + "\n", True)], b"\\" * GUARD)
def test_strings_are_unescaped_end_to_end_and_nothing_else_is_written(drawn: list[tuple[str, bool]], around: bytes):
    written = [json.dumps(text, ensure_ascii=is_ascii).encode()[1:-1] for text, is_ascii in drawn]
    bounds = np.cumsum([GUARD, *map(len, written)])
    data = np.frombuffer(around + b"".join(written) + around, np.uint8)
    said = b"".join(text.encode() for text, _ in drawn)
    room = np.full(GUARD + len(said) + GUARD, 0xEE, np.uint8)
    offsets = spans.unescape(data, bounds[:-1], bounds[1:], np.ones(len(drawn), bool), room[GUARD:])
    assert room.tobytes() == b"\xee" * GUARD + said + b"\xee" * GUARD
    assert offsets.tolist() == np.cumsum([0, *(len(text.encode()) for text, _ in drawn)]).tolist()


@pytest.mark.parametrize("last", [b"a", b"\\n", b"\\u00e9", "é".encode(), b"\\ud83d\\ude00"])
@pytest.mark.parametrize("is_escaped", [True, False])
def test_nothing_is_read_or_written_past_a_buffer(last: bytes, is_escaped: bool):
    with guarded() as page:
        for size in range(41):
            data = b"a" * size + last
            expected = json.loads(b'"' + data + b'"').encode() if is_escaped else data
            room = np.empty(len(expected), np.uint8)
            page[-len(data) :] = np.frombuffer(data, np.uint8)
            unescape(page, room, len(data), is_escaped)
            assert room.tobytes() == expected
            unescape(np.frombuffer(data, np.uint8), page[-len(expected) :], len(data), is_escaped)
            assert page[-len(expected) :].tobytes() == expected


def unescape(data: np.ndarray, room: np.ndarray, size: int, is_escaped: bool) -> None:
    """The last bytes of the data."""
    spans.unescape(data, np.array([len(data) - size]), np.array([len(data)]), np.array([is_escaped]), room)


@given(st.lists(st.lists(st.text("ab,{", max_size=9), max_size=3), min_size=1, max_size=4).filter(any))
def test_members_are_gathered_by_owner(owned: list[list[str]]):
    members = [f'"{number}":{json.dumps(text)}'.encode() for owner in owned for number, text in enumerate(owner)]
    owners = np.repeat(np.arange(len(owned)), [len(owner) for owner in owned])
    bounds = np.cumsum([0, *map(len, members)])
    out = np.full(int(bounds[-1]) + len(members) + 3 * len(owned) + 2 + GUARD, 0xEE, np.uint8)
    data = np.frombuffer(b"".join(members), np.uint8)
    size = spans.gather_objects(data, bounds[:-1], bounds[1:], owners, len(owned), out[:-GUARD])
    assert json.loads(out[:size].tobytes()) == [{str(i): text for i, text in enumerate(owner)} for owner in owned]
    assert out[-GUARD:].tobytes() == b"\xee" * GUARD


@given(st.binary(max_size=40) | st.lists(st.sampled_from([b"\n", b"\r", b"\x0b", b"a"]), max_size=40).map(b"".join))
def test_line_feeds_are_counted_and_found(data: bytes):
    places, found = [place for place, byte in enumerate(data) if byte == 10], np.empty(len(data), np.int64)
    block = np.frombuffer(data, np.uint8)
    assert scan.line_feeds(block) == len(places)
    assert found[: scan.line_ends(block, found)].tolist() == places
