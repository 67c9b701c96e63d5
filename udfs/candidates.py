"""What became of each candidate? Whole components of signatures in, verified removals out, as Arrow batches."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import buckets, thinning
from udfs.buckets import Levels
from udfs.shingles import CLOSING
from udfs.thinning import Bounds, Candidates, Ragged, Sets, Thinned
from udfs.unions import union_find

EXACT = "exact"
NAMES = ("", "snapshot", "near", "contained")
"""The levels by their number in :class:`udfs.thinning.Thinned`; the first is no level."""
LEVELS = ("snapshot", EXACT, "near", "contained")
"""The levels that compare whole conversations, in their order."""
CLUSTER_DIGITS = 32
COUNTERS = ("compared", "rejected", "hot_buckets")
_FACTS = ("order", "is_fixed")


class Members(NamedTuple):
    """Signatures of whole components with their facts: ``rows`` as :func:`udfs.signatures.sign` gives them, but for
    ``sets``, and with ``component``, ``order`` (list of numbers, larger is better) and ``is_fixed`` (never removed).
    The sets, most of the bytes, are apart: nobody puts them in order."""

    rows: pa.RecordBatch
    sets: Sets


def judge(batches: Iterable[pa.RecordBatch], levels: Levels, bounds: Bounds) -> Iterator[pa.RecordBatch]:
    """Signatures and facts of whole components, in any order -> what became of each: :func:`thin` of those that
    :func:`matched` gives."""
    members = matched(batches)
    if members:
        yield thin(members, levels, bounds)


def matched(batches: Iterable[pa.RecordBatch]) -> Members | None:
    """Signatures and facts of conversations as rows of one schema, in any order -> the signatures that have facts, with
    these; None without facts. A row of facts has ``order`` and ``is_fixed``, a signature all else."""
    rows, sets = _gather(batches)
    if rows is None or rows.column("order").null_count == len(rows):
        return None
    told = rows.column("order").is_valid()
    facts = np.flatnonzero(np.asarray(told))
    ids = rows.column("conversation_id")
    place = pc.index_in(ids, value_set=ids.take(pa.array(facts)))
    signed = np.flatnonzero(np.asarray(pc.and_not(place.is_valid(), told)))
    # A signature is here twice where its row number is another conversation's too.
    places, firsts = np.unique(place.take(pa.array(signed)).to_numpy(), return_index=True)
    taken = signed[firsts]
    known = rows.drop_columns(list(_FACTS)).take(pa.array(taken))
    for name in _FACTS:
        known = known.append_column(name, rows.column(name).take(pa.array(facts[places])))
    return Members(known, Sets(sets.hashes, sets.starts[taken], sets.ends[taken]))


def thin(members: Members, levels: Levels, bounds: Bounds) -> pa.RecordBatch:
    """What became of the members, a row each: ``conversation_id``, ``kept_id`` (null: kept), ``level``,
    ``similarity``, ``bands_shared``, ``nearest_id`` (of a kept row: the most similar kept row before it, if it is
    worth telling), ``cluster_id`` (the least content digest among what it is linked with; null: it has no links), and
    on the first row the counters ``compared``, ``rejected``, ``hot_buckets``."""
    return _verdicts(members.rows, thinning.thin(_candidates(members, levels), bounds))


def _gather(batches: Iterable[pa.RecordBatch]) -> tuple[pa.RecordBatch | None, Sets]:
    """All rows as one batch but for the sets, which go end to end into memory of their own. All of a part in one Arrow
    table would be there twice for a while; here each batch is free to go when it has been copied."""
    rows, hashes, ends = [], bytearray(), [np.zeros(1, np.int64)]
    for batch in batches:
        if batch.num_rows:
            sets = sets_of(batch.column("sets"))
            hashes += sets.hashes[sets.starts[0] : sets.ends[-1]].view(np.uint8).data
            ends.append(sets.ends - sets.starts[0] + ends[-1][-1])
            rows.append(batch.drop_columns(["sets"]).take(pa.array(np.arange(batch.num_rows))))
    cuts = np.concatenate(ends)
    gathered = Sets(np.frombuffer(hashes, np.uint32), cuts[:-1], cuts[1:])
    return _one_batch(pa.Table.from_batches(rows)) if rows else None, gathered


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    joined = table.combine_chunks().to_batches()
    if len(joined) != 1:
        told = f"one part has {table.num_rows:,} candidates, more than one Arrow batch can hold"
        raise OverflowError(f"{told}: set spark.sql.shuffle.partitions higher")
    return joined[0]


def _candidates(members: Members, levels: Levels) -> Candidates:
    rows = members.rows
    beginnings, owners = buckets.digests(rows.column("prefixes"))
    if not levels.snapshot:
        beginnings, owners = beginnings[:0], owners[:0]
    return Candidates(
        rows.column("component").to_numpy(),
        _ranks(rows),
        rows.column("is_fixed").to_numpy(zero_copy_only=False),
        members.sets,
        _closing(rows.column("closing")),
        _keys(rows.column("bands"), levels.near),
        _keys(rows.column("anchors"), levels.contained),
        beginnings,
        owners,
    )


def sets_of(column: pa.Array) -> Sets:
    """The sets in a column ``sets``."""
    _, starts, data = column.buffers()
    ends = np.frombuffer(starts, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64) // 4
    return Sets(np.frombuffer(data or b"\0\0\0\0", np.uint32), ends[:-1], ends[1:])


def _closing(column: pa.Array) -> np.ndarray:
    values, _ = buckets.listed(column)  # two hashes each
    return values.view(np.uint32).reshape(len(column), CLOSING)


def _keys(column: pa.Array, is_wanted: bool) -> Ragged:
    values, ends = buckets.listed(column)
    return Ragged(values, ends) if is_wanted else Ragged(values[:0], np.zeros_like(ends))


def _ranks(members: pa.RecordBatch) -> np.ndarray:
    """Each candidate's place in the total order: better numbers first, then the id."""
    ids, order = members.column("conversation_id"), members.column("order")
    numbers = order.flatten().to_numpy(zero_copy_only=False).reshape(len(ids), -1)
    by_id = np.empty(len(ids), np.int64)
    by_id[pc.sort_indices(ids).to_numpy()] = np.arange(len(ids))
    best_first = np.lexsort((by_id, *(-numbers[:, column] for column in reversed(range(numbers.shape[1])))))
    ranks = np.empty(len(best_first), np.int64)
    ranks[best_first] = np.arange(len(best_first))
    return ranks


