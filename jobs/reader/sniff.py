"""What does the head of a stream say it is: lines, one array, one object of records, one document; in which format?"""

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import orjson

from jobs import formats
from jobs.reader import scan

HEAD = 1 << 20
_SAMPLES = 20

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
    first = _parsed(text.split(b"\n", 1)[0])
    if is_lines and not (first is None and text[:1] == b"["):
        return Sniffed(LINES, formats.detect(records(_lines(text))))
    if text[:1] == b"[" and not (isinstance(first, list) and text.count(b"\n", 0, len(text.rstrip())) > 0):
        return _array(text)
    if text[:1] == b"{" and (first is None or formats.detect(records([first])) is None):
        return _object(text, first)
    return Sniffed(LINES, formats.detect(records(_lines(text))))


def records(values: list[Any]) -> list[dict[str, Any]]:
    """Values as the records formats look at: a bare list of messages counts as ``{"messages": [...]}``."""
    return [record for record in map(as_record, values) if record is not None]


def as_record(value: Any) -> dict[str, Any] | None:
    """The record a parsed value stands for, or None when it is neither an object nor a list of messages."""
    if isinstance(value, dict):
        return value
    return {"messages": value} if _is_message_list(value) else None


def named_member(value: dict[str, Any]) -> dict[str, Any] | None:
    """The record in ``{"its id": {...}}``, with that id unless it has its own."""
    [(name, record)] = value.items()
    return {"id": name, **record} if isinstance(record, dict) else None


def _array(text: bytes) -> Sniffed:
    values = _members(text)
    if values and isinstance(values[0], dict) and _is_message_list(values):
        return Sniffed(DOCUMENT, formats.detect([{"messages": values}]))
    return Sniffed(ARRAY, formats.detect(records(values)))


def _object(text: bytes, first: Any) -> Sniffed:
    if first is None and (whole := _parsed(text)) is not None:
        found = formats.detect(records([whole]))
        if found:
            return Sniffed(DOCUMENT, found)
    pairs = [value for value in map(_parsed, (b"{" + m + b"}" for m in _pieces(text))) if isinstance(value, dict)]
    named = [record for record in (named_member(pair) for pair in pairs if len(pair) == 1) if record]
    found = formats.detect(named) if named and len(named) == len(pairs) else None
    if found:
        return Sniffed(MAPPING, found)
    if first is not None:
        return Sniffed(LINES, formats.detect(records(_lines(text))))
    return Sniffed(DOCUMENT, None)


def _is_message_list(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(m, dict) and "role" in m and "content" in m for m in value[:3])


def _lines(text: bytes) -> list[Any]:
    lines = text.split(b"\n", _SAMPLES)[:_SAMPLES]
    return [value for value in map(_parsed, lines) if value is not None]


def _members(text: bytes) -> list[Any]:
    return [value for value in map(_parsed, _pieces(text)) if value is not None]


def _pieces(text: bytes) -> list[bytes]:
    data = np.frombuffer(text, np.uint8)
    starts, ends = np.empty(len(data) + 1, np.int64), np.empty(len(data) + 1, np.int64)
    found = min(scan.elements(data, scan.start_state(), starts, ends), _SAMPLES)
    return [text[starts[i] : ends[i]] for i in range(found)]


def _parsed(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
