"""Which questions do the user's benchmark files hold? JSON, CSV or Parquet; every mistake with file:line."""

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from conf.duplicates import Decontaminate, Fields
from jobs.bytewise.scan import SUSPECT_KEYS
from jobs.errors import InputUnreadable
from jobs.files import find, locate
from jobs.reader import strict_json
from jobs.reader.delimited import SEPARATORS, separator_of
from jobs.refusals import Rejected

_KINDS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DEEPEST = 64
_ONE_OBJECT = "expected one record a line or one array of records, found one object over several lines"
_SHOWN = 20
"""Problems told at once."""


class Item(NamedTuple):
    """One question. ``benchmark`` is its file's path below the folder without suffix, ``name`` its id there, or its
    line. ``later`` are the turns that follow ``question`` in the same item."""

    benchmark: str
    name: str
    question: str
    choices: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    def texts(self) -> list[str]:
        """How the question may be asked: alone, with its choices, with its choices lettered."""
        if not self.choices:
            return [self.question]
        lettered = [f"{letter}. {choice}" for letter, choice in zip(_LETTERS, self.choices, strict=False)]
        return [self.question, *("\n".join([self.question, *listed]) for listed in (self.choices, lettered))]


_Numbered = tuple[int, Any]
"""The line a record starts at, from 1, and the record or why it is none."""


def read(options: Decontaminate) -> list[Item]:
    """Every question in the files below the folder ``options.benchmarks``, by file and line.

    Raises :class:`InputUnreadable` with every file that is no benchmark, every record without a question and every name
    that two records share, each with its line and what to do.
    """
    items: dict[tuple[str, str], tuple[Item, str]] = {}
    problems: list[str] = []
    for file in find([options.benchmarks]):
        benchmark = _name(file.path, options.benchmarks)
        for line, found in _items(file.path, benchmark, options.fields):
            place = f"{file.path}:{line}"
            if isinstance(found, str):
                problems.append(f"{place}: {found}")
                continue
            _, former = items.setdefault((benchmark, found.name), (found, place))
            if former != place:
                problems.append(f"{place}: {found.name[:80]!r} is also the id at {former}; see decontaminate.fields.id")
    if problems:
        more = [f"and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        raise InputUnreadable("\n".join([*problems[:_SHOWN], *more]))
    return [item for item, _ in items.values()]


def _name(path: str, folder: str) -> str:
    root = (folder if "://" in folder else os.path.abspath(folder)).rstrip("/") + "/"
    below = path[len(root) :] if path.startswith(root) else path.rpartition("/")[2]
    return below.rpartition(".")[0]


def _items(path: str, benchmark: str, fields: Fields) -> Iterator[tuple[int, Item | str]]:
    """The questions of one file by line, a sentence for each record that has none."""
    kind = next(filter(path.lower().endswith, _KINDS), "")
    if not kind:
        yield 1, f"expected a benchmark in a file that ends in {', '.join(_KINDS)}; move other files elsewhere"
        return
    system, inner = locate(path)
    with system.open_input_stream(inner) as stream:
        data = stream.read()
    count = 0
    for line, record in _parquet_rows(data) if kind == ".parquet" else _records(data, kind):
        count += 1
        yield line, record if isinstance(record, str) else _item(record, benchmark, str(line), fields)
    if not count:
        yield 1, "holds no question"


def _parquet_rows(data: bytes) -> Iterator[_Numbered]:
    """The rows of a Parquet file, from 1."""
    try:
        yield from enumerate(parquet.read_table(pa.BufferReader(data)).to_pylist(), 1)
    except (pa.ArrowException, OSError, ValueError) as error:
        yield 1, f"not a Parquet file that can be read: {error}"


def _records(data: bytes, kind: str) -> Iterator[_Numbered]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return iter([(data.count(b"\n", 0, error.start) + 1, f"not UTF-8 text (byte 0x{data[error.start]:02x})")])
    if kind in SEPARATORS:
        return _rows(text, separator_of(text.lstrip().encode(), kind))
    if text.lstrip()[:1] == "[":
        return _members(text)
    return iter([(1, _ONE_OBJECT)]) if _is_one_object(text) else _lines(text)


def _is_one_object(text: str) -> bool:
    """Is the whole file one JSON object that spans lines?"""
    try:
        return "\n" in text.strip() and isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _lines(text: str) -> Iterator[_Numbered]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, _parse(line)


def _members(text: str) -> Iterator[_Numbered]:
    """The members of one JSON array, each with the line it starts at."""
    decoder, at, line = json.JSONDecoder(), text.index("["), 1
    try:
        decoder.decode(text)
    except (ValueError, RecursionError) as error:
        yield getattr(error, "lineno", 1), f"not a JSON array: {getattr(error, 'msg', error)}"
        return
    counted = 0
    while (start := _skip(text, at + 1)) < len(text) and text[start] != "]":
        line, counted = line + text.count("\n", counted, start), start
        _, at = decoder.raw_decode(text, start)
        yield line, _parse(text[start:at])
        at = _skip(text, at)
        if text[at] == "]":
            return


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _parse(text: str) -> Any:
    try:
        return strict_json.parse(text.encode("utf-8", "surrogatepass"), SUSPECT_KEYS, _DEEPEST)
    except Rejected as error:
        return f"{error.reason}: {error.detail}"


def _rows(text: str, separator: str) -> Iterator[_Numbered]:
    """The rows of a CSV with a header line."""
    csv.field_size_limit(max(len(text), csv.field_size_limit()))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] = []
    line = 1
    try:
        for row in reader:
            if not header:
                header = row
                twice = sorted(name for name, times in Counter(header).items() if name and times > 1)
                if twice:
                    yield line, f"the header has {', '.join(map(repr, twice))} more than once: name each column once"
                    return
            elif len(row) == len(header):
                yield line, dict(zip(header, row, strict=True))
            elif row:
                yield line, f"expected {len(header)} fields as in the header, found {len(row)}"
            line = reader.line_num + 1
    except csv.Error as error:
        yield line, f"malformed CSV: {error}"


