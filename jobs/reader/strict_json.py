"""Is this record valid JSON, beyond what fast parsers check, and if not, which one of our reasons is it?"""

import json
from typing import Any

import orjson

from jobs.formats import conversation as reasons
from jobs.formats.conversation import Rejected
from jobs.reader.scan import SUSPECT_KEYS, TOO_DEEP


def parse(data: bytes | memoryview, flags: int, deepest: int) -> Any:
    """The JSON value of one record. ``flags`` are :func:`jobs.reader.scan.inspect`'s for it.

    Raises :class:`Rejected` for everything RFC 8259 forbids, and also for duplicate keys, lone surrogates and nesting
    past ``deepest`` levels, which it merely discourages.
    """
    if flags & TOO_DEEP:
        raise Rejected(reasons.TOO_DEEP, f"nested deeper than {deepest} levels")
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _explained(bytes(data), str(error)) from None
    if flags & SUSPECT_KEYS:
        _require_distinct_keys(bytes(data))
    return value


def _require_distinct_keys(data: bytes) -> None:
    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen = dict(pairs)
        if len(seen) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise Rejected(reasons.DUPLICATE_KEY, f"key {twice[:80]!r} stands {names.count(twice)} times in one object")
        return seen

    json.loads(data, object_pairs_hook=check)


def _explained(data: bytes, message: str) -> Rejected:
    """Why orjson refused ``data``, as one of our reasons; the slow path, for broken records only."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Rejected(reasons.INVALID_UTF8, f"byte 0x{data[error.start]:02x} at {error.start}: {error.reason}")
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text.lstrip("\ufeff \t\r\n"))
    except RecursionError:
        return Rejected(reasons.TOO_DEEP, "nested past the parser's limit")
    except ValueError:
        return _control(text) or Rejected(reasons.MALFORMED_JSON, message)
    rest = text.lstrip("\ufeff \t\r\n")[end:].strip()
    if rest:
        return _trailing(rest)
    if _has_surrogate(value):
        return Rejected(reasons.LONE_SURROGATE, message)
    return _control(text) or Rejected(reasons.MALFORMED_JSON, message)


def _trailing(rest: str) -> Rejected:
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(rest)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict | list):
        return Rejected(reasons.TWO_VALUES, f"a second value follows the first: {rest[:60]!r}")
    return Rejected(reasons.TRAILING_GARBAGE, f"after the value: {rest[:60]!r}")


def _control(text: str) -> Rejected | None:
    at = next((i for i, c in enumerate(text) if c < " " and c not in "\t\n\r"), None)
    if at is None and "\r" in text.rstrip("\r"):
        at = text.index("\r")
    if at is None:
        return None
    return Rejected(reasons.CONTROL_CHARACTER, f"raw control character U+{ord(text[at]):04X} at character {at}")


def _has_surrogate(value: Any) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in json.dumps(value, ensure_ascii=False))
