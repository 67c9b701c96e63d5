"""Under which band keys is a conversation filed, so that similar conversations share one: MinHash with banding.

Broder 1997, "On the resemblance and containment of documents"; Leskovec, Rajaraman, Ullman, "Mining of Massive
Datasets", section 3.4. The permutations are ``x -> factor * x + shift`` modulo 2**32 with odd factors, good enough
because shingle hashes are uniform: on sets of 10 to 1,000 shingles the share of pairs found is :func:`recall`'s within
the error of measurement. One-permutation hashing with optimal densification (Shrivastava 2017) finds as many, in 1.9,
1.0, 1.2 us a conversation of 50, 200, 400 shingles where this takes 0.5, 1.0, 1.8 (25 bands of 5 rows); not worth
it, as its keys would change with the number of bands.
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

    For the default 25 bands of 5 rows: .5: .548, .6: .868, .7: .990, .8: .99995, .9: 1 - 2e-10.
    """
    return 1.0 - (1.0 - similarity**rows) ** bands


def band_keys(shingles: Shingles, bands: int, rows: int, seed: int) -> np.ndarray:
    """Band keys of n conversations, int64 (n, bands): equal in a column for pairs that agree in ``rows`` minima.

    Keys of different bands differ, so a key alone names its bucket. A conversation without shingles has
    :data:`NO_KEY` everywhere. The keys depend on the shingle set, ``rows`` and ``seed`` alone, and those of band i not
    on the number of bands.
    """
    if bands < 1 or rows < 1 or not 0 <= seed < 2**32:
        raise ValueError(f"expected 1 or more bands of rows and a 32-bit seed, found {bands} x {rows}, seed {seed}")
    factors, shifts = _permutations(bands * rows, seed)
    return _keys(freeze(shingles.hashes, np.uint32), freeze(shingles.offsets, np.int64), factors, shifts, (bands, rows))


@compiled
def _permutations(count: int, seed: int) -> tuple[Any, Any]:
    """``count`` or up to 15 more permutations ``x -> factor * x + shift`` of 32-bit words, to fill vector registers."""
    lanes = count + -count % 16
    factors, shifts = np.empty(lanes, np.uint32), np.empty(lanes, np.uint32)
    for lane in range(lanes):
        word = mix((uint64(seed) << uint64(32)) + uint64(lane) + uint64(1))
        factors[lane], shifts[lane] = uint32(word) | uint32(1), word >> uint64(32)
    return factors, shifts


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
