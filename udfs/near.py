"""The near-duplicate level as Arrow batches: signatures, bucket edges, candidate texts, verified removals.

Pure functions from Arrow to Arrow; ``jobs/dedup.py`` runs them on executors. A row is known by ``row``, a 64-bit hash
of its id: two ids with one hash would merely share a component, every removal is verified on ids and content.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import digest, minhash, shingles, similarity

EXACT, NEAR = "exact", "near"


class Signing(NamedTuple):
    """How texts become signatures; ``rule`` names this choice in the tables."""

    shingle: int
    min_shingles: int
    bands: int
    rows: int
    seed: int

    @property
    def rule(self) -> str:
        """The name under which signatures made this way can be compared with each other."""
        numbers = f"w{self.shingle}m{self.min_shingles}b{self.bands}r{self.rows}s{self.seed}"
        return f"{numbers}u{unicodedata.unidata_version}"  # what a letter is depends on it


def sign(batches: Iterable[pa.RecordBatch], how: Signing) -> Iterator[pa.RecordBatch]:
    """Conversations (``conversation_id``, ``roles``, ``contents``: lists) -> one row at level exact and, where long
    enough, one at level near: ``level, conversation_id, digest, shingles, bands, rule``."""
    for batch in batches:
        ids = batch.column("conversation_id")
        roles, contents, offsets = _flat(batch.column("roles"), batch.column("contents"))
        exact = pa.array(digest.normalised(roles, contents, offsets))
        sets = shingles.shingle_sets(contents, offsets, how.shingle)
        sizes = np.diff(sets.offsets)
        long = np.flatnonzero(sizes >= how.min_shingles)
        keys = minhash.band_keys(sets, how.bands, how.rows, how.seed)[long]
        yield _signatures(EXACT, ids, exact, sizes, None, "normalised")
        yield _signatures(NEAR, ids.take(pa.array(long)), None, sizes[long], _lists(keys), how.rule)


def _signatures(level: str, ids: pa.Array, digests, sizes: np.ndarray, bands, rule: str) -> pa.RecordBatch:
    count = len(ids)
    columns = {
        "level": pa.array([level] * count, pa.string()),
        "conversation_id": ids,
        "digest": pa.nulls(count, pa.string()) if digests is None else digests,
        "shingles": pa.array(sizes.astype(np.int32)),
        "bands": pa.nulls(count, pa.list_(pa.int64())) if bands is None else bands,
        "rule": pa.array([rule] * count, pa.string()),
    }
    return pa.RecordBatch.from_pydict(columns)


def _lists(keys: np.ndarray) -> pa.ListArray:
    count, width = keys.shape
    offsets = pa.array(np.arange(count + 1, dtype=np.int32) * width)
    return pa.ListArray.from_arrays(offsets, pa.array(keys.view(np.int64).ravel()))


def _flat(roles: pa.ListArray, contents: pa.ListArray) -> tuple[pa.Array, pa.Array, np.ndarray]:
    lengths = pc.fill_null(contents.value_lengths(), 0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return roles.flatten(), contents.flatten(), offsets


def pack(batches: Iterable[pa.RecordBatch], parts: int) -> Iterator[pa.RecordBatch]:
    """Signatures (``row``, ``bands``) -> band keys and rows as binary blocks, one a part of the key space.

    The part is the key's high bits, so all rows of one bucket meet in one part; blocks shuffle far cheaper than rows.
    """
    for batch in batches:
        rows = batch.column("row").to_numpy()
        bands = batch.column("bands")
        keys = bands.flatten().to_numpy().view(np.uint64)
        owners = np.repeat(rows, bands.value_lengths().to_numpy())
        place = ((keys >> np.uint64(32)) * np.uint64(parts) >> np.uint64(32)).astype(np.int32)
        order = np.argsort(place, kind="stable")
        cuts = np.searchsorted(place[order], np.arange(parts + 1))
        keys, owners = keys[order], owners[order]
        spans = [(part, s, e) for part, (s, e) in enumerate(pairwise(cuts)) if e > s]
        columns = {
            "part": pa.array([part for part, _, _ in spans], pa.int32()),
            "keys": pa.array([keys[s:e].tobytes() for _, s, e in spans], pa.binary()),
            "rows": pa.array([owners[s:e].tobytes() for _, s, e in spans], pa.binary()),
        }
        yield pa.RecordBatch.from_pydict(columns)


def edges(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Packed blocks of one or more whole parts -> distinct edges (``a`` < ``b``): every bucket a star to its least
    row, never all pairs."""
    keys, rows = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for batch in batches:
        keys += [np.frombuffer(block.as_buffer(), np.uint64) for block in batch.column("keys")]
        rows += [np.frombuffer(block.as_buffer(), np.int64) for block in batch.column("rows")]
    least, member = _stars(np.concatenate(keys), np.concatenate(rows))
    if len(least):
        yield pa.RecordBatch.from_arrays([pa.array(least), pa.array(member)], ["a", "b"])


