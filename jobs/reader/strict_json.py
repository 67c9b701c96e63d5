"""Is this record valid JSON, beyond what fast parsers check, and if not, which one of our reasons is it?"""

import json
from collections import Counter
from typing import Any

import orjson

from jobs import refusals
from jobs.bytewise.scan import SUSPECT_KEYS, TOO_DEEP, WIDE_NUMBER
from jobs.refusals import Rejected

_SPACE = " \t\r\n"
_SHOWN = 60


def parse(data: bytes | memoryview, flags: int, deepest: int) -> Any:
    """The JSON value of one record. ``flags`` are :func:`jobs.bytewise.scan.inspect`'s for it.

    Raises :class:`Rejected` for everything RFC 8259 forbids, and also for duplicate keys, lone surrogates, nesting
    past ``deepest`` levels and numbers past a double's range, which it merely discourages. Integers of any width are
    exact.
    """
    if flags & TOO_DEEP:
        raise Rejected(refusals.TOO_DEEP, f"nested deeper than {deepest} levels")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _explained(bytes(data), str(error)) from None
    if flags & (SUSPECT_KEYS | WIDE_NUMBER):
        return _parse_surely(bytes(data))
    return value


def after_end(data: bytes) -> Rejected:
    """Why bytes after the end of a value are refused: a second value, or garbage."""
    rest = data.decode("utf-8", "replace").strip()
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(rest)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict | list):
        return Rejected(refusals.TWO_VALUES, f"a second value follows the first: {rest[:_SHOWN]!r}")
    return Rejected(refusals.TRAILING_GARBAGE, f"after the value: {rest[:_SHOWN]!r}")


def _parse_surely(data: bytes) -> Any:
    try:
        return json.loads(data, object_pairs_hook=_distinct, parse_int=_integer)
    except RecursionError:
        raise Rejected(refusals.TOO_DEEP, "nested past the parser's limit") from None


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen = dict(pairs)
    if len(seen) != len(pairs):
        twice, times = Counter(name for name, _ in pairs).most_common(1)[0]
        raise Rejected(refusals.DUPLICATE_KEY, f"key {twice[:80]!r} stands {times} times in one object")
    return seen


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        raise Rejected(refusals.MALFORMED_JSON, f"an integer of {len(digits):,} digits") from None


def _explained(data: bytes, message: str) -> Rejected:
    """Why orjson refused ``data``, as one of our reasons; the slow path, for broken records only."""
    try:
        text = data.decode("utf-8").lstrip(_SPACE)
    except UnicodeDecodeError as error:
        return Rejected(refusals.INVALID_UTF8, f"byte 0x{data[error.start]:02x} at {error.start}: {error.reason}")
    if "control character" in message:
        return Rejected(refusals.CONTROL_CHARACTER, message)
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text)
    except RecursionError:
        return Rejected(refusals.TOO_DEEP, "nested past the parser's limit")
    except ValueError:
        return Rejected(refusals.MALFORMED_JSON, message)
    if _has_surrogate(value):
        return Rejected(refusals.LONE_SURROGATE, message)
    if rest := text[end:].strip(_SPACE):
        return after_end(rest.encode())
    return Rejected(refusals.MALFORMED_JSON, message)


def _has_surrogate(value: Any) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in json.dumps(value, ensure_ascii=False))