def _verdicts(members: pa.RecordBatch, result: Thinned) -> pa.RecordBatch:
    ids, is_kept = members.column("conversation_id"), result.kept_of < 0
    has_score = ~is_kept | (result.nearest >= 0)
    counts = {name: [getattr(result, name)] + [0] * (len(ids) - 1) for name in COUNTERS}
    columns = {
        "conversation_id": ids,
        "kept_id": ids.take(pa.array(result.kept_of, mask=is_kept)),
        "level": pa.array(np.array(NAMES)[result.level], pa.string(), mask=is_kept),
        "similarity": pa.array(result.similarity, mask=~has_score),
        "bands_shared": pa.array(result.bands_shared.astype(np.int32), mask=~has_score),
        "nearest_id": ids.take(pa.array(result.nearest, mask=result.nearest < 0)),
        "cluster_id": _clusters(members.column("digest"), result),
        **{name: pa.array(values, pa.int64()) for name, values in counts.items()},
    }
    return pa.RecordBatch.from_pydict(columns)


def _clusters(digests: pa.Array, result: Thinned) -> pa.Array:
    """Per row the least content digest of the rows it is linked with; null for a row without links."""
    count = len(digests)
    links = (result.kept_of, result.nearest, result.tied)
    tied = [np.stack([np.flatnonzero(to >= 0), to[to >= 0]]) for to in links]
    pairs = np.concatenate(tied, axis=1).astype(np.int64)
    labels = union_find(pairs[0], pairs[1], count)
    in_order = np.empty(count, np.int64)
    by_digest = pc.sort_indices(digests)
    in_order[by_digest.to_numpy()] = np.arange(count)
    least = np.full(count, count, np.int64)
    np.minimum.at(least, labels, in_order)
    sizes = np.bincount(labels, minlength=count)
    ordered = pc.utf8_slice_codeunits(digests.take(by_digest), 0, CLUSTER_DIGITS)
    return ordered.take(pa.array(least[labels], mask=sizes[labels] < 2))
