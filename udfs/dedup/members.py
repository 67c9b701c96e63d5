"""Signatures on their way to the task that judges them, and there put to their facts.

A signature has some 2 kB in eight columns. As rows, Spark would take each apart and put it together four times on the
way, so where tasks share a folder they go by files: a block holds those that one task has for one part.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.dedup import blocks, buckets
from udfs.dedup.blocks import Block
from udfs.dedup.thinning import Sets
from udfs.delta.datafiles import groups
from udfs.joined import one_batch

COLUMNS = ("conversation_id", "row", "digest", "prefixes", "sets", "closing", "bands", "anchors")
"""What is read of a signature."""
SIGNED = ("prefixes", "closing", "bands", "anchors")
"""What is compared of it, but for the set."""
SHARED = ("sets", "closing", "bands", "anchors")
"""What copies have from another, which has the same messages."""
_FACTS = ("order", "is_fixed")
_OWN = ("conversation_id", "digest", "component")
_NAMES = (("conversation_id", pa.string()), ("digest", pa.string()), ("component", pa.int64()))
_BLOCK = pa.schema([*_NAMES, *((name, pa.binary()) for name in ("sets", *SIGNED))])
_STORED = tuple(name for name in _BLOCK.names if name != "component")
_BLOCK_BYTES = 16 << 20
_ADVICE = (
    "set spark.sql.shuffle.partitions higher, or where one component has most of them dedup.contained=off, or dedup by "
    "source"
)


class Places(NamedTuple):
    """Where rows are judged: ``row`` int64, ascending; ``component`` int64; ``part`` int32; ``is_copy`` bool."""

    row: np.ndarray
    component: np.ndarray
    part: np.ndarray
    is_copy: np.ndarray


class Members(NamedTuple):
    """Signatures of whole components with their facts.

    - ``rows``: ``conversation_id``, ``digest``, ``component``, ``order`` (list of numbers, larger is better),
      ``is_fixed`` (never removed, and not told of);
    - ``said``: :func:`messages` of the rows;
    - ``whole``: of each row its place in ``signed`` (``prefixes``, ``closing``, ``bands``, ``anchors`` as
      :func:`signatures.sign` gives them) and ``sets``, or that of another row with the same messages. These, most
      of the bytes, are moved once more only for rows that are compared.
    """

    rows: pa.RecordBatch
    said: np.ndarray
    whole: np.ndarray
    signed: pa.RecordBatch
    sets: Sets

    def only(self, chosen: np.ndarray) -> "Members":
        """The chosen (bool) rows."""
        rows = self.rows.filter(pa.array(chosen))
        return self._replace(rows=rows, said=self.said[chosen], whole=self.whole[chosen])


def pack(batches: Iterable[pa.RecordBatch], places: Places, folder: str) -> Iterator[pa.RecordBatch]:
    """Signatures (``COLUMNS``) -> those whose ``row`` has a place in one new file in the folder, if there are any; a
    row a :class:`udfs.dedup.blocks.Block`. Copies go without their set and keys, which are those of another."""
    found = []
    with blocks.new_file(folder) as file:
        for group in groups(batches, _BLOCK_BYTES):
            rows, spans = _dealt(pa.Table.from_batches(group), places)
            for number, first, last in spans:
                (block,) = rows.slice(first, last - first).to_batches()
                found.append(blocks.put(file, number, block.serialize()))
    yield blocks.as_rows(found)


def among(batches: Iterable[pa.RecordBatch], name: str, values: np.ndarray) -> Iterator[pa.RecordBatch]:
    """The rows whose column ``name`` (int64) is one of these values (int64, ascending)."""
    for batch in batches:
        yield batch.filter(pa.array(are_in(batch.column(name).to_numpy(), values)))


def without(batches: Iterable[pa.RecordBatch], name: str, values: np.ndarray) -> Iterator[pa.RecordBatch]:
    """The rows whose column ``name`` (int64) is none of these values (int64, ascending)."""
    for batch in batches:
        yield batch.filter(pa.array(~are_in(batch.column(name).to_numpy(), values)))


def are_in(found: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Which of the numbers (int64) are one of these values (int64, ascending)? bool."""
    if not len(values):
        return np.zeros(len(found), bool)
    return values[np.minimum(np.searchsorted(values, found), len(values) - 1)] == found


def unpack(found: Iterable[Block]) -> Iterator[pa.RecordBatch]:
    """The signatures of blocks. Raises OSError, with the path."""
    for block in found:
        yield pa.ipc.read_record_batch(pa.py_buffer(blocks.get(block)), _BLOCK)


