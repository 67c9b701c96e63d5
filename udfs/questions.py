"""Which features give a benchmark's question away: runs of its tokens that few other questions have."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from udfs import ngrams
from udfs.tokens import tokenise


class Part(NamedTuple):
    """One text that shows an item is known: its question, the question with its choices, or a later turn.

    ``item`` numbers the item from 0. ``stands_alone`` is False for a later turn, which when short ("explain it in
    English") asks nothing by itself.
    """

    item: int
    text: str
    stands_alone: bool


class Shape(NamedTuple):
    """What is a feature: every ``ngram`` tokens in a row of a part that long; a shorter part of at least ``min_run``
    as one run; a part shorter still only as a whole user turn. A feature of more than ``common`` items is none."""

    ngram: int
    min_run: int
    common: int


class Features(NamedTuple):
    """The features of p parts. Feature ``keys.values[i]`` belongs to ``parts[starts[i]:starts[i + 1]]`` (int32);
    ``totals`` int32 (p): how many distinct features each part has, 0 where all its runs are common."""

    keys: ngrams.Keys
    starts: np.ndarray
    parts: np.ndarray
    totals: np.ndarray


def features(parts: Sequence[Part], shape: Shape) -> Features:
    """The features of all parts; the same for the same parts in the same order."""
    texts = pa.array([part.text for part in parts], pa.large_string())
    tokens, ends = tokenise(texts, np.arange(len(parts) + 1))
    sizes = _sizes(np.diff(ends), np.array([part.stands_alone for part in parts], bool), shape)
    hashes, owners = _distinct(*ngrams.runs(tokens, ends, sizes))
    items = np.array([part.item for part in parts], np.int64)[owners]
    is_rare = _items_of(hashes, items) <= shape.common
    hashes, owners = hashes[is_rare], owners[is_rare]
    keys = ngrams.index(hashes, sizes[sizes > 0], shape.min_run - 1)
    starts = np.searchsorted(hashes, keys.values).astype(np.int64)
    totals = np.bincount(owners, minlength=len(parts)).astype(np.int32)
    return Features(keys, np.append(starts, len(hashes)), owners.astype(np.int32), totals)


def _sizes(lengths: np.ndarray, stands_alone: np.ndarray, shape: Shape) -> np.ndarray:
    """Tokens a run of each part, as :func:`udfs.ngrams.runs` takes them."""
    short = np.where(lengths >= shape.min_run, lengths, -1)
    return np.where(lengths >= shape.ngram, shape.ngram, np.where(stands_alone, short, 0)).astype(np.int64)


def _distinct(hashes: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pairs in order, each once."""
    order = np.lexsort((owners, hashes))
    hashes, owners = hashes[order], owners[order]
    is_new = np.ones(len(order), bool)
    is_new[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    return hashes[is_new], owners[is_new]


def _items_of(hashes: np.ndarray, items: np.ndarray) -> np.ndarray:
    """For each of the pairs, how many different items have its hash."""
    values, counts = np.unique(_distinct(hashes, items)[0], return_counts=True)
    return counts[np.searchsorted(values, hashes)]
