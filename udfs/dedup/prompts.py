"""Which prompts are the same, and which nearly so: keys of their tokens, and exact likeness to a family's founder.

Same: equal tokens (:mod:`udfs.tokens`), so case, punctuation and spaces are folded and every letter, vowel sign and
digit counts; a prompt of symbols alone (emoji) is the same as one of equal symbols. A prompt without any is null, empty
or blank, has no key, and is never the same as another. Nearly: shingle sets of Jaccard >= a threshold, compared with
the founder of a family and never along a chain; prompts too short to shingle have their key alone.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import uint64

from udfs import minhash, shingles
from udfs.compiled import compiled, freeze, mix
from udfs.dedup import blocks, thinning
from udfs.dedup.buckets import both_ways
from udfs.joined import one_batch
from udfs.tokens import tokenise

KEY_BYTES = 16
UNITED = pa.schema([("key", pa.binary()), ("founder", pa.binary()), ("similarity", pa.float64())])
"""What :func:`unite` tells of a prompt."""
# Keys are stored, under a rule that names udfs.tokens.REVISION: count it up where they change.
_ADVICE = "set spark.sql.shuffle.partitions higher, or where one component has most of them dedup.prompt.threshold=1.0"
_MULTIPLIERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)


class Likeness(NamedTuple):
    """When two distinct prompts are nearly the same, and how candidates are found; see :mod:`udfs.minhash`."""

    threshold: float
    shingle: int
    min_shingles: int
    bands: int
    rows: int
    seed: int
    bucket_limit: int


def keys(prompts: pa.Array) -> pa.Array:
    """The key of each prompt: 16 bytes, a digest of its tokens in order; null where there are none.

    Two different prompts have one key once in 2**128 pairs, unless made to.
    """
    tokens, offsets = tokenise(prompts, np.arange(len(prompts) + 1))
    digests = _digest(freeze(tokens, np.uint64), freeze(offsets, np.int64), freeze(_MULTIPLIERS, np.uint64))
    starts = pa.py_buffer(np.arange(len(prompts) + 1, dtype=np.int32) * KEY_BYTES)
    found = pa.BinaryArray.from_buffers(pa.binary(), len(prompts), [None, starts, pa.py_buffer(digests.byteswap())])
    return pc.if_else(pa.array(np.diff(offsets) > 0), found, pa.scalar(None, pa.binary()))


def file(batches: Iterable[pa.RecordBatch], how: Likeness, parts: int) -> Iterator[pa.RecordBatch]:
    """Distinct prompts (``row`` int64, ``prompt``) -> the band keys of those long enough, as :mod:`blocks`."""
    for batch in batches:
        sets, long = _sets(batch.column("prompt"), how)
        found = minhash.band_keys(sets, how.bands, how.rows, how.seed)[long].view(np.uint64)
        owners = np.repeat(batch.column("row").to_numpy()[long], how.bands)
        yield blocks.pack(both_ways(found.ravel()), owners, parts)


def unite(batches: Iterable[pa.RecordBatch], how: Likeness) -> Iterator[pa.RecordBatch]:
    """Whole components of candidates -> rows of :data:`UNITED`, one for each prompt that is like a founder.

    In: ``component``, ``key``, ``prompt`` and the prompt's place in the order: ``order`` (list of numbers, smaller is
    better), ``digest``, ``conversation_id``. Prompts are taken in that order: one goes to the founder it is most like,
    or founds a family. Only prompts of equal numbers are compared: the same task with other numbers is another task.
    """
    found = one_batch(batches, "prompts that may be alike", _ADVICE)
    if found is None:
        return
    sets, _ = _sets(found.column("prompt"), how)
    bands = minhash.band_keys(sets, how.bands, how.rows, how.seed)
    places = _groups(found), ranks(found)
    result = thinning.thin_near(sets, bands, *places, how.threshold, how.bucket_limit)
    joined = pa.array(np.flatnonzero(result.kept_of >= 0))
    founder = found.column("key").take(pa.array(result.kept_of).take(joined))
    columns = [found.column("key").take(joined), founder, pa.array(result.similarity).take(joined)]
    yield pa.RecordBatch.from_arrays(columns, schema=UNITED)


def _groups(found: pa.RecordBatch) -> np.ndarray:
    """A number for each component and sequence of numbers in the prompt."""
    digits = pc.replace_substring_regex(found.column("prompt"), r"\P{Nd}+", " ")
    codes = pc.utf8_trim_whitespace(digits).dictionary_encode().indices.to_numpy()
    _, components = np.unique(found.column("component").to_numpy(), return_inverse=True)
    return components.astype(np.int64) * len(codes) + codes


def ranks(found: pa.RecordBatch, by_order: bool = True) -> np.ndarray:
    """Each row's place, from 0: by ``order`` if asked (lists of one length), ``digest``, ``conversation_id``."""
    names = np.empty(len(found), np.int64)
    by_name = pc.sort_indices(found, sort_keys=[("digest", "ascending"), ("conversation_id", "ascending")])
    names[by_name.to_numpy()] = np.arange(len(found))
    numbers = found.column("order").flatten().to_numpy() if by_order else np.empty(0)
    columns = numbers.reshape(len(found), -1).T if len(numbers) else numbers
    places = np.empty(len(found), np.int64)
    places[np.lexsort((names, *reversed(columns)))] = np.arange(len(found))
    return places


def _sets(prompts: pa.Array, how: Likeness) -> tuple[shingles.Shingles, np.ndarray]:
    """The shingles of each prompt, and which prompts have enough of them."""
    sets = shingles.shingle_sets(prompts, np.arange(len(prompts) + 1), how.shingle)
    return sets, np.flatnonzero(np.diff(sets.offsets) >= how.min_shingles)


@compiled
def _digest(tokens: Any, offsets: Any, multipliers: Any) -> Any:
    """Two words a row: polynomials of its tokens, mixed, with their number."""
    digests = np.zeros((len(offsets) - 1, 2), np.uint64)
    for row in range(len(digests)):
        for lane in range(2):
            rolled = uint64(offsets[row + 1] - offsets[row])
            for place in range(offsets[row], offsets[row + 1]):
                rolled = mix(rolled * multipliers[lane] + tokens[place])
            digests[row, lane] = rolled
    return digests
