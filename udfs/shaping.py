"""Which conversations become several rows of the dataset, and which several become one? Decided on counts alone.

Long ones are cut between exchanges (:mod:`udfs.exchanges`), short ones of a group are joined. What is decided are
message numbers and places in a row; the text itself is moved where it lies.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.batch import sum_of
from udfs.compiled import compiled, freeze
from udfs.exchanges import Exchanges, exchanges, is_one_exchange
from udfs.joined import one_batch
from udfs.vocabulary import Vocabulary, bound, count

_ADVICE = "set spark.sql.shuffle.partitions higher, or publish.merge_short.exchanges=0"


class Limits(NamedTuple):
    """``part``: tokens of a conversation that stays whole, 0 for any. ``exchanges``: of a joined row, 0 where none are
    joined; ``tokens``: of a joined row, 0 for any."""

    part: int
    exchanges: int
    tokens: int

    @property
    def is_counting(self) -> bool:
        """Do these limits need tokens?"""
        return bool(self.part or (self.exchanges and self.tokens))


def plan(batches: Iterable[pa.RecordBatch], limits: Limits, words: Vocabulary | None) -> Iterator[pa.RecordBatch]:
    """Conversations -> those to be cut, and those that may be joined with others.

    In: ``conversation_id``, ``digest``, ``key`` (of the group), ``roles`` and, if tokens are counted, ``contents``
    (lists). Out, of these rows: ``conversation_id``, ``digest``, ``key``; ``head``, the system messages at the start;
    ``cuts``, the messages (from 0) that begin a part, at least two, null for one that may be joined; ``tokens`` and
    ``head_tokens``, of its exchange and of its head (0 where they are not counted).

    A part has as many exchanges as have room for ``limits.part`` tokens together with the head, and at least one. One
    that may be joined is :func:`udfs.exchanges.is_one_exchange`.
    """
    for batch in batches:
        offsets, roles = _flat(batch.column("roles"))
        found = exchanges(roles, offsets)
        is_long = (np.diff(found.offsets) > 1) & (limits.part > 0)
        is_short = is_one_exchange(found, roles, offsets) & (limits.exchanges > 0)
        sizes = np.zeros(len(roles), np.int64)
        if words is not None:
            contents = _flat(batch.column("contents"))[1]
            is_long &= sum_of(bound(contents, words), offsets) > limits.part
            is_counted = np.repeat(is_long | (is_short & (limits.tokens > 0)), np.diff(offsets))
            sizes[is_counted] = count(contents.filter(pa.array(is_counted)), words)
        heads, tokens = measure(found, sizes, offsets)
        begins = cut(found, heads, tokens, limits.part)
        is_cut = is_long & (sum_of(begins, found.offsets) > 1)
        rows = np.flatnonzero(is_cut | is_short)
        numbers = found.starts - np.repeat(offsets[:-1], np.diff(found.offsets))
        columns = {name: batch.column(name).take(pa.array(rows)) for name in ("conversation_id", "digest", "key")}
        columns["head"] = pa.array(found.heads[rows], pa.int32())
        columns["cuts"] = _lists(numbers, begins & np.repeat(is_cut, np.diff(found.offsets)), found.offsets, rows)
        columns["tokens"] = pa.array(sum_of(tokens, found.offsets)[rows])
        columns["head_tokens"] = pa.array(heads[rows])
        yield pa.RecordBatch.from_pydict(columns)


def measure(found: Exchanges, sizes: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum of ``sizes``, one a message, over each conversation's head and over each exchange."""
    total = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
    starts = offsets[:-1]
    ends = np.append(found.starts[1:], len(sizes))[: len(found.starts)]
    has_any = np.diff(found.offsets) > 0
    ends[found.offsets[1:][has_any] - 1] = offsets[1:][has_any]
    return total[starts + found.heads] - total[starts], total[ends] - total[found.starts]


