"""Which language is a text spelled like? A linear model of letter sequences, for scripts that many languages share.

The model is fastText's (https://arxiv.org/abs/1607.01759): a text is the mean of the vectors of its words and of the
runs of up to five letters in them, word ends included, hashed to 131,072 rows of 16 numbers; a softmax over 62
languages reads that mean. It was trained by us (``docs/decisions/0079-language-by-spelling.md`` names the texts).
"""

from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import uint64

from udfs import scripts
from udfs.compiled import compiled, freeze

LONGEST = 5
"""Letters, or a word's end, of a run."""
MOST = 400
"""Letters of a text that are looked at: more do not change the answer."""

_DECIMALS = 6
"""Those that any processor's exp gives alike."""
_SPACE = 32
_MARKS = ((0x300, 0x36F), (0x64B, 0x65F), (0x670, 0x670))
"""Accents and vowel signs of their own: part of a word, though no letters."""


class Model(NamedTuple):
    """``rows`` (int8, runs x 16), ``outputs`` (float32, languages x 16) that hold the scale of the rows too, and the
    languages' ISO 639 codes."""

    rows: np.ndarray
    outputs: np.ndarray
    codes: tuple[str, ...]


@cache
def model() -> Model:
    """The model shipped with the package (2 MB), read once per process."""
    with files("udfs").joinpath("spelling.npz").open("rb") as file, np.load(file) as stored:
        return Model(stored["rows"], stored["outputs"], tuple(stored["codes"].tolist()))


def probabilities(texts: pa.Array, is_latin: np.ndarray) -> np.ndarray:
    """For each text the probability of each language of the model (texts x languages, six decimals), all 0 where the
    text has no letter. Latin letters in a text that is not mainly Latin do not count."""
    points, offsets = scripts.code_points(pc.utf8_lower(texts))
    letters = _letters()[np.minimum(points, len(_letters()) - 1)]
    fixed = freeze(points, np.uint32), freeze(letters, np.uint8), freeze(offsets, np.int64)
    means, counts = _means(*fixed, freeze(np.asarray(is_latin), np.bool_), freeze(model().rows, np.int8))
    scores = _scores(means, freeze(model().outputs.T, np.float32))
    likelihoods = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    likelihoods[counts == 0] = 0.0
    return np.round(likelihoods / np.maximum(likelihoods.sum(axis=1, keepdims=True), 1e-9), _DECIMALS)


@cache
def _letters() -> np.ndarray:
    """What each code point is to the model: 0 no letter, 1 a letter, 2 a Latin letter."""
    kinds = (scripts.table() > 0).astype(np.uint8)
    kinds[scripts.table() == scripts.index("Latin")] = 2
    for first, last in _MARKS:
        kinds[first : last + 1] = 1
    return kinds


@compiled
def _means(points: Any, letters: Any, offsets: Any, is_latin: Any, rows: Any) -> tuple[Any, Any]:
    """The mean vector of each text (float32) and how many vectors it is of."""
    count, width = len(offsets) - 1, rows.shape[1]
    means, found = np.zeros((count, width), np.float32), np.zeros(count, np.int64)
    letter_run, sums = np.empty(MOST + 2, np.uint64), np.empty(width, np.int64)
    for text in range(count):
        size = _gather(points, letters, offsets[text], offsets[text + 1], is_latin[text], letter_run)
        sums[:] = 0
        found[text] = _add_up(letter_run, size, rows, sums)
        for place in range(width):
            means[text, place] = sums[place] / max(found[text], 1)
    return means, found


@compiled
def _scores(means: Any, outputs: Any) -> Any:
    """``means @ outputs`` in 64 bits and one order of additions: a BLAS adds up one text otherwise than many, and
    otherwise on another processor."""
    scores = np.zeros((len(means), outputs.shape[1]), np.float64)
    for text in range(len(means)):
        for place in range(len(outputs)):
            for language in range(outputs.shape[1]):
                scores[text, language] += np.float64(means[text, place]) * np.float64(outputs[place, language])
    return scores


@compiled
def _gather(points: Any, letters: Any, start: int, end: int, is_latin: bool, letter_run: Any) -> int:
    """The letters from start to end, one space before, after and between words; returns how many characters."""
    letter_run[0], size = uint64(_SPACE), 1
    for at in range(start, end):
        if letters[at] == 1 or (letters[at] == 2 and is_latin):
            letter_run[size] = uint64(points[at])
            size += 1
        elif letter_run[size - 1] != _SPACE:
            letter_run[size] = uint64(_SPACE)
            size += 1
        if size > MOST:
            break
    if letter_run[size - 1] != _SPACE:
        letter_run[size] = uint64(_SPACE)
        size += 1
    return size if size > 1 else 0


@compiled
def _add_up(letter_run: Any, size: int, rows: Any, sums: Any) -> int:
    """Add the vectors of all runs and words to the sums; returns how many there were."""
    mask, found = uint64(len(rows) - 1), 0
    word, length = uint64(2166136261), 0
    for at in range(size):
        if letter_run[at] == _SPACE:
            if length > 3:
                row = ((word * uint64(2654435761)) >> uint64(7)) & mask
                found += 1
                for place in range(len(sums)):
                    sums[place] += rows[row, place]
            word, length = uint64(2166136261), 0
        else:
            word, length = (word ^ letter_run[at]) * uint64(16777619), length + 1
        run = uint64(0)
        for back in range(LONGEST):
            if back > at:
                break
            letter = letter_run[at - back]
            run = (run + letter + uint64(1)) * uint64(0x9E3779B1)
            run ^= run >> uint64(15)
            if back > 0 or letter != _SPACE:
                row = run & mask
                found += 1
                for place in range(len(sums)):
                    sums[place] += rows[row, place]
            if letter == _SPACE and back > 0:
                break
    return found
