"""Parsed records become conversations or refusals, whatever container they came from."""

from collections.abc import Generator, Iterable
from types import ModuleType
from typing import Any

import orjson
import pyarrow as pa

from conf.settings import Input
from jobs import formats
from jobs.formats.conversation import FILE_REASONS, TOO_DEEP, UNKNOWN_FORMAT, Rejected
from jobs.reader import rows
from jobs.reader.rows import Rows

Parsed = tuple[int, int, bytes | memoryview, Any]
"""Record number, byte offset (-1: none), its bytes where at hand, and its ``dict`` or the :class:`Rejected` it raised."""


def collect(
    parsed: Iterable[Parsed], known: ModuleType | None, collected: Rows, options: Input
) -> Generator[pa.RecordBatch, None, int]:
    """Every parsed record into ``collected`` or out as a refusal; full batches go out on the way. Returns the number
    of records. Raises :class:`Rejected` only with a file reason: a record that no format knows ends its file."""
    count = 0
    for number, offset, raw, record in parsed:
        count += 1
        try:
            _add(collected, record, known, options, number, offset)
        except Rejected as why:
            if why.reason in FILE_REASONS:
                raise
            yield rows.refused(collected.place, number, offset, why, bytes(raw) or as_json(record))
        if collected.is_full():
            yield from filter(None, [collected.take()])
    return count


def _add(collected: Rows, record: Any, known: ModuleType | None, options: Input, number: int, offset: int) -> None:
    if isinstance(record, Rejected):
        raise record
    if known is None:
        raise Rejected(UNKNOWN_FORMAT, _unknown(record))
    try:
        found = known.conversations(record, options, collected.place.file)
    except RecursionError:
        raise Rejected(TOO_DEEP, "nested past what the format can walk") from None
    for part, conversation in enumerate(found):
        collected.add(conversation, number, part, offset)


def _unknown(record: dict[str, Any]) -> str:
    keys = ", ".join(sorted(map(str, record))[:12])
    names = ", ".join(known.NAME for known in formats.FORMATS)
    return f"no format knows records with the keys {keys}; if one should, set input.format to one of {names}"


def as_json(record: Any) -> bytes:
    """A record as JSON bytes, for the quarantine's sample and digest."""
    return orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)
