"""What a rule about conversations sees, and what such a rule is.

Messages lie flat; conversation ``i`` is messages ``offsets[i]:offsets[i+1]``, and may be empty.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import loops


@dataclass(frozen=True)
class Batch:
    """Conversations after their edits: no null in ``roles`` and ``contents`` (string arrays, one entry a message).

    ``lengths``: characters of each content (int64). ``languages``: ISO 639 codes, ``und`` for none (string array).
    """

    roles: pa.Array
    contents: pa.Array
    offsets: np.ndarray
    lengths: np.ndarray
    languages: pa.Array

    @cached_property
    def repeated(self) -> np.ndarray:
        """The share of each content that repeats what it said before (float64, 0..1, see :func:`udfs.loops.repeated`),
        worked out when a rule first asks for it."""
        return loops.repeated(self.contents)

    def is_by(self, role: str) -> np.ndarray:
        """Which messages are of this role (booleans)."""
        return np.asarray(pc.equal(self.roles, role), dtype=bool)


def batch_of(roles: pa.Array, contents: pa.Array, offsets: np.ndarray, languages: pa.Array) -> Batch:
    """The batch of these columns; a null role or content becomes an empty one."""
    roles, contents = pc.fill_null(roles, ""), pc.fill_null(contents, "")
    return Batch(roles, contents, offsets, np.asarray(pc.utf8_length(contents), dtype=np.int64), languages)


class Limits(NamedTuple):
    """The numbers that facts compare with; the recipe's ``rules.limits`` has the same names and defaults."""

    min_user_words: int = 2
    min_answer_words: int = 2
    max_message_characters: int = 32_000
    max_characters: int = 128_000
    min_unfinished_characters: int = 80
    max_repeated: float = 0.6
    max_run: int = 100
    max_odd_letters: float = 7.5
    max_odd_characters: float = 0.1


class Fact(NamedTuple):
    """One thing that may be true of a conversation: its name, which is also the reason it gives and its key in the
    recipe's ``rules.reasons``, and the function that tells for which conversations it holds (booleans)."""

    name: str
    holds: Callable[[Batch, Limits], np.ndarray]


def put(texts: pa.Array, rows: np.ndarray, values: pa.Array) -> pa.Array:
    """The texts with those at ``rows`` (ascending) replaced by ``values``."""
    if len(rows) == len(texts):
        return values
    mask = np.zeros(len(texts), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(texts, pa.array(mask), values) if len(rows) else texts


def any_of(flags: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """For each conversation whether a message of it has the flag; an empty one has none."""
    seen = np.concatenate(([0], np.cumsum(flags)))  # unlike reduceat, right where conversations are empty
    return seen[offsets[1:]] > seen[offsets[:-1]]


def sum_of(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """For each conversation the sum of its messages' values (int64)."""
    seen = np.concatenate(([0], np.cumsum(values, dtype=np.int64)))
    return seen[offsets[1:]] - seen[offsets[:-1]]
