"""Are records found where a slow and plain reading finds them, whatever the blocks, and are giants only sampled?"""

import hashlib
import io
import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.bytewise import scan
from jobs.reader import records

LINES = st.lists(st.sampled_from([b"", b" ", b"\r", b"a", b"bc\r", b'{"a": 1}', b"x" * 40]), max_size=12)


class Bytes(io.BytesIO):
    offset = 0


def cut(data: bytes, borders: records.Borders, block_size: int, limit: int = 1000) -> list[tuple]:
    """(number, offset, bytes or None, digest, size, standing) of every record."""
    found = []
    for block in records.cut(Bytes(data), borders, 0, limit, block_size):
        for start, end, number in zip(block.starts, block.ends, block.numbers, strict=True):
            raw = block.data[start:end]
            digest = hashlib.sha256(raw).hexdigest()
            found.append((int(number), block.offset + int(start), raw, digest, len(raw), block.standing))
        found += [(g.number, g.offset, None, g.digest, g.size, block.standing) for g in block.giants]
    return sorted(found, key=lambda record: record[0])


def expected(data: bytes, spans: list[tuple[int, int]], limit: int) -> list[tuple]:
    return [
        (n, a, data[a:b] if b - a <= limit else None, hashlib.sha256(data[a:b]).hexdigest(), b - a)
        for n, (a, b) in enumerate(spans)
    ]


@given(lines=LINES, has_end=st.booleans(), block_size=st.integers(1, 50), limit=st.integers(1, 50))
def test_lines_are_the_same_whatever_the_block_size(lines: list[bytes], has_end: bool, block_size: int, limit: int):
    data = b"\n".join(lines) + (b"\n" if has_end else b"")
    spans, at = [], 0
    for line in data.split(b"\n"):
        spans.append((at, at + len(line)))
        at += len(line) + 1
    if spans[-1][1] - spans[-1][0] <= limit and not data[spans[-1][0] :].strip():
        spans.pop()
    found = cut(data, records.line_borders(0), block_size, limit)
    assert [record[:5] for record in found] == expected(data, spans, limit)


VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(alphabet='a"\\[]{},:\n é', max_size=6)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=6,
)


@given(
    values=st.lists(VALUES, max_size=6),
    indent=st.sampled_from([None, 1]),
    block_size=st.integers(1, 60),
    limit=st.integers(1, 60),
)
def test_members_of_an_array_are_its_values_whatever_the_block_size(
    values: list, indent: int | None, block_size: int, limit: int
):
    data = (" " + json.dumps(values, indent=indent, ensure_ascii=False) + "\n").encode()
    found = cut(data, records.member_borders(0), block_size, limit)
    assert [n for n, *_ in found] == list(range(len(values)))
    for (_, offset, raw, digest, size, standing), value in zip(found, values, strict=True):
        assert standing == records.WHOLE
        assert json.loads(data[offset : offset + size]) == value
        assert (raw is None) == (size > limit) and hashlib.sha256(data[offset : offset + size]).hexdigest() == digest


def slow_members(data: bytes) -> list[bytes]:
    """The members by one character at a time; for any bytes, JSON or not."""
    depth, in_string, members, start, i = 0, False, [], 0, 0
    while i < len(data):
        char = data[i : i + 1]
        if in_string:
            i += char == b"\\"
            in_string = char != b'"'
        elif char == b'"':
            in_string = True
        elif char in b"[{":
            depth += 1
            start = i + 1 if depth == 1 else start
        elif char in b"]}" or (char == b"," and depth == 1):
            if depth == 1:
                if char == b"," or members or data[start:i].strip(bytes(range(33))):
                    members.append(data[start:i])
                start = i + 1
            depth -= char != b","
            if depth == 0:
                break
        i += 1
    return members


