"""Does a message say the same thing over and over: a word, a sentence, a line, a character?"""

import numpy as np
import pyarrow as pa

from udfs.batch import Batch, Limits, any_of
from udfs.loops import LEAST_TOKENS, longest_run


def repetition(batch: Batch, limits: Limits) -> np.ndarray:
    """A message of the user or the assistant of which more than ``max_repeated`` (0..1) repeats its own 5-grams, or
    that has one character, or a group of up to four bytes, more than ``max_run`` times in a row."""
    rows = np.flatnonzero((batch.is_by("user") | batch.is_by("assistant")) & (batch.lengths > LEAST_TOKENS))
    flags = np.zeros(len(batch.lengths), bool)
    flags[rows] = batch.repeated[rows] > limits.max_repeated
    flags[rows] |= longest_run(batch.contents.take(pa.array(rows))) > limits.max_run
    return any_of(flags, batch.offsets)
