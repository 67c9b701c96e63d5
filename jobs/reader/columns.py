"""Plainly sound JSON records straight to Arrow columns, without Python objects for messages. What is left is odd."""

from types import ModuleType

import numpy as np
import orjson
import pyarrow as pa

from conf.settings import Input
from jobs.bytewise import nodes
from jobs.formats.part import Part
from jobs.reader import rows
from jobs.reader.records import WHOLE, Block
from jobs.reader.rows import Place

Batches = list[pa.RecordBatch]


def divide(block: Block, known: ModuleType | None, place: Place, options: Input) -> tuple[Batches, Block]:
    """The block's plainly sound records in the staged schema, and the block of all others."""
    if known is None or not hasattr(known, "columns") or not len(block.starts) or block.standing != WHOLE:
        return [], block
    found = nodes.read(block.data, block.starts, block.ends, options.max_depth, known.WORDS)
    if not len(found.roots):
        return [], block
    try:
        sound, parts = known.columns(found, options)
    except orjson.JSONDecodeError:  # no such record is known; if there is one, it is read by itself
        return [], block
    if not sound.any():
        return [], block
    batches = [_batch(block, part, number, found.records, sound, place) for number, part in enumerate(parts)]
    odd = np.ones(len(block.starts), bool)
    odd[found.records[sound]] = False
    return batches, block._replace(starts=block.starts[odd], ends=block.ends[odd], numbers=block.numbers[odd])


def _batch(
    block: Block, part: Part, number: int, records: np.ndarray, sound: np.ndarray, place: Place
) -> pa.RecordBatch:
    if part.owners is None:
        owners = np.flatnonzero(sound)
        part, parts = part.pick(owners), np.full(len(owners), number)
    else:
        owners = part.owners
        parts = np.arange(len(owners)) - np.searchsorted(owners, owners)
    where = rows.Where(block.numbers[records[owners]], block.starts[records[owners]] + block.offset, parts)
    return rows.talk_batch(place, where, part.labels, part.talk)
