"""What is stored of a conversation so that its duplicates can be found and verified without its text: its signature.

Everything the levels of ``dedup`` ask: the digest of the whole and of each of its beginnings (exact, snapshot), band
keys (near), head and tail keys (contained), and the shingle set that every removal is verified on.
"""

import hashlib
import itertools
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import digest, minhash, shingles, tokens
from udfs.dedup import anchors, prompts
from udfs.dedup.buckets import DIGEST_BYTES
from udfs.folding import fold


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
        return f"{numbers}t{tokens.REVISION}u{unicodedata.unidata_version}"  # what a letter is depends on it


def sign(batches: Iterable[pa.RecordBatch], how: Signing) -> Iterator[pa.RecordBatch]:
    """Conversations -> their signatures, one for one.

    In: ``conversation_id``, ``row`` (64 bits), ``digest``, ``roles`` and ``contents`` (lists). Out:

    - ``conversation_id``, ``row``, ``digest`` as they came; ``rule``;
    - ``prompt``: the first user message, null where there is none; ``prompt_key``: :func:`prompts.keys` of it;
    - ``prefixes`` (binary): :data:`DIGEST_BYTES` of the SHA-256 of the first 1, 2, ... all messages, folded;
    - ``sets`` (binary): the shingle hashes, ascending, as little-endian uint32;
    - ``closing`` (binary): :func:`udfs.shingles.closings`, likewise;
    - ``bands`` and ``anchors`` (binary): keys, as little-endian uint64; empty where there are fewer than
      ``min_shingles`` shingles.
    """
    for batch in batches:
        roles, contents, offsets = flat(batch.column("roles"), batch.column("contents"))
        composed = tokens.compose(contents)
        found, ends, before_last = tokens.tokenise_composed(composed, offsets)
        sets = shingles.shingle_tokens(found, ends, how.shingle)
        is_long = np.diff(sets.offsets) >= how.min_shingles
        keys = minhash.band_keys(sets, how.bands, how.rows, how.seed)
        heads, head_ends = anchors.anchors(found, ends)
        asked = _prompts(roles, contents, offsets)
        columns = {
            "conversation_id": batch.column("conversation_id"),
            "row": batch.column("row"),
            "digest": batch.column("digest"),
            "prompt": asked,
            "prompt_key": prompts.keys(asked),
            "prefixes": prefixes(roles, fold(composed), offsets),
            "sets": _binary(sets.hashes, 4 * sets.offsets),
            "closing": _fixed(shingles.closings(found, ends, before_last, how.shingle)),
            "bands": _keys(keys.ravel(), np.arange(len(keys) + 1) * how.bands, is_long),
            "anchors": _keys(heads.view(np.int64), head_ends, is_long),
            "rule": pa.array([how.rule] * batch.num_rows, pa.string()),
        }
        yield pa.RecordBatch.from_pydict(columns)


def flat(roles: pa.ListArray, contents: pa.ListArray) -> tuple[pa.Array, pa.Array, np.ndarray]:
    """All roles and all contents end to end, and the n + 1 offsets (int32) of the conversations in them."""
    lengths = pc.fill_null(contents.value_lengths(), 0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return roles.flatten(), contents.flatten(), offsets


def prefixes(roles: pa.Array, folded: pa.Array, offsets: np.ndarray) -> pa.Array:
    """For each conversation the digests of its first 1, 2, ... all messages, end to end, as one binary value.

    A digest is the first :data:`DIGEST_BYTES` of SHA-256 over what :func:`udfs.digest.frame` gives of the roles and the
    contents, ``folded`` by :func:`udfs.folding.fold`; the last one is the whole conversation's. Without messages it is
    the digest of nothing.
    """
    framed, bounds = digest.frame(roles, folded)
    cuts = bounds.tolist()
    values = []
    for first, last in itertools.pairwise(offsets.tolist()):
        hashed, parts = hashlib.sha256(), []
        for start, end in itertools.pairwise(cuts[first : last + 1]):
            hashed.update(framed[start:end])
            parts.append(hashed.digest()[:DIGEST_BYTES])
        values.append(b"".join(parts) if parts else hashed.digest()[:DIGEST_BYTES])
    return pa.array(values, pa.binary())


def _prompts(roles: pa.Array, contents: pa.Array, offsets: np.ndarray) -> pa.Array:
    asked = np.flatnonzero(np.asarray(pc.fill_null(pc.equal(roles, "user"), False), dtype=bool))
    if not len(asked):
        return pa.nulls(len(offsets) - 1, pa.string())
    first = asked[np.minimum(np.searchsorted(asked, offsets[:-1]), len(asked) - 1)]
    return contents.take(pa.array(first, mask=(first < offsets[:-1]) | (first >= offsets[1:])))


def _binary(values: np.ndarray, ends: np.ndarray) -> pa.Array:
    buffers = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(pa.binary(), len(ends) - 1, buffers)


def _fixed(values: np.ndarray) -> pa.Array:
    return _binary(values.ravel(), np.arange(len(values) + 1) * values.shape[1] * values.itemsize)


def _keys(values: np.ndarray, ends: np.ndarray, is_wanted: np.ndarray) -> pa.Array:
    """The keys of each row as one binary value, those of unwanted rows empty."""
    lengths = np.diff(ends)
    kept = values[np.repeat(is_wanted, lengths)]
    return _binary(kept, 8 * np.append(0, np.cumsum(np.where(is_wanted, lengths, 0))))