@given(data=st.text(alphabet='[]{}",\\ a1', max_size=40), block_size=st.integers(1, 40))
def test_the_scanner_agrees_with_a_slow_one_on_any_bytes(data: str, block_size: int):
    raw = b"[" + data.encode()
    whole = [record[2] for record in cut(raw, records.member_borders(0), block_size) if record[5] == records.WHOLE]
    assert whole == slow_members(raw)


def test_what_is_wrong_with_the_end_is_said():
    def standing(data: bytes) -> list[str]:
        return [record[5] for record in cut(data, records.member_borders(0), 4)]

    assert standing(b"[1, 2]") == [records.WHOLE] * 2
    assert standing(b"[1, 2] \n") == [records.WHOLE] * 2
    assert standing(b"[1, 2") == [records.WHOLE, records.UNCLOSED]
    assert standing(b"[1, 2,") == [records.WHOLE] * 2 + [records.UNCLOSED]
    assert standing(b"[1] x") == [records.WHOLE, records.AFTER]
    assert standing(b"[1,]") == [records.WHOLE] * 2
    assert standing(b"[ ]") == []


@pytest.mark.parametrize("shape", ["line", "member", "csv"])
def test_a_giant_is_digested_and_sampled_in_bounded_memory(shape: str):
    size, limit = 60_000_000, 1_000_000
    body = b'"' + b"x" * (size - 2) + b'"'
    data, number = {
        "line": (b"{}\n" + body + b"\n{}\n", 1),
        "member": (b"[{}," + body + b",{}]", 1),
        "csv": (b"a,b\n" + body + b"\nc,d\n", 1),
    }[shape]
    borders = {"line": records.line_borders, "member": records.member_borders, "csv": records.csv_borders}[shape](0)
    stream = Bytes(data)
    for _ in records.cut(Bytes(data[:10]), borders, 0, limit):
        pass  # compiled before memory is measured
    borders = {"line": records.line_borders, "member": records.member_borders, "csv": records.csv_borders}[shape](0)
    tracemalloc.start()
    found = [giant for block in records.cut(stream, borders, 0, limit, 1 << 18) for giant in block.giants]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(g.number, g.size, g.sample, g.digest) for g in found] == [
        (number, size, body[: records.SAMPLE], hashlib.sha256(body).hexdigest())
    ]
    assert data[found[0].offset :].startswith(found[0].sample)
    assert peak < 16_000_000


def flags(text: str, deepest: int = 64) -> int:
    data = np.frombuffer(text.encode(), np.uint8)
    return int(scan.inspect(data, np.array([0]), np.array([len(data)]), deepest)[0])


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ('{"a": 1, "b": {"a": 2}, "c": [{"a": 1}, {"a": 1}]}', 0),
        ('{"a": 1, "a": 2}', scan.SUSPECT_KEYS),
        ('{"x": {"a": 1, "b": 1, "a": 2}}', scan.SUSPECT_KEYS),
        ('[{"b": 1}, {"a": {"b": 1}, "a": 2}]', scan.SUSPECT_KEYS),
        ('{"\\u0061": 1}', scan.SUSPECT_KEYS),
        ('{"a": "\\u0061: \\" : "}', 0),
        ('{"a": "1234567890123456789"}', 0),
        ('{"a": 123456789012345678}', 0),
        ('{"a": 1234567890123456789}', scan.WIDE_NUMBER),
        ("[[[1]]]", 0),
        ("[[[[1]]]]", scan.TOO_DEEP),
        ('{"a": "[[[[[["}', 0),
        ('{"a": "\\', 0),
        ("}}}]]]", 0),
        ("", 0),
    ],
)
def test_inspection_flags_what_orjson_takes_silently(text: str, flag: int):
    assert flags(text, 3) == flag


@given(names=st.lists(st.text(alphabet='ab"\\é', max_size=2), max_size=24))
def test_two_equal_keys_are_always_flagged(names: list[str]):
    text = "{" + ", ".join(f"{json.dumps(name)}: 0" for name in names) + "}"
    if len(set(names)) < len(names):
        assert flags(text) == scan.SUSPECT_KEYS
