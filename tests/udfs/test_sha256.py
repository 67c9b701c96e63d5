import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.memory import guarded
from udfs import sha256


def hashed(texts: list[bytes]) -> list[bytes]:
    found = sha256.digests(memoryview(b"".join(texts)), np.cumsum([0, *map(len, texts)]))
    return [row.tobytes() for row in found]


def expected(texts: list[bytes]) -> list[bytes]:
    return [hashlib.sha256(text).digest() for text in texts]


@given(st.lists(st.integers(0, 300), max_size=30), st.randoms(use_true_random=False))
@example([], None)
@example([0], None)
@example([55, 56, 63, 64, 65, 119, 120, 127, 128], None)
def test_it_is_hashlibs(sizes, random):
    texts = [random.randbytes(size) if random else b"\xff" * size for size in sizes]
    assert hashed(texts) == expected(texts)


def test_every_size_is_right_in_any_lane():
    texts = [bytes([size % 256]) * size for size in range(400)]
    for turned in (texts, texts[::-1], texts[3:], [text for text in texts for _ in range(3)]):
        assert hashed(turned) == expected(turned)


def test_a_long_text_beside_short_ones_and_alone():
    long = bytes(range(256)) * 4_001
    for texts in ([long], [b"a", long, b"", long[:-1]], [b"b"] * 20 + [long]):
        assert hashed(texts) == expected(texts)


def test_cuts_may_begin_anywhere():
    data, cuts = bytes(range(256)) * 4, [7, 7, 100, 331, 1024]
    found = sha256.digests(memoryview(data), np.array(cuts, np.int32))
    assert [row.tobytes() for row in found] == expected([data[a:b] for a, b in itertools.pairwise(cuts)])


def test_nothing_is_read_past_the_texts():
    with guarded() as page:
        for size in range(130):
            page[-size or len(page) :] = size
            cuts = np.array([len(page) - size, len(page)])
            assert sha256.digests(page.data, cuts).tobytes() == hashlib.sha256(bytes([size]) * size).digest()


def test_wrong_code_is_noticed_before_it_gives_ids(monkeypatch):
    monkeypatch.setattr(sha256, "_FIRST", sha256._FIRST + np.uint32(1))
    with pytest.raises(RuntimeError, match="is not hashlib's here"):
        sha256._require_sound.__wrapped__()