def _item(record: Any, benchmark: str, line: str, fields: Fields) -> Item | str:
    if not isinstance(record, dict):
        return f"expected an object with a question, found {type(record).__name__}"
    turns = next(filter(None, (_asked(record, names.split("+")) for names in fields.question)), [])
    if not turns:
        keys = ", ".join(sorted(str(key)[:40] for key in record)[:12]) or "none"
        expected = f"expected text in one of {', '.join(fields.question)}, found the fields {keys}"
        return f"no question: {expected}; see decontaminate.fields.question (a CSV needs a header line)"
    choices = [text for name in fields.choices for text in _texts_or_number(record.get(name)) if text.strip()]
    named = [record[name] for name in fields.id if record.get(name) not in (None, "")]
    return Item(benchmark, str(named[0]) if named else line, turns[0], tuple(choices), tuple(turns[1:]))


def _asked(record: dict[str, Any], names: list[str]) -> list[str]:
    """The turns in a field, or the one turn that several fields make up; none unless all of them have text."""
    each = [[text for text in _texts(record.get(name)) if text.strip()] for name in names]
    if len(each) == 1:
        return each[0]
    return ["\n".join(text for texts in each for text in texts)] if all(each) else []


def _texts(value: Any) -> list[str]:
    """The texts in a field: one, a list of them or of messages (the user's alone), or an object of them."""
    if isinstance(value, dict):
        listed = value["text"] if isinstance(value.get("text"), list) else list(value.values())
        return _texts(listed)
    if isinstance(value, list):
        return [text for one in value for text in _text_of(one)]
    return [value] if isinstance(value, str) else []


def _texts_or_number(value: Any) -> list[str]:
    """The texts in a field that is only read where there is a question: a number alone is one there."""
    return _text_of(value) if isinstance(value, int | float) else _texts(value)


def _text_of(value: Any) -> list[str]:
    if isinstance(value, dict) and value.get("role", "user") == "user":
        value = value.get("content", value.get("text"))
    return [value if isinstance(value, str) else str(value)] if isinstance(value, str | int | float) else []