def cut(found: Exchanges, heads: np.ndarray, tokens: np.ndarray, limit: int) -> np.ndarray:
    """Which exchanges begin a part (booleans), each part as long as fits ``limit`` tokens, its head included."""
    kinds = (heads, np.int64), (tokens, np.int64), (found.offsets, np.int64)
    return _cut(*(freeze(values, kind) for values, kind in kinds), limit)


def join(batches: Iterable[pa.RecordBatch], limits: Limits) -> Iterator[pa.RecordBatch]:
    """Whole groups of what :func:`plan` gives without ``cuts`` -> the rows that are joined with others.

    Out: ``conversation_id``; ``first``, the id of the first of its row; ``place`` in that row, from 0; ``head``. Rows
    of a group stand in the order of their digests and fill one joined row after the other.
    """
    rows = one_batch(batches, "conversations to join", _ADVICE)
    if rows is None:
        return
    by = [(name, "ascending") for name in ("key", "digest", "conversation_id")]
    rows = rows.take(pc.sort_indices(rows, sort_keys=by))
    groups = rows.column("key").dictionary_encode().indices.to_numpy()
    begins = fill(groups, rows.column("head_tokens").to_numpy(), rows.column("tokens").to_numpy(), limits)
    made, firsts = np.cumsum(begins) - 1, np.flatnonzero(begins)
    kept = np.flatnonzero(np.bincount(made)[made] > 1)
    names = rows.column("conversation_id")
    columns = {
        "conversation_id": names.take(pa.array(kept)),
        "first": names.take(pa.array(firsts[made[kept]])),
        "place": pa.array(kept - firsts[made[kept]], pa.int32()),
        "head": rows.column("head").take(pa.array(kept)),
    }
    yield pa.RecordBatch.from_pydict(columns)


def fill(groups: np.ndarray, heads: np.ndarray, tokens: np.ndarray, limits: Limits) -> np.ndarray:
    """Which rows begin a joined one (booleans), the rows of a group standing together: the next row joins as long as
    there is room for an exchange more and for its tokens, the head being there once."""
    kinds = (groups, np.int64), (heads, np.int64), (tokens, np.int64)
    return _fill(*(freeze(values, kind) for values, kind in kinds), limits.exchanges, limits.tokens)


def _flat(lists: pa.ListArray) -> tuple[np.ndarray, pa.Array]:
    """The n + 1 offsets (int64) of lists, and their values end to end."""
    lengths = pc.fill_null(lists.value_lengths(), 0).to_numpy(zero_copy_only=False)
    return np.concatenate(([0], np.cumsum(lengths, dtype=np.int64))), lists.flatten()


def _lists(numbers: np.ndarray, is_wanted: np.ndarray, offsets: np.ndarray, rows: np.ndarray) -> pa.ListArray:
    """The wanted numbers of each of ``rows`` as a list; null where there are none."""
    lengths = sum_of(is_wanted, offsets)[rows]
    ends = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    values = pa.array(numbers[is_wanted], pa.int32())
    return pa.ListArray.from_arrays(pa.array(ends), values, mask=pa.array(lengths == 0))


@compiled
def _cut(heads: Any, tokens: Any, offsets: Any, limit: int) -> Any:
    begins = np.zeros(len(tokens), np.bool_)
    for row in range(len(heads)):
        filled = 0
        for exchange in range(offsets[row], offsets[row + 1]):
            if exchange == offsets[row] or filled + tokens[exchange] > limit:
                begins[exchange], filled = True, heads[row]
            filled += tokens[exchange]
    return begins


@compiled
def _fill(groups: Any, heads: Any, tokens: Any, most: int, limit: int) -> Any:
    begins = np.zeros(len(groups), np.bool_)
    filled, count = 0, 0
    for row in range(len(groups)):
        is_full = count == most or (limit > 0 and filled + tokens[row] > limit)
        if row == 0 or groups[row] != groups[row - 1] or is_full:
            begins[row], filled, count = True, heads[row], 0
        filled, count = filled + tokens[row], count + 1
    return begins
