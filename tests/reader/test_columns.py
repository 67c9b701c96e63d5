"""Do records that go straight to columns give the rows they give one by one, and is nothing odd let through?"""

import io
import json
from collections.abc import Iterable
from random import Random
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conf.settings import Input, Oasst
from jobs import formats
from jobs.bytewise import nodes, scan, walk
from jobs.reader import columns, records, rows, sniff, strict_json
from jobs.reader.emit import Way, emit
from jobs.reader.read import way
from jobs.reader.rows import Place
from jobs.reader.streams import HeadedStream
from jobs.refusals import Rejected
from tests.formats.records import CHAT, RECORDS
from tests.reader.test_mutations import mutated

IN_COLUMNS = [known.NAME for known in formats.FORMATS if hasattr(known, "columns")]
PLACE = Place("s", "f", "i", "")
ODD: list[Any] = [
    None,
    "",
    "x",
    "é\ud83d\ude00",
    'a\n"\\\b\f\r\t/',
    0,
    -1,
    7,
    1.5,
    1e-7,
    True,
    False,
    [],
    {},
    [1],
    {"a": None},
    CHAT,
]
TREE = {"message_id": "m", "text": "T", "role": "assistant", "lang": None, "replies": []}
MORE: dict[str, list[dict[str, Any]]] = {
    "messages": [
        {"messages": [{"role": "Human", "content": "Hi"}, {"role": " user ", "content": ""}], "conversation_id": "c"},
        {
            "messages": CHAT,
            "id": None,
            "conversation_id": 12,
            "model": "m",
            "language": "",
            "z": [1, {"b": None}],
            "a": 2.0,
        },
        {"messages": CHAT, "chosen": CHAT[0], "rejected": CHAT[1]},
        {"messages": [*CHAT, {"role": "tool", "content": "x", "name": "n"}]},
        {"messages": [{"role": "narrator", "content": "x"}]},
        {"messages": CHAT, "id": 1.5},
        {"messages": CHAT, "id": ""},
        {"messages": CHAT, "system": "S"},
        {"messages": CHAT, "system": None, "system_prompt": ""},
        {"messages": [{"role": "system", "content": "S"}, *CHAT], "system_prompt": "T"},
    ],
    "sharegpt": [
        {"conversations": [{"from": "system", "value": "S"}, {"from": "gpt", "value": "x"}], "system": "T"},
        {"conversations": [{"from": "human", "value": "x", "weight": 1}]},
    ],
    "samantha": [
        {"conversation": "Samantha: a\r\n\r\nTheodore:b\r\n\nTheodore: \n\n\nSamantha:  c\n\nTheodor: d\r"},
        {"conversation": " Theodore: a"},
        {"conversation": "Theodore: a", "system": "S"},
        {"conversation": "Theodore:"},
        {"conversation": "Theodore"},
        {"conversation": "Somebody: x\n\nTheodore: y"},
        {"conversation": " \n"},
    ],
    "hh_rlhf": [
        {"chosen": "\n\n\nHuman: a\n\nAssistant:b\n\n\nHuman:  c", "rejected": "Assistant: x\r\n\r\nHuman: y"},
        {"chosen": "Human: a", "rejected": "\n\n"},
        {"chosen": "Human: a", "rejected": "Human: b", "system_prompt": "S"},
        {"chosen": "Human: a", "rejected": "So: a", "id": "h"},
    ],
    "alpaca": [
        {"instruction": "I", "input": "", "output": "O"},
        {"instruction": "I", "output": "", "id": "a", "x": "y"},
        {"instruction": "I", "input": None, "output": "O", "history": []},
        {"instruction": "I", "context": "C", "output": "O"},
        {"instruction": "I", "output": "O", "system": "S", "history": [["a", "b"]]},
        {"instruction": "I", "output": "O", "system_prompt": "S"},
        {"instruction": "I", "input": "", "context": "C", "output": "O"},
    ],
    "openorca": [
        {"id": 3, "system_prompt": "", "question": "", "response": "R"},
        {"system_prompt": "", "system": "S", "question": "Q", "response": "R"},
        {"system_prompt": "S", "system": "T", "question": "Q", "response": "R"},
    ],
    "arena": [
        RECORDS["arena"] | {"winner": "tie", "language": None, "question_id": 5},
        RECORDS["arena"] | {"conversation_b": [{"role": "user", "content": None}]},
        RECORDS["arena"] | {"model_b": None},
    ],
    "wildchat": [
        RECORDS["wildchat"] | {"openai_moderation": [], "redacted": None},
        RECORDS["wildchat"] | {"openai_moderation": RECORDS["lmsys"]["openai_moderation"][:1]},
        RECORDS["wildchat"] | {"conversation": [{**CHAT[0], "toxic": 1}], "openai_moderation": None},
    ],
    "oasst": [
        {
            "message_tree_id": "t",
            "tree_state": "ready",
            "prompt": TREE | {"replies": [TREE | {"role": "prompter"}, TREE]},
        },
        {"message_tree_id": "t", "prompt": TREE | {"replies": [TREE | {"replies": [TREE] * 40}], "text": "x" * 900}},
        {"message_tree_id": "t", "prompt": TREE | {"replies": [None]}},
        {"message_tree_id": "t", "prompt": TREE | {"replies": [TREE | {"role": "x"}]}},
        {"message_tree_id": 7, "prompt": TREE},
        {"message_tree_id": "t", "prompt": TREE | {"message_id": None, "deleted": True}},
    ],
}


