"""Which user turns share features with which benchmark question: conversations in, overlaps out, as Arrow batches."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import ngrams
from udfs.questions import Features
from udfs.tokens import tokenise

SHOWN = 200
"""Characters of a turn and of a question that are stored for a reader."""


class Searched(NamedTuple):
    """What is looked for. ``labels`` has ``benchmark``, ``item`` and ``question`` of each part; ``rule`` names all."""

    features: Features
    labels: pa.RecordBatch
    rule: str


class _Matches(NamedTuple):
    """Features found, each once a row and part: ``row``, ``part``, ``key`` and the first ``message`` that has it,
    sorted by the first three. Message ``i`` is the i-th of all in the batch."""

    row: np.ndarray
    part: np.ndarray
    key: np.ndarray
    message: np.ndarray


def scan(batches: Iterable[pa.RecordBatch], searched: Searched) -> Iterator[pa.RecordBatch]:
    """Conversations (``conversation_id``; ``contents`` and ``places``: lists, of user turns alone) -> one row for each
    part of a question with which the turns of a conversation, read one after the other, share a feature.

    ``grams`` are the features shared (int64), ``features`` how many the part has, ``message`` the place of the turn
    with most of them (the first of several), ``text`` the head of that turn.
    """
    for batch in batches:
        contents = batch.column("contents")
        offsets = np.concatenate([[0], np.cumsum(pc.fill_null(contents.value_lengths(), 0).to_numpy())])
        texts = contents.flatten()
        matches = _match(texts, offsets, searched.features)
        if len(matches.row):
            yield _overlaps(batch, texts, matches, searched)


def _match(texts: pa.Array, offsets: np.ndarray, features: Features) -> _Matches:
    tokens, ends = tokenise(texts, np.arange(len(texts) + 1))
    places, slots = ngrams.find(tokens, ends, offsets, features.keys)
    message = np.searchsorted(ends, places, "right") - 1
    row = np.searchsorted(offsets, message, "right") - 1
    order = np.lexsort((message, slots, row))
    row, slots, message = row[order], slots[order], message[order]
    is_first = _changes(row, slots)
    row, slots, message = row[is_first], slots[is_first], message[is_first]
    counts = features.starts[slots + 1] - features.starts[slots]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    part = features.parts[np.repeat(features.starts[slots], counts) + within]
    row, slots, message = (np.repeat(one, counts) for one in (row, slots, message))
    order = np.lexsort((slots, part, row))
    return _Matches(row[order], part[order], slots[order], message[order])


def _overlaps(batch: pa.RecordBatch, texts: pa.Array, found: _Matches, searched: Searched) -> pa.RecordBatch:
    starts = np.flatnonzero(_changes(found.row, found.part))
    message, part = pa.array(_fullest(found, starts)), pa.array(found.part[starts])
    cuts = pa.array(np.append(starts, len(found.row)).astype(np.int32))
    grams = pa.array(searched.features.keys.values[found.key].view(np.int64))
    columns = {
        "conversation_id": batch.column("conversation_id").take(pa.array(found.row[starts])),
        "part": part,
        **{name: searched.labels.column(name).take(part) for name in ("benchmark", "item", "question")},
        "features": pa.array(searched.features.totals[found.part[starts]]),
        "grams": pa.ListArray.from_arrays(cuts, grams),
        "message": batch.column("places").flatten().take(message),
        "text": pc.utf8_slice_codeunits(texts.take(message), 0, SHOWN),
        "rule": pa.array([searched.rule] * len(starts), pa.string()),
    }
    return pa.RecordBatch.from_pydict(columns)


def _fullest(found: _Matches, starts: np.ndarray) -> np.ndarray:
    """For each row and part, the message with most of its features; of several, the first."""
    group = np.zeros(len(found.row), np.int64)
    group[starts[1:]] = 1
    group = np.cumsum(group)
    order = np.lexsort((found.message, group))
    group, message = group[order], found.message[order]
    first = np.flatnonzero(_changes(group, message))
    counts = np.diff(np.append(first, len(group)))
    best = np.lexsort((message[first], -counts, group[first]))
    group, message = group[first][best], message[first][best]
    return message[_changes(group, group)]


def _changes(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Where a sorted list of pairs has a new pair."""
    is_new = np.ones(len(one), bool)
    is_new[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    return is_new
