"""Plainly sound JSON records straight to Arrow columns, without Python objects for messages. What is left is odd."""

from types import ModuleType

import numpy as np
import orjson
import pyarrow as pa

from conf.settings import Input
from jobs.formats.part import Part
from jobs.reader import nodes, rows
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
    which = np.flatnonzero(sound)
    if not len(which):
        return [], block
    records = found.records[which]
    if len(which) < len(sound):
        parts = [Part(part.talk.pick(which), part.labels.pick(which)) for part in parts]
    where = rows.Where(block.numbers[records], block.starts[records] + block.offset)
    batches = [
        rows.talk_batch(place, where._replace(part=number), part.labels, part.talk) for number, part in enumerate(parts)
    ]
    odd = np.ones(len(block.starts), bool)
    odd[records] = False
    return batches, block._replace(starts=block.starts[odd], ends=block.ends[odd], numbers=block.numbers[odd])