def read(lines: Iterable[bytes], name: str, options: Input, are_columns: bool) -> tuple[list[dict], list[dict]]:
    """Rows and refusals; records in columns where they can be, or one by one."""
    known, how = formats.named(name), way(sniff.LINES, options)
    stream = HeadedStream(io.BytesIO(b"\n".join(lines)), 5_000_000)
    blocks = records.cut(stream, records.line_borders(stream.offset), 0, options.max_record_bytes)
    batches = list(emit(blocks, how if are_columns else Way(how.parse), known, PLACE, options, stream))
    for batch in batches:
        batch.validate(full=True)
    found = pa.Table.from_batches(batches, rows.ARROW).to_pylist()
    found.sort(key=lambda row: (row["kind"], row["record"] or 0, row["part"] or 0))
    return [row for row in found if row["kind"] == rows.ROW], [row for row in found if row["kind"] != rows.ROW]


def assert_alike(lines: list[bytes], name: str, options: Input | None = None) -> None:
    options = options or Input()
    assert read(lines, name, options, True) == read(lines, name, options, False)


def in_columns(lines: list[bytes], name: str) -> int:
    """How many of the lines go to columns."""
    [block] = records.cut(
        HeadedStream(io.BytesIO(b"\n".join(lines) + b"\n"), 5_000_000), records.line_borders(0), 0, 5_000_000
    )
    _, odd = columns.divide(block, formats.named(name), PLACE, Input())
    return len(lines) - len(odd.starts)


def test_nearly_every_json_format_has_columns():
    assert {known.NAME for known in formats.FORMATS} - set(IN_COLUMNS) == {"mt_bench", "prompt_response", "lmsys"}


@pytest.mark.parametrize("name", IN_COLUMNS)
def test_odd_records_and_sound_ones_come_out_as_one_by_one(name: str):
    found = [RECORDS[name], *MORE.get(name, []), *RECORDS.values()]
    for is_ascii in (True, False):
        assert_alike([json.dumps(record, ensure_ascii=is_ascii).encode() for record in found], name)
    for record in found:
        assert_alike([orjson.dumps(record)], name)


@pytest.mark.parametrize("name", IN_COLUMNS)
def test_any_value_anywhere_comes_out_as_one_by_one(name: str):
    lines = []
    for record in [RECORDS[name], *MORE.get(name, [])[:1]]:
        for path in paths(record):
            lines += [changed(record, path, value) for value in ODD]
    assert_alike(lines, name)


def paths(value: Any, path: tuple = ()) -> Iterable[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*path, key)
        yield from paths(item, (*path, key))


def changed(record: dict, path: tuple, value: Any) -> bytes:
    other = at = json.loads(json.dumps(record))
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return json.dumps(other).encode()


@pytest.mark.parametrize("name", IN_COLUMNS)
def test_damaged_lines_come_out_as_one_by_one(name: str):
    rng = Random(name)
    sound = [
        json.dumps(record, ensure_ascii=n % 2 == 0).encode()
        for n, record in enumerate([RECORDS[name], *MORE.get(name, [])])
    ]
    lines = [mutated(rng.choice(sound), rng.choice(sound), rng) for _ in range(1500)] + sound
    assert_alike(lines, name)


@pytest.mark.parametrize("name", IN_COLUMNS)
def test_plainly_sound_records_go_to_columns(name: str):
    record = {key: value for key, value in RECORDS[name].items() if (name, key) != ("alpaca", "generator")}
    assert in_columns([json.dumps(record).encode()] * 3, name) == 3


def test_best_ranked_paths_are_found_one_by_one():
    assert_alike([orjson.dumps(RECORDS["oasst"])], "oasst", Input(oasst=Oasst(paths="best")))


def test_a_number_no_double_holds_spoils_no_other_record():
    sound = orjson.dumps(RECORDS["messages"])
    lines = [sound, b'{"id":1,"messages":[{"role":"user","content":"x"}],"n":1e99}', sound]
    for number in (b"1e999", b"-1E+400", b"1" * 400, b"18446744073709551616", b"0.1234567890123456789"):
        assert_alike([line.replace(b"1e99", number) for line in lines], "messages")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def walked(data: bytes, deepest: int = 64) -> nodes.Nodes:
    return nodes.read(data, np.array([0]), np.array([len(data)]), deepest, ("a", "value"))


