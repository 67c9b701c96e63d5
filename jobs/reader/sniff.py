"""What does the head of a stream say it is: lines, one array, one object of records, one document; in which format?"""

from collections.abc import Iterable
from itertools import islice
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import orjson

from jobs import formats
from jobs.bytewise import scan

HEAD = 1 << 20
SAMPLES = 20

LINES, ARRAY, MAPPING, DOCUMENT = "lines", "array", "mapping", "document"


class Sniffed(NamedTuple):
    """How a JSON stream is cut into records, and the format they are in (None: no format knows them)."""

    layout: str
    format: ModuleType | None


def sniff(head: bytes, is_lines: bool) -> Sniffed:
    """The layout and format of a JSON stream from its first bytes. ``is_lines``: its name promises one value a line.

    A file named ``.json`` may well be JSON lines and the other way round; the content decides, the name breaks ties.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    line, _, rest = text.partition(b"\n")
    first, is_only = _parsed(line), not rest.strip()
    if text[:1] == b"[" and (first is None or (isinstance(first, list) and is_only)):
        found = _array(text)
    elif text[:1] == b"{" and (first is None or (is_only and _format_of([first]) is None)):
        found = _object(text)
    else:
        return lines(text)
    is_doubtful = is_lines and found.format is None
    return lines(text) if is_doubtful and not _is_array_of_objects(text) else found


def lines(head: bytes) -> Sniffed:
    """A stream of JSON lines: its format is that of the first lines that are JSON."""
    values = (value for value in map(_parsed, head.removeprefix(b"\xef\xbb\xbf").split(b"\n")) if value is not None)
    return Sniffed(LINES, _format_of(islice(values, SAMPLES)))


def as_record(value: Any) -> dict[str, Any] | None:
    """The record a parsed value stands for, or None: a bare list of messages counts as ``{"messages": [...]}``."""
    if type(value) is dict:
        return value
    return {"messages": value} if _is_message_list(value) else None


def named_member(value: dict[str, Any]) -> dict[str, Any] | None:
    """The record in ``{"its id": {...}}``, with that id unless it has its own."""
    [(name, record)] = value.items()
    return {"id": name, **record} if isinstance(record, dict) else None


def _format_of(values: Iterable[Any]) -> ModuleType | None:
    return formats.detect([record for record in map(as_record, values) if record is not None])


def _array(text: bytes) -> Sniffed:
    values = [value for value in map(_parsed, _pieces(text)) if value is not None]
    if _is_message_list(values):
        return Sniffed(DOCUMENT, formats.detect([{"messages": values}]))
    return Sniffed(ARRAY, _format_of(values))


def _is_array_of_objects(text: bytes) -> bool:
    """Do objects stand in the array at the head, and none on a line of its own?"""
    if text[:1] != b"[" or not any(type(_parsed(piece)) is dict for piece in _pieces(text)):
        return False
    return not any(type(_parsed(line)) is dict for line in text.split(b"\n", 1000))


def _object(text: bytes) -> Sniffed:
    """One object that spans lines: a document, records by id, or lines of which the first is broken."""
    whole = _parsed(text)
    if whole is not None and (found := _format_of([whole])):
        return Sniffed(DOCUMENT, found)
    pairs = [_parsed(b"{" + piece + b"}") for piece in _pieces(text)]
    named = [named_member(pair) if isinstance(pair, dict) and len(pair) == 1 else None for pair in pairs]
    sound = [record for record in named if record]
    if 2 * len(sound) > len(named) and (found := formats.detect(sound)):
        return Sniffed(MAPPING, found)
    if whole is None and (found := lines(text).format):
        return Sniffed(LINES, found)
    return Sniffed(DOCUMENT, None)


def _is_message_list(value: Any) -> bool:
    if type(value) is not list or not value:
        return False
    return all(isinstance(m, dict) and "role" in m and "content" in m for m in value[:3])


def _pieces(text: bytes) -> list[bytes]:
    data = np.frombuffer(text, np.uint8)
    starts, ends = np.empty(len(data) + 1, np.int64), np.empty(len(data) + 1, np.int64)
    found = min(scan.elements(data, scan.start_state(), starts, ends), SAMPLES)
    return [text[starts[i] : ends[i]] for i in range(found)]


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
