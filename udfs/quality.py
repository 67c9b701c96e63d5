"""How good is a conversation to train on, as one number? For choosing among copies and for sampling, not for dropping.

``quality`` is the weighted mean of six parts, each in 0..1 (:data:`WEIGHTS`), times 0.25 where there is no answer:

- ``completeness``: 1; 0.4 where the last answer breaks off; 0 where there is none or the serving stack failed.
- ``length``: characters the assistant wrote, on a scale of logarithms: 0 for none, 1 from :data:`LONG_ENOUGH` on.
- ``repetition``: 1 - the share of its worst message that repeats its own 5-grams; 0 where it is gibberish.
- ``disclaimer``: 1; 0.3 where the assistant says that it is a program, or an answer has a keyword of refusals.
- ``language``: the share of answers in the language of the user's message before them; a message without a language
  (``und``: code, numbers) agrees with any.
- ``formatting``: 1; less 0.5 for a code block that an answer leaves open, less 0.5 for a control character, a model's
  special token or a U+FFFD.

The weights are a judgement, not learned from data.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.batch import Batch, any_of, sum_of

WEIGHTS = {
    "completeness": 0.30,
    "length": 0.20,
    "repetition": 0.15,
    "disclaimer": 0.15,
    "language": 0.10,
    "formatting": 0.10,
}
USES = ("unanswered", "serving_error", "unfinished_answer", "gibberish", "ai_disclaimer")
"""The facts that the score is made from, whatever the recipe does about them."""
REFUSAL = "refusal"
"""The keyword category of answers that decline."""
LONG_ENOUGH = 1000
"""Characters of answers from which more are no better."""
_DIRT = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]|<\\|[a-z_]{2,20}\\|>|</?s>|\\[/?INST\\]"
_FENCE = r"(?m)^[ \t]*```"


class Parts(NamedTuple):
    """The six parts of each conversation's score (float64, 0..1)."""

    completeness: np.ndarray
    length: np.ndarray
    repetition: np.ndarray
    disclaimer: np.ndarray
    language: np.ndarray
    formatting: np.ndarray


def score(batch: Batch, found: dict[str, np.ndarray], keywords: pa.Array) -> np.ndarray:
    """The quality of each conversation (float64, 0..1).

    ``found``: for each fact in :data:`USES` the conversations it holds for; ``keywords``: for each message the
    categories it hits (list of strings).
    """
    each = parts(batch, found, keywords)
    mean = sum(WEIGHTS[name] * part for name, part in each._asdict().items())
    has_answer = sum_of(batch.is_by("assistant") & (batch.lengths > 0), batch.offsets) > 0
    return np.round(mean * np.where(has_answer, 1.0, 0.25), 4)


def parts(batch: Batch, found: dict[str, np.ndarray], keywords: pa.Array) -> Parts:
    """What :func:`score` weighs."""
    is_answer = batch.is_by("assistant")
    failed = found["unanswered"] | found["serving_error"]
    characters = sum_of(np.where(is_answer, batch.lengths, 0), batch.offsets)
    return Parts(
        np.where(failed, 0.0, np.where(found["unfinished_answer"], 0.4, 1.0)),
        np.minimum(np.log1p(characters) / np.log1p(LONG_ENOUGH), 1.0),
        np.where(found["gibberish"], 0.0, 1.0 - _most(batch.repeated, batch.offsets)),
        np.where(found["ai_disclaimer"] | any_of(is_answer & _refuses(keywords), batch.offsets), 0.3, 1.0),
        _agreement(batch),
        1.0
        - 0.5 * any_of(_has_open_fence(batch) & is_answer, batch.offsets)
        - 0.5 * any_of(_is_dirty(batch), batch.offsets),
    )


def _refuses(keywords: pa.Array) -> np.ndarray:
    """Messages with a keyword of :data:`REFUSAL`."""
    is_hit = np.asarray(pc.equal(keywords.flatten(), REFUSAL), bool)
    flags = np.zeros(len(keywords), bool)
    flags[np.asarray(pc.list_parent_indices(keywords), np.int64)[is_hit]] = True
    return flags


def _agreement(batch: Batch) -> np.ndarray:
    codes = batch.languages.to_numpy(zero_copy_only=False)
    pairs = np.flatnonzero(batch.is_by("user")[:-1] & batch.is_by("assistant")[1:])
    pairs = pairs[~np.isin(pairs + 1, batch.offsets)]  # a user's last message and another conversation's first
    differs, follows = np.zeros(len(codes), bool), np.zeros(len(codes), bool)
    asked, answered = codes[pairs], codes[pairs + 1]
    differs[pairs] = (asked != answered) & (asked != "und") & (answered != "und")
    follows[pairs] = True
    return 1.0 - sum_of(differs, batch.offsets) / np.maximum(sum_of(follows, batch.offsets), 1)


def _has_open_fence(batch: Batch) -> np.ndarray:
    return np.asarray(pc.count_substring_regex(batch.contents, _FENCE)) % 2 == 1


def _is_dirty(batch: Batch) -> np.ndarray:
    return np.asarray(pc.match_substring_regex(batch.contents, _DIRT), bool)


def _most(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The largest value of each conversation; 0 for an empty one."""
    most = np.zeros(len(offsets) - 1)
    filled = np.diff(offsets) > 0
    if filled.any():
        most[filled] = np.maximum.reduceat(values, offsets[:-1][filled])
    return most