@given(st.dictionaries(st.text(), JSON), st.booleans(), st.sampled_from([None, 1]))
def test_what_is_written_as_json_is_walked_unless_a_key_is_escaped(value: dict, is_ascii: bool, indent: int | None):
    data = json.dumps({"value": value}, ensure_ascii=is_ascii, indent=indent).encode("utf-8", "surrogatepass")
    found = walked(data)
    if len(found.roots):
        assert strictly(data) == {"value": value}
        [rest] = found.rests(found.roots, np.zeros(len(found.kind), bool)) or [{}]
        assert rest == {"value": value}
    else:
        assert (
            strictly(data) is None or "\\" in data.decode() or has_odd_number(data) or any(len(k) > 64 for k in value)
        )


def has_odd_number(data: bytes) -> bool:
    """Has it a number that is left to be read one by one?"""
    text = data.decode()
    return "e" in text.lower() or any(len(part) > 17 for part in text.replace("-", " ").replace(".", "").split())


@given(st.text())
def test_every_text_is_unescaped_as_it_was(text: str):
    for is_ascii in (True, False):
        found = walked(json.dumps({"a": text}, ensure_ascii=is_ascii).encode())
        assert found.texts(found.child(found.roots, "a")).to_pylist() == [text]


PIECES = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"a"',
    b'"b"',
    b":",
    b",",
    b"1",
    b"-",
    b"0",
    b".5",
    b"e1",
    b"true",
    b"nul",
    b"null",
    b" ",
    b'"',
    b"\\u0041",
    b"\\ud800",
    b"\\udc00",
    b"\\x",
    b"\\",
    b"\x00",
    b"\x1f",
    b"\x7f",
    b"\xc3\xa9",
    b"\xe2\x82",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
    b"\xf4\x90\x80\x80",
    b"\xc0\x80",
    b"\xef\xbb\xbf",
    b"\n",
    b"\t",
    b"\x0b",
    b"x" * 9,
]


@settings(max_examples=2000)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join), st.booleans())
def test_nothing_is_walked_that_the_strict_parser_refuses(data: bytes, is_inside: bool):
    data = b'{"a":' + data + b"}" if is_inside else data
    if len(walked(data).roots):
        assert strictly(data) is not None


def strictly(data: bytes) -> Any:
    """What the strict parser makes of one record, None if it refuses it."""
    [flags] = scan.inspect(np.frombuffer(data, np.uint8), np.array([0]), np.array([len(data)]), 64).tolist()
    try:
        return strict_json.parse(data, flags, 64)
    except Rejected:
        return None


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"b":{"a":1,"c":2,"a":3}}',
        '{"a":1,"\\u0061":2}',
        '{"a":1}{"a":2}',
        '{"a":1} x',
        "[1]",
        "1",
        '{"a":01}',
        '{"a":"\\ud800"}',
        '{"a":1,}',
        '{"a" 1}',
        '{"a":NaN}',
        "",
        " ",
    ],
)
def test_what_must_be_looked_at_closely_is_odd(text: str):
    assert len(walked(text.encode()).roots) == 0


def test_nesting_is_walked_as_deep_as_is_allowed():
    for depth in (1, 9, 10, 11, 12):
        data = b'{"a":' * depth + b"1" + b"}" * depth
        assert len(walked(data, 10).roots) == (depth <= 10)
        [flags] = scan.inspect(np.frombuffer(data, np.uint8), np.array([0]), np.array([len(data)]), 10).tolist()
        assert (flags == scan.TOO_DEEP) == (depth > 10)


@pytest.mark.parametrize("unit", [b"[", b'{"a":', b"[1,", b"[],", b'"",', b"[[],"])
def test_the_table_has_room_for_the_densest_records(unit: bytes):
    for size in range(1, 210):
        data = b'{"a":[' + unit * size
        found = nodes.read(data + data, np.array([0, len(data)]), np.array([len(data), 2 * len(data)]), 200, ("a",))
        assert not len(found.roots) and len(
            walked(data + b"1" + b"]" * (data.count(b"[") - data.count(b"]")) + b"}", 500).kind
        ) < len(data)


def test_kinds_are_the_first_bytes_of_values():
    found = walked(b'{"a":[{},[],"x","\\n",1,true,false,null]}')
    kinds = [walk.OBJECT, walk.ARRAY, walk.STRING, walk.ESCAPED, walk.NUMBER, walk.TRUE, walk.FALSE, walk.NULL]
    assert found.kind.tolist() == [walk.OBJECT, walk.ARRAY, *kinds]
