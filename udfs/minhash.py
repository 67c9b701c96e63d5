"""Under which band keys is a conversation filed, so that similar conversations share one: MinHash with banding.

Broder 1997, "On the resemblance and containment of documents"; Leskovec, Rajaraman, Ullman, "Mining of Massive
Datasets", section 3.4.
"""

from typing import Any

import numpy as np
from numba import uint32, uint64

from udfs.compiled import compiled, freeze, mix
from udfs.shingles import Shingles

NO_KEY = 0
"""The key of a conversation without shingles, in every band; no other conversation has it."""


def recall(similarity: float, bands: int, rows: int) -> float:
    """The share of pairs of this Jaccard similarity that share at least one band key: ``1 - (1 - s**rows)**bands``.

    For the default 25 bands of 5 rows: .5: .548, .6: .868, .7: .990, .8: .9999, .9: 1 - 4e-10.
    """
    return 1.0 - (1.0 - similarity**rows) ** bands


def band_keys(shingles: Shingles, bands: int, rows: int, seed: int) -> np.ndarray:
    """Band keys of n conversations, int64 (n, bands): equal in a column for pairs that agree in ``rows`` minima.

    Keys of different bands differ, so a key alone names its bucket. A conversation without shingles has
    :data:`NO_KEY` everywhere. The keys depend on the shingle set, ``rows`` and ``seed`` alone, and those of band i not
    on the number of bands.
    """
    if bands < 1 or rows < 1:
        raise ValueError(f"expected at least 1 band of 1 row, found {bands} bands of {rows} rows")
    factors, shifts = _permutations(bands * rows, seed)
    return _keys(freeze(shingles.hashes, np.uint32), freeze(shingles.offsets, np.int64), factors, shifts, (bands, rows))


def _permutations(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``count`` or up to 15 more permutations ``x -> factor * x + shift`` of 32-bit words, to fill vector registers."""
    padded = count + -count % 16
    words = np.random.Generator(np.random.PCG64(seed)).integers(0, 2**32, (padded, 2), dtype=np.uint32)
    return freeze(words[:, 0] | 1, np.uint32), freeze(words[:, 1], np.uint32)


@compiled
def _keys(hashes: Any, offsets: Any, factors: Any, shifts: Any, shape: tuple[int, int]) -> Any:
    bands, rows = shape
    keys = np.zeros((len(offsets) - 1, bands), np.int64)
    minima = np.empty(len(factors), np.uint32)
    for row in range(len(keys)):
        if offsets[row] == offsets[row + 1]:
            continue
        _minimise(hashes[offsets[row] : offsets[row + 1]], factors, shifts, minima)
        for band in range(bands):
            key = uint64(band + 1)
            for lane in range(band * rows, band * rows + rows):
                key = mix(key ^ uint64(minima[lane]))
            keys[row, band] = max(key, uint64(1))
    return keys


@compiled
def _minimise(hashes: Any, factors: Any, shifts: Any, minima: Any) -> None:
    """The least image of the hashes under each permutation.

    Four hashes a round (the last ones repeated), so that a minimum stays in its register: twice as fast as one.
    """
    minima[:] = uint32(0xFFFFFFFF)
    last = len(hashes) - 1
    for place in range(0, len(hashes), 4):
        first, second = hashes[place], hashes[min(place + 1, last)]
        third, fourth = hashes[min(place + 2, last)], hashes[min(place + 3, last)]
        for lane in range(len(minima)):
            factor, shift = factors[lane], shifts[lane]
            former = min(uint32(factor * first + shift), uint32(factor * second + shift))
            latter = min(uint32(factor * third + shift), uint32(factor * fourth + shift))
            minima[lane] = min(minima[lane], min(former, latter))