def _dealt(signatures: pa.Table, places: Places) -> tuple[pa.Table, list[tuple[int, int, int]]]:
    """The signatures that have a place, as they go into blocks, by their part, and where each part's are. Most of a
    signature is moved here, once."""
    rows = signatures["row"].to_numpy()
    found = np.flatnonzero(are_in(rows, places.row))
    at = np.searchsorted(places.row, rows[found])
    order, spans = blocks.dealt(places.part[at])
    found, at = found[order], at[order]
    taken, uncopied = pa.array(found), pa.array(found, mask=places.is_copy[at])
    columns = {name: signatures[name].take(uncopied if name in SHARED else taken) for name in _STORED}
    columns["component"] = pa.array(places.component[at])
    return pa.table(columns).select(_BLOCK.names).combine_chunks().cast(_BLOCK), spans


def matched(batches: Iterable[pa.RecordBatch]) -> Members | None:
    """Signatures (of copies maybe without ``sets``, ``closing``, ``bands``, ``anchors``) and facts
    (``conversation_id``, ``order``, ``is_fixed``) in any order, in batches that may hold both -> the signatures that
    have facts, with these; None where there are none.

    Of conversations with the same messages one signature is enough. A copy without such another is left out.
    """
    rows, sets, facts = _gather(batches)
    if rows is None or facts is None:
        return None
    place = pc.index_in(rows.column("conversation_id"), value_set=facts.column("conversation_id"))
    signed = np.flatnonzero(np.asarray(place.is_valid()))
    # A signature is here twice where its row number is another conversation's too.
    places, firsts = np.unique(place.take(pa.array(signed)).to_numpy(), return_index=True)
    said = messages(rows)
    whole = _whole_ones(rows, said)[signed[firsts]]
    taken, places, whole = (each[whole >= 0] for each in (signed[firsts], places, whole))
    if not len(taken):
        return None
    columns = {name: rows.column(name).take(pa.array(taken)) for name in _OWN}
    columns |= {name: facts.column(name).take(pa.array(places)) for name in _FACTS}
    return Members(pa.RecordBatch.from_pydict(columns), said[taken], whole, rows.select(SIGNED), sets)


def messages(rows: pa.RecordBatch) -> np.ndarray:
    """A number per row, from 0, equal for equal messages: the digest of all of them comes last in ``prefixes``."""
    normal = pc.binary_slice(rows.column("prefixes"), -buckets.DIGEST_BYTES, None)
    return normal.dictionary_encode().indices.to_numpy()


def sets_of(column: pa.Array) -> Sets:
    """The sets in a column ``sets``; a null is an empty one."""
    _, starts, data = column.buffers()
    ends = np.frombuffer(starts, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64) // 4
    return Sets(np.frombuffer(data or b"\0\0\0\0", np.uint32), ends[:-1], ends[1:])


def _whole_ones(rows: pa.RecordBatch, said: np.ndarray) -> np.ndarray:
    """Per row one with the same messages that has a set and keys, itself where it has; -1 where there is none."""
    is_whole = np.asarray(rows.column("bands").is_valid())
    found = np.full(said.max(initial=0) + 1, -1)
    found[said[is_whole]] = np.flatnonzero(is_whole)
    return np.where(is_whole, np.arange(len(rows)), found[said])


def _gather(batches: Iterable[pa.RecordBatch]) -> tuple[pa.RecordBatch | None, Sets, pa.RecordBatch | None]:
    """All signatures but for their sets, these end to end in memory of their own, and all facts. All of a part in one
    Arrow table would be there twice for a while; here each batch is free to go when it has been copied."""
    rows, hashes, ends, facts = [], bytearray(), [np.zeros(1, np.int64)], []
    for batch in batches:
        told, signed = _sides(batch)
        facts += [told] if len(told) else []
        if len(signed):
            sets = sets_of(signed.column("sets"))
            hashes += sets.hashes[sets.starts[0] : sets.ends[-1]].view(np.uint8).data
            ends.append(sets.ends - sets.starts[0] + ends[-1][-1])
            rows.append(signed.drop_columns(["sets"]).take(pa.array(np.arange(len(signed)))))
    cuts = np.concatenate(ends)
    signed, told = one_batch(rows, "signatures", _ADVICE), one_batch(facts, "conversations to judge", _ADVICE)
    return signed, Sets(np.frombuffer(hashes, np.uint32), cuts[:-1], cuts[1:]), told


def _sides(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """The facts and the signatures of a batch."""
    if "order" not in batch.schema.names:
        return batch.slice(0, 0), batch
    told = batch.column("order").is_valid()
    facts = batch.filter(told).select(["conversation_id", *_FACTS])
    return facts, batch.filter(pc.invert(told)).select(_BLOCK.names) if "sets" in batch.schema.names else facts[:0]