def _stars(keys: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.lexsort((rows, keys))
    keys, rows = keys[order], rows[order]
    is_first = np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)]
    centre = rows[np.flatnonzero(is_first)[np.cumsum(is_first) - 1]] if len(keys) else rows
    differs = centre != rows
    pairs = np.unique(np.stack([centre[differs], rows[differs]], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1]


class Thinning(NamedTuple):
    """How candidates are verified; see :func:`udfs.similarity.thin`."""

    threshold: float
    related: float
    bucket_limit: int


def thin(batches: Iterable[pa.RecordBatch], signing: Signing, thinning: Thinning) -> Iterator[pa.RecordBatch]:
    """Whole components of candidates -> what became of each member.

    In: ``component``, ``conversation_id``, ``digest``, ``contents`` (list) and ``order`` (list of numbers, larger is
    better). Out, one row a member: ``conversation_id``, ``kept_id`` (null: kept), ``similarity``, ``bands_shared``,
    ``cluster_id`` (the least content digest among its near copies; null: it has none), and on one row a batch the
    counters ``compared``, ``rejected``, ``hot_buckets``.
    """
    parts = [_candidates(batch, signing) for batch in batches if batch.num_rows]
    if parts:
        yield _verdicts(_joined(parts), thinning)


class _Candidates(NamedTuple):
    component: np.ndarray
    ids: pa.Array
    digests: pa.Array
    order: np.ndarray
    sets: shingles.Shingles
    keys: np.ndarray


def _candidates(batch: pa.RecordBatch, how: Signing) -> _Candidates:
    contents = batch.column("contents")
    lengths = pc.fill_null(contents.value_lengths(), 0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    sets = shingles.shingle_sets(contents.flatten(), offsets, how.shingle)
    order = batch.column("order")
    width = len(order.flatten()) // max(batch.num_rows, 1)
    return _Candidates(
        batch.column("component").to_numpy(),
        batch.column("conversation_id"),
        batch.column("digest"),
        order.flatten().to_numpy().reshape(batch.num_rows, width),
        sets,
        minhash.band_keys(sets, how.bands, how.rows, how.seed),
    )


def _joined(parts: list[_Candidates]) -> _Candidates:
    starts = np.cumsum([0] + [part.sets.offsets[-1] for part in parts])
    offsets = [part.sets.offsets[1:] + start for part, start in zip(parts, starts, strict=False)]
    sets = parts[0].sets._replace(
        hashes=np.concatenate([part.sets.hashes for part in parts]),
        offsets=np.concatenate([np.zeros(1, np.int64), *offsets]),
        tokens=np.concatenate([part.sets.tokens for part in parts]),
    )
    return _Candidates(
        np.concatenate([part.component for part in parts]),
        pa.concat_arrays([part.ids for part in parts]),
        pa.concat_arrays([part.digests for part in parts]),
        np.concatenate([part.order for part in parts]),
        sets,
        np.concatenate([part.keys for part in parts]),
    )


def _verdicts(found: _Candidates, how: Thinning) -> pa.RecordBatch:
    rank = _ranks(found)
    result = similarity.thin(
        found.sets, found.keys, found.component, rank, how.threshold, how.related, how.bucket_limit
    )
    is_kept = result.kept_of < 0
    kept_of = pa.array(result.kept_of, mask=is_kept)
    count = len(rank)
    counters = {
        name: pa.array([int(value)] + [0] * (count - 1), pa.int64())
        for name, value in (
            ("compared", result.compared),
            ("rejected", result.rejected),
            ("hot_buckets", result.hot_buckets),
        )
    }
    columns = {
        "conversation_id": found.ids,
        "kept_id": found.ids.take(kept_of),
        "similarity": pa.array(result.similarity, mask=is_kept),
        "bands_shared": pa.array(result.bands_shared.astype(np.int32), mask=is_kept),
        "cluster_id": _clusters(found.digests, result.kept_of, result.related_to),
        **counters,
    }
    return pa.RecordBatch.from_pydict(columns)


def _ranks(found: _Candidates) -> np.ndarray:
    """Each candidate's place in the total order: better numbers first, the id last."""
    by_id = np.empty(len(found.ids), np.int64)
    by_id[pc.sort_indices(found.ids).to_numpy()] = np.arange(len(found.ids))
    best_first = np.lexsort((by_id, *(-found.order[:, column] for column in reversed(range(found.order.shape[1])))))
    ranks = np.empty(len(best_first), np.int64)
    ranks[best_first] = np.arange(len(best_first))
    return ranks


def _clusters(digests: pa.Array, kept_of: np.ndarray, related_to: np.ndarray) -> pa.Array:
    """Per row the least content digest (32 digits) of the rows it is linked with; null for a row without links."""
    count = len(digests)
    tied = [np.stack([np.flatnonzero(to >= 0), to[to >= 0]]) for to in (kept_of, related_to)]
    pairs = np.concatenate(tied, axis=1).astype(np.int64)
    labels = similarity.union_find(pairs[0], pairs[1], count)
    in_order = np.empty(count, np.int64)
    in_order[pc.sort_indices(digests).to_numpy()] = np.arange(count)
    least = np.full(count, count, np.int64)
    np.minimum.at(least, labels, in_order)
    sizes = np.bincount(labels, minlength=count)
    ordered = pc.utf8_slice_codeunits(digests.take(pc.sort_indices(digests)), 0, 32)
    return ordered.take(pa.array(least[labels], mask=sizes[labels] < 2))
