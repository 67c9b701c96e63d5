"""How 64-bit keys travel to where equal keys meet: binary blocks, one a range of keys.

A block holds thousands of keys of one range, so that Spark moves and sorts a few large values and not many rows. What
is done with a whole range of keys is done by NumPy. Where tasks share a folder, blocks go by files, and Spark moves
where they lie.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa

from udfs.dedup.grouping import firsts, group

PACKED = pa.schema([("part", pa.int32()), ("keys", pa.binary()), ("values", pa.binary())])
"""The columns of :func:`pack`."""
STORED = pa.schema([("part", pa.int32()), ("path", pa.string()), ("start", pa.int64()), ("bytes", pa.int64())])
"""A :class:`Block` as a row."""


class Block(NamedTuple):
    """Where what goes to a part lies: ``bytes`` bytes from ``start`` on in the file at ``path``."""

    part: int
    path: str
    start: int
    bytes: int


def new_file(folder: str) -> BinaryIO:
    """A new file in the folder, for blocks."""
    return open(f"{folder}/{uuid.uuid4()}", "xb")


def put(file: BinaryIO, part: int, *data: pa.Buffer) -> Block:
    """Write one block at the end of a file of :func:`new_file`."""
    start = file.tell()
    for each in data:
        file.write(each)
    return Block(part, file.name, start, file.tell() - start)


def get(block: Block) -> bytes:
    """The bytes of a block. Raises OSError, with the path."""
    with open(block.path, "rb") as file:
        file.seek(block.start)
        return file.read(block.bytes)


def as_rows(found: Sequence[Block]) -> pa.RecordBatch:
    """Blocks as rows of ``STORED``."""
    return pa.RecordBatch.from_pylist([block._asdict() for block in found], STORED)


def store(packed: Iterable[pa.RecordBatch], folder: str) -> Iterator[pa.RecordBatch]:
    """Rows of :func:`pack` into one new file in the folder -> where they are (:func:`as_rows`)."""
    found = []
    with new_file(folder) as file:
        for batch in packed:
            columns = (batch.column(name) for name in PACKED.names)
            for part, keys, values in zip(*columns, strict=True):
                found.append(put(file, part.as_py(), keys.as_buffer(), values.as_buffer()))
    yield as_rows(found)


def load(stored: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What :func:`store` told -> the rows it was given, a batch each. Raises OSError, with the path."""
    for batch in stored:
        for row in batch.to_pylist():
            data = get(Block(**row))
            half = len(data) // 2  # keys and values have 64 bits each
            yield pa.RecordBatch.from_arrays([[row["part"]], [data[:half]], [data[half:]]], schema=PACKED)


def pack(keys: np.ndarray, values: np.ndarray, parts: int) -> pa.RecordBatch:
    """Keys (uint64) and one value (int64) for each, as rows ``part``, ``keys``, ``values``: a row a part that occurs.

    The part is the key's high bits, so all equal keys, of whichever batch, are in one part of 0 .. ``parts`` - 1.
    """
    place = (keys >> np.uint64(32)) * np.uint64(parts) >> np.uint64(32)
    order, spans = dealt(place)
    keys, values = keys[order], values[order]
    columns = {
        "part": pa.array([part for part, _, _ in spans], pa.int32()),
        "keys": pa.array([keys[start:end].tobytes() for _, start, end in spans], pa.binary()),
        "values": pa.array([values[start:end].tobytes() for _, start, end in spans], pa.binary()),
    }
    return pa.RecordBatch.from_pydict(columns)


def dealt(part: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int, int]]]:
    """Rows by the part (from 0) that each goes to: their order, and for every part that occurs where in it its rows
    begin and end."""
    count = int(part.max()) + 1 if len(part) else 0
    part = part.astype(np.int16 if count < 1 << 15 else np.int32)  # numbers of 16 bits are sorted in linear time
    order = np.argsort(part, kind="stable")
    cuts = np.searchsorted(part[order], np.arange(count + 1)).tolist()
    return order, [(at, start, end) for at, (start, end) in enumerate(pairwise(cuts)) if end > start]


def unpack(batches: Iterable[pa.RecordBatch]) -> tuple[np.ndarray, np.ndarray]:
    """All keys and values of these rows of :func:`pack`, in any order."""
    keys, values = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for batch in batches:
        keys += [np.frombuffer(block.as_buffer(), np.uint64) for block in batch.column("keys")]
        values += [np.frombuffer(block.as_buffer(), np.int64) for block in batch.column("values")]
    return np.concatenate(keys), np.concatenate(values)


def totals(batches: Iterable[pa.RecordBatch], least: int) -> Iterator[pa.RecordBatch]:
    """Whole parts whose values are counts -> ``key`` (its bits, int64) and ``count``, where ``least`` or more, in no
    particular order."""
    keys, counts = unpack(batches)
    found, sums = summed(keys, counts)
    often = sums >= least
    yield pa.RecordBatch.from_arrays([pa.array(found[often].view(np.int64)), pa.array(sums[often])], ["key", "count"])


def summed(keys: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct keys, in no particular order, and the sum of the counts of each."""
    keys, counts = group(keys, counts)
    places = firsts(keys)
    return keys[places], np.add.reduceat(counts, places) if len(keys) else counts
