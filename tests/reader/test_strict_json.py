"""Is every kind of broken JSON told from the others, and every sound value kept exactly?"""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import refusals
from jobs.bytewise import scan
from jobs.reader import strict_json
from jobs.refusals import Rejected


def parse(data: bytes, deepest: int = 64) -> object:
    flags = scan.inspect(np.frombuffer(data, np.uint8), np.array([0]), np.array([len(data)]), deepest)
    return strict_json.parse(memoryview(data), int(flags[0]), deepest)


BROKEN = {
    b"": refusals.MALFORMED_JSON,
    b"{": refusals.MALFORMED_JSON,
    b'{"a": 1,}': refusals.MALFORMED_JSON,
    b"{'a': 1}": refusals.MALFORMED_JSON,
    b'{"a": NaN}': refusals.MALFORMED_JSON,
    b'{"a": 1e999}': refusals.MALFORMED_JSON,
    b'{"a": 01}': refusals.MALFORMED_JSON,
    b'{"a": "\\x"}': refusals.MALFORMED_JSON,
    b'{"a": "b': refusals.MALFORMED_JSON,
    b'\xef\xbb\xbf{"a": 1}': refusals.MALFORMED_JSON,
    b'\xc2\xa0{"a": 1}': refusals.MALFORMED_JSON,
    b'{"a": 1} {"b": 2}': refusals.TWO_VALUES,
    b'{"a": 1}{"b": 2': refusals.TRAILING_GARBAGE,
    b"{}[]": refusals.TWO_VALUES,
    b'{"a": 1} 5': refusals.TRAILING_GARBAGE,
    b'{"a": 1},': refusals.TRAILING_GARBAGE,
    b'{"a": 1}\x00': refusals.TRAILING_GARBAGE,
    b'{"a": 1, "a": 1}': refusals.DUPLICATE_KEY,
    b'{"a": 1, "\\u0061": 1}': refusals.DUPLICATE_KEY,
    b'{"x": [{"a\\n": 1, "a\\u000a": 1}]}': refusals.DUPLICATE_KEY,
    b'{"a": "\\ud800"}': refusals.LONE_SURROGATE,
    b'{"a": "\\udc00"}': refusals.LONE_SURROGATE,
    b'{"a": "\\ud800\\u0041"}': refusals.LONE_SURROGATE,
    b'{"\\ud800": 1}': refusals.LONE_SURROGATE,
    b'{"a": "\xff"}': refusals.INVALID_UTF8,
    b'{"a": "\xed\xa0\x80"}': refusals.INVALID_UTF8,
    b'{"a": "\xc3"}': refusals.INVALID_UTF8,
    b'{"a": "b\nc"}': refusals.CONTROL_CHARACTER,
    b'{"a": "b\tc"}': refusals.CONTROL_CHARACTER,
    b'{"a": "b\x00c"}': refusals.CONTROL_CHARACTER,
    b"[" * 65 + b"]" * 65: refusals.TOO_DEEP,
    b"[" * 100_000: refusals.TOO_DEEP,
    b'{"a":' * 100_000: refusals.TOO_DEEP,
    b'{"a": ' + b"1" * 5000 + b"}": refusals.MALFORMED_JSON,
}


@pytest.mark.parametrize("data", BROKEN, ids=lambda data: repr(data[:30]))
def test_broken_json_is_classified(data: bytes):
    with pytest.raises(Rejected) as caught:
        parse(data)
    assert (caught.value.reason, bool(caught.value.detail)) == (BROKEN[data], True)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "b\\u0000c"}',
        '{"a": "\\ud83d\\ude00"}',
        '{"a": 1}\r',
        ' \t{"a":\r1}',
        '{"a": {"a": {"a": 1}}}',
        '{"a": 18446744073709551615, "b": -9223372036854775809, "c": 123456789012345678901234}',
        '{"a": 0.1234567890123456789}',
        "[" * 64 + "]" * 64,
    ],
)
def test_sound_json_is_read_exactly(text: str):
    assert parse(text.encode()) == json.loads(text)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(), inner, max_size=4)),
    max_leaves=12,
)


@given(value=VALUES, is_ascii=st.booleans(), indent=st.sampled_from([None, 1]))
def test_any_value_survives(value: object, is_ascii: bool, indent: int | None):
    assert parse(json.dumps(value, ensure_ascii=is_ascii, indent=indent).encode()) == value


def test_many_equal_keys_are_found_in_linear_time():
    data = b"{" + b", ".join(b'"k%d": 0' % n for n in range(200_000)) + b', "k7": 0}'
    with pytest.raises(Rejected, match="'k7' stands 2 times"):
        parse(data)
