import ctypes
import json
import mmap

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.reader import spans
from udfs.compiled import compiled as machine_code
from udfs.compiled import put_bytes

GUARD = 16
texts = st.text(st.sampled_from('a"\\/\b\n\t\x00\x7fé中😀'), max_size=40)
bytes_around = st.binary(min_size=GUARD, max_size=GUARD)


@machine_code
def _copied(data, begin, size, out, to):
    put_bytes(np.uint64(data.ctypes.data), np.uint64(begin), np.uint64(size), np.uint64(out.ctypes.data), np.uint64(to))


@given(st.binary(max_size=56), st.integers(0, 15), st.integers(0, 15), st.integers(0, 40))
def test_just_these_bytes_are_copied(data: bytes, begin: int, to: int, size: int):
    size = max(min(size, len(data) - begin), 0)
    out, expected = np.full(64, 0xEE, np.uint8), bytearray(b"\xee" * 64)
    _copied(np.frombuffer(data, np.uint8), min(begin, len(data)), size, out, to)
    expected[to : to + size] = data[begin : begin + size]
    assert out.tobytes() == expected


@given(st.lists(st.tuples(texts, st.booleans()), max_size=6), bytes_around)
@example([("\\" * 8, True), ("a" * 7 + "\\", True), ("a" * 8 + "\n", True)], b"\\" * GUARD)
def test_strings_are_unescaped_in_place_and_nothing_else_is_written(drawn: list[tuple[str, bool]], around: bytes):
    written = [json.dumps(text, ensure_ascii=is_ascii).encode()[1:-1] for text, is_ascii in drawn]
    bounds = np.cumsum([GUARD, *map(len, written)])
    data = np.frombuffer(around + b"".join(written) + around, np.uint8)
    said = b"".join(text.encode() for text, _ in drawn)
    room = np.full(GUARD + len(said) + GUARD, 0xEE, np.uint8)
    offsets = spans.unescape(data, bounds[:-1], bounds[1:], np.ones(len(drawn), bool), room[GUARD:])
    assert room.tobytes() == b"\xee" * GUARD + said + b"\xee" * GUARD
    assert offsets.tolist() == np.cumsum([0, *(len(text.encode()) for text, _ in drawn)]).tolist()


@pytest.fixture(scope="module")
def page():
    """Bytes of which the next one cannot be read, nor written."""
    libc, size = ctypes.CDLL(None, use_errno=True), mmap.PAGESIZE
    memory = mmap.mmap(-1, 2 * size)
    found = np.frombuffer(memory, np.uint8)
    assert libc.mprotect(ctypes.c_void_p(found.ctypes.data + size), ctypes.c_size_t(size), 0) == 0
    yield found[:size]
    libc.mprotect(ctypes.c_void_p(found.ctypes.data + size), ctypes.c_size_t(size), 3)


@pytest.mark.parametrize("last", [b"a", b"\\n", b"\\u00e9", "é".encode(), b"\\ud83d\\ude00"])
@pytest.mark.parametrize("is_escaped", [True, False])
def test_nothing_is_read_or_written_past_a_buffer(page: np.ndarray, last: bytes, is_escaped: bool):
    for size in range(41):
        data = b"a" * size + last
        page[-len(data) :] = np.frombuffer(data, np.uint8)
        begins, ends = np.array([len(page) - len(data)]), np.array([len(page)])
        expected = json.loads(b'"' + data + b'"').encode() if is_escaped else data
        out = np.empty(len(data), np.uint8)
        [_, end] = spans.unescape(page, begins, ends, np.array([is_escaped]), out)
        assert out[:end].tobytes() == expected
        source = np.frombuffer(b"x" + data, np.uint8)
        room = page[-len(expected) :]
        spans.unescape(source, np.array([1]), np.array([len(source)]), np.array([is_escaped]), room)
        assert room.tobytes() == expected
