"""Blocks of one byte stream become Arrow batches: conversations, refusals, and what the stream held in all."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from types import ModuleType
from typing import NamedTuple, Protocol

import pyarrow as pa

from conf.settings import Input
from jobs import formats, refusals
from jobs.reader import rows, sniff
from jobs.reader.collect import Parsed, collect
from jobs.reader.records import Block
from jobs.reader.rows import Place, Rows
from jobs.refusals import Rejected


class Sized(Protocol):
    """A stream that counts the bytes it gave."""

    size: int


class Way(NamedTuple):
    """How a block is read: what can be in columns, straight to batches, and all other records one by one."""

    parse: Callable[[Block], Iterable[Parsed]]
    divide: Callable[[Block, ModuleType | None, Place, Input], tuple[list[pa.RecordBatch], Block]] | None = None


def emit(
    blocks: Iterable[Block],
    way: Way,
    known: ModuleType | None,
    place: Place,
    options: Input,
    stream: Sized,
) -> Iterator[pa.RecordBatch]:
    """All records of the blocks in the staged schema, then the stream's summary. ``known`` is None where a stream's
    head shows no format, as the beginning of an over-long record does: then it is that of the first sound records."""
    collected, count = Rows(place._replace(format=known.NAME if known else "")), 0
    for block in blocks:
        if known is None and (known := _format_of(way.parse(block))):
            collected.place = place._replace(format=known.NAME)
        _refuse_giants(collected, block, options.max_record_bytes)
        batches, odd = way.divide(block, known, collected.place, options) if way.divide else ([], block)
        yield from batches
        count += len(block.giants) + len(block.starts) - len(odd.starts)
        count += yield from collect(way.parse(odd), known, collected, options)
        if collected.is_full():
            yield from collected.take()
    yield from collected.take()
    yield rows.summary(collected.place, count, stream.size)


def _format_of(parsed: Iterable[Parsed]) -> ModuleType | None:
    sound = (record for *_, record in parsed if isinstance(record, dict))
    return formats.detect(list(islice(sound, sniff.SAMPLES)))


def _refuse_giants(collected: Rows, block: Block, limit: int) -> None:
    for giant in block.giants:
        detail = f"{giant.size:,} bytes, the limit is input.max_record_bytes = {limit:,}"
        collected.refuse(giant.number, giant.offset, Rejected(refusals.TOO_LARGE, detail), giant.sample, giant.digest)
