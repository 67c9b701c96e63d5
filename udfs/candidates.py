"""What became of each candidate? Whole components of signatures in, verified removals out, as Arrow batches."""

from collections.abc import Iterable, Iterator

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
_FACTS = ("component", "order", "is_fixed")


def matched(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Signatures and facts of conversations as rows of one schema, in any order -> the signatures that have facts, with
    these: one batch. A row of facts has an ``order``, ``is_fixed`` and ``component``, a signature all else."""
    found = [batch for batch in batches if batch.num_rows]
    if not found:
        return
    signed = [batch.filter(batch.column("order").is_null()).drop_columns(list(_FACTS)) for batch in found]
    told = [batch.filter(batch.column("order").is_valid()).select(["conversation_id", *_FACTS]) for batch in found]
    facts = pa.Table.from_batches(told).combine_chunks().to_batches()
    if not facts:
        return
    signatures = _joined(signed)
    place = pc.index_in(signatures.column("conversation_id"), value_set=facts[0].column("conversation_id"))
    # A signature is here twice where its row number is another conversation's too.
    rows = np.sort(np.unique(place.fill_null(-1).to_numpy(), return_index=True)[1])
    rows = rows[place.is_valid().to_numpy(zero_copy_only=False)[rows]]
    if len(rows) < signatures.num_rows:
        signatures, place = signatures.take(pa.array(rows)), place.take(pa.array(rows))
    for name in _FACTS:
        signatures = signatures.append_column(name, facts[0].column(name).take(place))
    yield signatures


def thin(batches: Iterable[pa.RecordBatch], levels: Levels, bounds: Bounds) -> Iterator[pa.RecordBatch]:
    """Whole components of signatures -> one row a member.

    In: what :func:`udfs.signatures.sign` gives, with ``component``, ``order`` (list of numbers, larger is better) and
    ``is_fixed`` (never removed). Out: ``conversation_id``, ``kept_id`` (null: kept), ``level``, ``similarity``,
    ``bands_shared``, ``nearest_id`` (of a kept row: the most similar kept row before it that was not similar enough),
    ``cluster_id`` (the least content digest among what it is linked with; null: it has no links), and on one row a
    batch the counters ``compared``, ``rejected``, ``hot_buckets``.
    """
    found = [batch for batch in batches if batch.num_rows]
    if found:
        members = _joined(found)
        yield _verdicts(members, thinning.thin(_candidates(members, levels), bounds))


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """All rows as one batch. The sets of a part may have more bytes than 32-bit offsets can tell."""
    table = pa.Table.from_batches(batches)
    place = table.schema.get_field_index("sets")
    table = table.set_column(place, "sets", table.column(place).cast(pa.large_binary()))
    joined = table.combine_chunks().to_batches()
    if len(joined) != 1:
        told = f"one part has {table.num_rows:,} candidates, more than one Arrow batch can hold"
        raise OverflowError(f"{told}: set spark.sql.shuffle.partitions higher")
    return joined[0]


def _candidates(members: pa.RecordBatch, levels: Levels) -> Candidates:
    beginnings, owners = buckets.digests(members.column("prefixes"))
    if not levels.snapshot:
        beginnings, owners = beginnings[:0], owners[:0]
    return Candidates(
        members.column("component").to_numpy(),
        _ranks(members),
        members.column("is_fixed").to_numpy(zero_copy_only=False),
        _sets(members.column("sets")),
        _closing(members.column("closing")),
        _keys(members.column("bands"), levels.near),
        _keys(members.column("anchors"), levels.contained),
        beginnings,
        owners,
    )


def _sets(column: pa.Array) -> Sets:
    _, starts, data = column.buffers()
    kind = np.int64 if column.type == pa.large_binary() else np.int32
    ends = np.frombuffer(starts, kind)[column.offset : column.offset + len(column) + 1].astype(np.int64) // 4
    hashes = np.frombuffer(data or b"\0\0\0\0", np.uint32)
    return Sets(hashes, ends)


def _closing(column: pa.Array) -> np.ndarray:
    hashes, ends = _sets(column)
    return hashes[ends[0] : ends[-1]].reshape(len(column), CLOSING)


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
    tied = [np.stack([np.flatnonzero(to >= 0), to[to >= 0]]) for to in (result.kept_of, result.nearest)]
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
