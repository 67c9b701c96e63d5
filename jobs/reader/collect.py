"""Parsed records become conversations or refusals, whatever container they came from."""

from collections.abc import Generator, Iterable, Sequence
from types import ModuleType
from typing import Any

import orjson
import pyarrow as pa

from conf.settings import Input
from jobs import formats
from jobs.formats.conversation import Conversation
from jobs.reader.rows import Rows
from jobs.refusals import FILE_REASONS, TOO_DEEP, UNKNOWN_FORMAT, Rejected

Parsed = tuple[int, int, bytes | memoryview, Any]
"""Record number, byte offset (-1: none), its bytes where at hand, and its ``dict`` or why it is refused."""


def collect(
    parsed: Iterable[Parsed], known: ModuleType | None, collected: Rows, options: Input
) -> Generator[pa.RecordBatch, None, int]:
    """Every parsed record into ``collected``, which goes out whenever it is full. Returns the number of records.

    Raises :class:`Rejected` only with a file reason: a record that no format knows ends its file.
    """
    count = 0
    for number, offset, raw, record in parsed:
        count += 1
        try:
            found = _conversations(record, known, options, collected.place.file)
        except Rejected as why:
            if why.reason in FILE_REASONS:
                raise
            collected.refuse(number, offset, why, bytes(raw) or as_json(record))
            found = ()
        for part, conversation in enumerate(found):
            collected.add(conversation, number, part, offset)
            if collected.is_full():
                yield from collected.take()
        collected.weigh(len(raw))
    return count


def _conversations(record: Any, known: ModuleType | None, options: Input, file: str) -> Sequence[Conversation]:
    if isinstance(record, Rejected):
        raise record
    if known is None:
        raise Rejected(UNKNOWN_FORMAT, _unknown(record))
    try:
        return known.conversations(record, options, file)
    except RecursionError:
        raise Rejected(TOO_DEEP, "nested past what the format can walk") from None


def _unknown(record: dict[str, Any]) -> str:
    keys = ", ".join(sorted(map(str, record))[:12])
    names = ", ".join(known.NAME for known in formats.FORMATS)
    return f"no format knows records with the keys {keys}; if one should, set input.format to one of {names}"


def as_json(record: Any) -> bytes:
    """A record as JSON bytes, for the quarantine's sample and digest; as Python writes it where JSON cannot."""
    try:
        return orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)
    except TypeError:
        return repr(record).encode("utf-8", "backslashreplace")
