"""Is a conversation too short to teach anything, or too long to train on whole?"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.batch import Batch, Limits, any_of, sum_of

SIGNS_PER_WORD = 2.0
"""Characters of a script without spaces that are worth a word."""
SURE = 20
"""A side that wrote more characters than this for each word it must have is not looked at: one word of that length is
a link, a formula or a paste, and none of them is short."""

_SIGN = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
_WORD = r"[\pL\pM\pN]+"


def too_short(batch: Batch, limits: Limits) -> np.ndarray:
    """All the user wrote is fewer than ``min_user_words`` words, or all the assistant wrote fewer than
    ``min_answer_words``.

    A word is a run of letters and digits, or :data:`SIGNS_PER_WORD` characters of a script without spaces.
    """
    sides = (("user", limits.min_user_words), ("assistant", limits.min_answer_words))
    return np.logical_or.reduce([_is_side_short(batch, batch.is_by(role), least) for role, least in sides])


def too_long(batch: Batch, limits: Limits) -> np.ndarray:
    """A message has more than ``max_message_characters``, or all together more than ``max_characters``."""
    is_long = any_of(batch.lengths > limits.max_message_characters, batch.offsets)
    return is_long | (sum_of(batch.lengths, batch.offsets) > limits.max_characters)


def words(texts: pa.Array) -> np.ndarray:
    """Words of each text (float64), two characters of a script without spaces counted as one."""
    signs = np.asarray(pc.count_substring_regex(texts, _SIGN), np.float64)
    spaced = np.asarray(pc.count_substring_regex(pc.replace_substring_regex(texts, _SIGN, " "), _WORD), np.float64)
    return spaced + signs / SIGNS_PER_WORD


def _is_side_short(batch: Batch, is_by: np.ndarray, least: int) -> np.ndarray:
    characters = sum_of(np.where(is_by, batch.lengths, 0), batch.offsets)
    is_suspect = characters <= least * SURE
    rows = np.flatnonzero(is_by & np.repeat(is_suspect, np.diff(batch.offsets)))
    counts = np.zeros(len(is_by))
    counts[rows] = words(batch.contents.take(pa.array(rows)))
    totals = np.concatenate(([0.0], np.cumsum(counts)))
    return is_suspect & (totals[batch.offsets[1:]] - totals[batch.offsets[:-1]] < least)
