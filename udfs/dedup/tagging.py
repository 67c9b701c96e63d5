"""Levels that only tag: what they would remove of the rows that the other levels leave.

A row that is only tagged stays, so nothing may go for its sake: the levels that drop are judged first, as if no other
were on, and those that tag are judged among the rows that are kept then.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.dedup.unions import union_find

_FOUND = ("level", "kept_id", "copy_of", "similarity", "bands_shared", "nearest_id")


def is_kept(found: pa.RecordBatch) -> np.ndarray:
    """Which rows of :func:`udfs.dedup.candidates.thin` stay? bool."""
    return np.asarray(found.column("kept_id").is_null())


def joined(dropped: pa.RecordBatch, tagged: pa.RecordBatch) -> pa.RecordBatch:
    """What levels that drop found (:func:`candidates.thin` without its counters) with what those that tag found
    among the rows kept there, in their order.

    Of a kept row that is told which has a nearest one in both, the first is told. What hangs together in either is one
    cluster.
    """
    kept = is_kept(dropped)
    told = tagged.take(pa.array(np.cumsum(kept) - 1, mask=~kept))
    is_told = np.asarray(pc.or_(told.column("kept_id").is_valid(), told.column("nearest_id").is_valid()))
    has_nearest = np.asarray(dropped.column("nearest_id").is_valid()) & np.asarray(told.column("kept_id").is_null())
    takes = pa.array(is_told & ~has_nearest)
    for name in _FOUND:
        column = pc.if_else(takes, told.column(name), dropped.column(name))
        dropped = dropped.set_column(dropped.schema.get_field_index(name), name, column)
    cluster = _united(dropped.column("cluster_id"), told.column("cluster_id"))
    return dropped.set_column(dropped.schema.get_field_index("cluster_id"), "cluster_id", cluster)


def _united(first: pa.Array, second: pa.Array) -> pa.Array:
    """The least name of all that are tied to a row's, by a row that has both."""
    names = pc.unique(pa.chunked_array([first, second])).drop_null().sort()
    ends = [pc.index_in(side, value_set=names) for side in (first, second)]
    a, b = (pc.fill_null(end, -1).to_numpy().astype(np.int64) for end in ends)
    has_both = (a >= 0) & (b >= 0)
    least = union_find(a[has_both], b[has_both], len(names))
    own = np.where(a >= 0, a, b)
    return names.take(pa.array(least[np.maximum(own, 0)] if len(names) else own, mask=own < 0))
