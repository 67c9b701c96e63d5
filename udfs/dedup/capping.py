"""Of conversations that begin alike, which stay? At most K of each prompt, then of each template.

Whole units go in: a template with all its prompts, or a prompt without one. What is decided of a unit depends on it
alone.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.dedup.prompts import ranks
from udfs.joined import one_batch
from udfs.places import codes, places

PROMPT, TEMPLATE = "prompt", "template"
_ADVICE = "set spark.sql.shuffle.partitions higher, or where one template has most of them dedup.template.policy=off"

FOUND = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("conversation_id", "level", "kept_id")),
        pa.field("similarity", pa.float64()),
        pa.field("family", pa.string()),
        pa.field("is_removed", pa.bool_()),
    ]
)


class Cap(NamedTuple):
    """One level: its name, the columns that say a conversation's group and its likeness with it, how many may stay
    (None: all), and whether the first by ``order`` do, or by digest alone."""

    level: str
    group: str
    likeness: str
    keep: int | None
    is_best: bool


def cap(batches: Iterable[pa.RecordBatch], prompt: Cap, template: Cap) -> Iterator[pa.RecordBatch]:
    """Whole units of conversations -> rows of :data:`FOUND`, one a conversation and level; one at most is removed.

    In: ``conversation_id``; ``kept_id``, null but for those removed before; the columns of the levels, null for no
    group; the order in which rows stay: ``order`` (list of numbers, smaller is better), ``digest``.
    """
    rows = one_batch(batches, "conversations that begin alike", _ADVICE)
    if rows is None:
        return
    head = _heads(rows)
    head, by_prompt = _apply(rows, head, prompt)
    _, by_template = _apply(rows, head, template)
    anew = by_template.filter(by_template.column("is_removed")).column("conversation_id")
    is_retold = pc.is_in(by_prompt.column("conversation_id"), value_set=anew)
    yield _unremoved(by_prompt, is_retold)
    yield by_template


def _unremoved(told: pa.RecordBatch, chosen: pa.Array) -> pa.RecordBatch:
    """The same, the chosen rows as members that stay at this level."""
    for name, value in (("kept_id", None), ("is_removed", False)):
        place = told.schema.get_field_index(name)
        said = pc.if_else(chosen, pa.scalar(value, told.schema.field(name).type), told.column(name))
        told = told.set_column(place, name, said)
    return told


def _heads(rows: pa.RecordBatch) -> np.ndarray:
    """For each row the place of the one that it was removed for; -1 where it stands for itself."""
    kept = rows.column("kept_id")
    standing = np.flatnonzero(np.asarray(pc.is_null(kept)))
    names = rows.column("conversation_id").take(pa.array(standing))
    found = places(kept, names)
    return np.where(found < 0, -1, standing[found])


def _apply(rows: pa.RecordBatch, head: np.ndarray, how: Cap) -> tuple[np.ndarray, pa.RecordBatch]:
    """For each row the one that it is removed for after this level, or -1; and what the level says."""
    group = codes(rows.column(how.group))
    members = np.flatnonzero((head < 0) & (group >= 0))
    first, goes = _excess(rows, group, members, _pinned(group, head), how)
    moves = (head >= 0) & goes[head]
    gone = goes | moves
    after = np.where(goes, first, np.where(moves, first[head], head))
    says = np.union1d(members, np.flatnonzero(moves))
    ids, places = rows.column("conversation_id"), pa.array(says)
    columns = [
        *(ids.take(places), pa.repeat(how.level, len(says)), ids.take(pa.array(after[says], mask=~gone[says]))),
        *(rows.column(name).take(places) for name in (how.likeness, how.group)),
        pa.array(gone[says]),
    ]
    return after, pa.RecordBatch.from_arrays(columns, schema=FOUND)


def _pinned(group: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Rows that others were removed for that are of another group, or of none: they stay, else nothing says so."""
    pinned = np.zeros(len(group), bool)
    dependents = np.flatnonzero(head >= 0)
    is_strange = group[dependents] != group[head[dependents]]
    pinned[head[dependents[is_strange]]] = True
    return pinned


def _excess(
    rows: pa.RecordBatch, group: np.ndarray, members: np.ndarray, is_pinned: np.ndarray, how: Cap
) -> tuple[np.ndarray, np.ndarray]:
    """For each of all rows the first of its group (-1 but for ``members``), and whether it goes: the first, then pinned
    ones, then the next by rank stay, up to ``keep``."""
    first, goes = np.full(len(group), -1), np.zeros(len(group), bool)
    rank = ranks(rows.take(pa.array(members)), how.is_best)
    order = np.lexsort((rank, group[members]))
    members, rank = members[order], rank[order]
    starts = np.flatnonzero(np.diff(group[members], prepend=-1))
    begins = np.repeat(starts, np.diff(np.append(starts, len(members))))
    first[members] = members[begins]
    if how.keep is not None:
        is_safe = is_pinned[members] | (first[members] == members)
        turn = np.lexsort((rank, ~is_safe, group[members]))
        goes[members[turn]] = (np.arange(len(members)) - begins >= how.keep) & ~is_safe[turn]
    return first, goes
