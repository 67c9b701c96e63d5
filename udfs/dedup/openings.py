"""Conversations by how they begin, all at hand: what is known of their prompts, who is judged together, who stays?

What :mod:`caps_on_spark` finds by joins, here by numbers: of a conversation its place, of a prompt its number.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.dedup.prompts import ranks
from udfs.places import codes, one, places

FAMILY = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("level", "family")),
        *(pa.field(name, pa.int64()) for name in ("rows", "removed", "prompts", "example", "other")),
    ]
)


class Conversations(NamedTuple):
    """n conversations.

    - ``told``: ``conversation_id``, ``row``, ``digest``, ``key`` (of the prompt; null: none), ``order`` (list of
      numbers, smaller is better);
    - ``kept_id``: of those removed before, the one that they were removed for, else null.
    """

    told: pa.RecordBatch
    kept_id: pa.Array

    @property
    def is_standing(self) -> np.ndarray:
        """Which were not removed before? bool (n)."""
        return np.asarray(pc.is_null(self.kept_id))


class Prompts(NamedTuple):
    """The p distinct prompts of the standing ones.

    - ``keys``: binary (p);
    - ``rows``: int64 (p), how many standing conversations have it;
    - ``first``: int64 (p), the place of the first of them, and ``row`` its row number;
    - ``of``: int64 (n), the number of each conversation's prompt, -1 for none or one that no standing one has.
    """

    keys: pa.Array
    rows: np.ndarray
    first: np.ndarray
    row: np.ndarray
    of: np.ndarray


def distinct(conversations: Conversations, by_order: bool) -> Prompts:
    """Their prompts. The first conversation of a prompt is that by ``order`` if asked, then digest and id."""
    told = conversations.told
    is_asked = conversations.is_standing & np.asarray(told.column("key").is_valid())
    standing = np.flatnonzero(is_asked)
    encoded = told.column("key").take(pa.array(standing)).dictionary_encode()
    number = encoded.indices.to_numpy()
    turn = np.lexsort((ranks(told.take(pa.array(standing)), by_order), number))
    first = standing[turn[np.flatnonzero(np.diff(number[turn], prepend=-1))]]
    row, of = told.column("row").to_numpy()[first], places(told.column("key"), encoded.dictionary)
    return Prompts(encoded.dictionary, np.bincount(number, minlength=len(first)), first, row, of)


def known(prompts: Prompts, united: pa.Table, slots: pa.Table, least: int | None) -> pa.RecordBatch:
    """What is known of each prompt: ``family`` of nearly the same prompts, null where it has fewer than ``least``
    conversations (None: no families), and ``similarity``; ``template`` and ``coverage``, null without one.

    ``united``: :data:`udfs.dedup.prompts.UNITED`. ``slots``: ``key``, ``template``, ``coverage`` of founders.
    """
    founder, similarity = np.arange(len(prompts.keys)), np.ones(len(prompts.keys))
    joined = places(united["key"], prompts.keys)
    founder[joined] = places(united["founder"], prompts.keys)
    similarity[joined] = united["similarity"].to_numpy()
    size = np.bincount(founder, prompts.rows, len(founder))[founder]
    is_large = np.zeros(len(founder), bool) if least is None else size >= least
    slot = places(prompts.keys, slots["key"])[founder]
    template = pa.array(np.maximum(slot, 0), mask=slot < 0)
    columns = {
        "family": _digits(prompts.keys, founder, is_large),
        "similarity": pa.array(similarity),
        "template": one(slots["template"]).take(template),
        "coverage": one(slots["coverage"]).take(template),
    }
    return pa.RecordBatch.from_pydict(columns)


def judged_together(conversations: Conversations, prompts: Prompts, known: pa.RecordBatch) -> pa.RecordBatch:
    """What :func:`capping.cap` takes: the conversations with a prompt in a family or of a template, and those that
    were removed for one of these."""
    is_known = np.asarray(pc.or_(known.column("family").is_valid(), known.column("template").is_valid()))
    own = np.where((prompts.of >= 0) & np.append(is_known, False)[prompts.of], prompts.of, -1)
    names = conversations.told.column("conversation_id")
    is_head = conversations.is_standing & (own >= 0)
    heads = names.filter(pa.array(is_head))
    is_dependent = np.asarray(pc.is_in(conversations.kept_id, value_set=heads, skip_nulls=True))
    taken = pa.array(np.flatnonzero(is_head | is_dependent))
    rows = conversations.told.take(taken).append_column("kept_id", conversations.kept_id.take(taken))
    own = own[taken.to_numpy()]
    about = known.take(pa.array(np.maximum(own, 0), mask=own < 0))
    for name in about.schema.names:
        rows = rows.append_column(name, about.column(name))
    return rows


def families(found: pa.Table, conversations: Conversations, prompts: Prompts) -> pa.Table:
    """The families of these rows of :data:`capping.FOUND`, as :data:`FAMILY`: ``rows`` of them stood before, of
    which ``removed`` do not now; so many distinct ``prompts``; as ``example`` and ``other`` the row numbers of the
    prompts that the first and the last one have, by digest and id."""
    place = places(found["conversation_id"], conversations.told.column("conversation_id"))
    stood = pa.array(np.flatnonzero(conversations.is_standing[place]))
    found, place = found.take(stood), place[stood.to_numpy()]
    group = codes(pc.binary_join_element_wise(found["level"], found["family"], " "))
    turn = np.lexsort((ranks(conversations.told.take(pa.array(place)), False), group))
    starts, ends = (np.flatnonzero(np.diff(group[turn], **edge)) for edge in ({"prepend": -1}, {"append": -1}))
    own, rows = prompts.of[place], np.bincount(group)
    pairs = np.unique(np.stack([group, own]), axis=1)[0]
    columns = [
        *(found[name].take(pa.array(turn[starts])) for name in ("level", "family")),
        pa.array(rows),
        pa.array(np.bincount(group, np.asarray(found["is_removed"])).astype(np.int64)),
        pa.array(np.bincount(pairs)),
        *(pa.array(prompts.row[own[turn[at]]]) for at in (starts, ends)),
    ]
    return pa.table(columns, schema=FAMILY)


def _digits(keys: pa.Array, founder: np.ndarray, is_large: np.ndarray) -> pa.Array:
    """The founder's key as hexadecimal digits where it is large, else null."""
    large, place = np.unique(founder[is_large], return_inverse=True)
    names = pa.array([key.hex() for key in keys.take(pa.array(large)).to_pylist()], pa.string())
    taken = np.zeros(len(founder), np.int64)
    taken[is_large] = place
    return names.take(pa.array(taken, mask=~is_large))
