"""What became of each candidate? Whole components of signatures in, verified removals out, as Arrow batches."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.dedup import buckets, tagging, thinning
from udfs.dedup.blocks import Block
from udfs.dedup.buckets import Levels
from udfs.dedup.members import Members, matched, unpack
from udfs.dedup.thinning import Bounds, Candidates, Ragged, Sets, Thinned
from udfs.dedup.unions import union_find
from udfs.shingles import CLOSING

EXACT = "exact"
NAMES = ("", "snapshot", "near", "contained")
"""The levels by their number in :class:`udfs.dedup.thinning.Thinned`; the first is no level."""
LEVELS = ("snapshot", EXACT, "near", "contained")
"""The levels that compare whole conversations, in their order."""
CLUSTER_DIGITS = 32
COUNTERS = ("compared", "rejected", "hot_buckets")
JUDGED = pa.schema(
    [
        *((name, pa.string()) for name in ("conversation_id", "level", "kept_id", "copy_of")),
        *(("similarity", pa.float64()), ("bands_shared", pa.int32())),
        *((name, pa.string()) for name in ("nearest_id", "cluster_id")),
        *((name, pa.int64()) for name in COUNTERS),
    ]
)
"""The columns of :func:`thin`."""


class Policy(NamedTuple):
    """The levels that remove rows, and those that only tell what they would remove of the rest."""

    dropping: Levels
    tagging: Levels


def judge_blocks(
    facts: Iterable[pa.RecordBatch], found: Mapping[int, Sequence[Block]], policy: Policy, bounds: Bounds
) -> Iterator[pa.RecordBatch]:
    """:func:`judge`, the signatures being in blocks by their part. Facts have their ``part``."""
    told = list(facts)
    parts = sorted({part for batch in told for part in batch.column("part").unique().to_pylist()})
    signed = unpack(block for part in parts for block in found.get(part, ()))
    yield from judge(chain(told, signed), policy, bounds)


def judge(batches: Iterable[pa.RecordBatch], policy: Policy, bounds: Bounds) -> Iterator[pa.RecordBatch]:
    """Signatures and facts of whole components, in any order -> what became of each: :func:`thin` of those that
    :func:`udfs.dedup.members.matched` gives. A row that a level tags is one more that is not removed by the others."""
    members = matched(batches)
    if not members:
        return
    # Where near only tags it keeps nothing that contained might drop.
    found = thin(members, policy.dropping, bounds if policy.dropping.near else bounds._replace(keep=1))
    yield found if not any(policy.tagging) else _tagged(members, found, policy.tagging, bounds)


def _tagged(members: Members, found: pa.RecordBatch, levels: Levels, bounds: Bounds) -> pa.RecordBatch:
    """What levels that drop found, with what these would remove of the rows that stay."""
    stays = np.array(members.rows.column("is_fixed"))
    stays[~stays] = tagging.is_kept(found)
    both = found, thin(members.only(stays), levels, bounds)
    sums = [sum(pc.sum(each.column(name)).as_py() or 0 for each in both) for name in COUNTERS]
    return _counted(tagging.joined(*(each.drop_columns(list(COUNTERS)) for each in both)), sums)


def thin(members: Members, levels: Levels, bounds: Bounds) -> pa.RecordBatch:
    """What became of the members that are not fixed, a row each:

    - ``conversation_id``, ``level``, ``kept_id`` (null: kept);
    - ``copy_of``: of a row whose messages a better one has, that one. It goes where that one goes, or stays for it;
    - ``similarity``, ``bands_shared``: with the kept row, or with ``nearest_id``;
    - ``nearest_id`` (of a kept row: the most similar row that level near kept before it, if it is worth telling);
    - ``cluster_id``: the least content digest among what it is linked with, or has the same messages; null where there
      is nothing;
    - on the first row the counters ``compared``, ``rejected``, ``hot_buckets``, 0 on the others.
    """
    rows, ranks = members.rows, _ranks(members.rows)
    said = members.said if levels.exact else np.arange(len(rows))
    is_fixed = rows.column("is_fixed").to_numpy(zero_copy_only=False)
    in_order = np.lexsort((ranks, ~is_fixed, said))
    best = in_order[np.unique(said[in_order], return_index=True)[1]]  # of each number the first
    result = thinning.thin(_candidates(members, best, ranks[best], levels), bounds)
    found = _verdicts(rows, best, np.searchsorted(said[best], said), result)
    found = found.filter(pa.array(~is_fixed)) if is_fixed.any() else found
    return _counted(found, [getattr(result, name) for name in COUNTERS])


def _candidates(members: Members, best: np.ndarray, ranks: np.ndarray, levels: Levels) -> Candidates:
    """The rows ``best`` of the members, whose ranks these are."""
    place = members.whole[best]
    rows, signed = members.rows.take(pa.array(best)), members.signed.take(pa.array(place))
    beginnings, owners = buckets.digests(signed.column("prefixes"))
    if not levels.snapshot:
        beginnings, owners = beginnings[:0], owners[:0]
    return Candidates(
        rows.column("component").to_numpy(),
        ranks,
        rows.column("is_fixed").to_numpy(zero_copy_only=False),
        Sets(members.sets.hashes, members.sets.starts[place], members.sets.ends[place]),
        _closing(signed.column("closing")),
        _keys(signed.column("bands"), levels.near),
        _keys(signed.column("anchors"), levels.contained),
        beginnings,
        owners,
    )


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


def _verdicts(rows: pa.RecordBatch, best: np.ndarray, group: np.ndarray, result: Thinned) -> pa.RecordBatch:
    """What became of all rows but for the counters, ``result`` being what became of the rows ``best``, one of each
    group."""
    ids, stands_for = rows.column("conversation_id"), best[group]
    kept_of, nearest = result.kept_of[group], result.nearest[group]
    is_removed, is_copy = kept_of >= 0, stands_for != np.arange(len(rows))
    has_score = is_removed | ((nearest >= 0) & ~is_copy)
    level = np.where(is_removed, np.array(NAMES)[result.level[group]], EXACT)
    goes_to = np.where(is_removed, best[kept_of], stands_for)
    similarity = np.where(is_copy & ~is_removed, 1.0, result.similarity[group])
    columns = {
        "conversation_id": ids,
        "level": pa.array(level, pa.string(), mask=~(is_removed | is_copy)),
        "kept_id": ids.take(pa.array(goes_to, mask=~(is_removed | is_copy))),
        "copy_of": ids.take(pa.array(stands_for, mask=~is_copy)),
        "similarity": pa.array(similarity, mask=~(has_score | is_copy)),
        "bands_shared": pa.array(result.bands_shared[group].astype(np.int32), mask=~has_score),
        "nearest_id": ids.take(pa.array(best[nearest], mask=is_copy | (nearest < 0))),
        "cluster_id": _clusters(rows.column("digest"), best, group, result),
    }
    return pa.RecordBatch.from_pydict(columns)


def _clusters(digests: pa.Array, best: np.ndarray, group: np.ndarray, result: Thinned) -> pa.Array:
    """Per row the least content digest of what its group's best row is linked with, or else of its group; null for a
    row without links and alone in its group."""
    count = len(best)
    links = (result.kept_of, result.nearest, result.tied)
    tied = [np.stack([np.flatnonzero(to >= 0), to[to >= 0]]) for to in links]
    pairs = np.concatenate(tied, axis=1).astype(np.int64)
    labels = union_find(pairs[0], pairs[1], count)
    names = pc.utf8_slice_codeunits(digests, 0, CLUSTER_DIGITS)
    by_digest = np.argsort(
        names.to_numpy(zero_copy_only=False).astype(f"S{CLUSTER_DIGITS}")
    )  # Arrow takes 5 times that
    places = np.empty(len(digests), np.int64)
    places[by_digest] = np.arange(len(digests))
    linked = _least(labels, places[best])
    own = _least(group, places)
    is_linked, is_several = (np.bincount(of, minlength=count)[of] > 1 for of in (labels, group))
    least = np.where(is_linked[group], linked[labels][group], own[group])
    return names.take(pa.array(by_digest)).take(pa.array(least, mask=~(is_linked[group] | is_several)))


def _least(group: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The least value of each group, 0 up to the last that is named or could be."""
    found = np.full(len(group), np.iinfo(np.int64).max)
    np.minimum.at(found, group, values)
    return found


def _counted(found: pa.RecordBatch, counts: Sequence[int]) -> pa.RecordBatch:
    """With the counters on the first row."""
    for name, value in zip(COUNTERS, counts, strict=True):
        found = found.append_column(name, pa.array(np.where(np.arange(len(found)) == 0, value, 0), pa.int64()))
    return found
