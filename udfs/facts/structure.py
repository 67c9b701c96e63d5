"""Is a conversation's order of turns trainable as it is?"""

import numpy as np
import pyarrow.compute as pc

from udfs.batch import Batch, Limits, any_of


def blank_message(batch: Batch, _: Limits) -> np.ndarray:
    """A message of the user or the assistant without text."""
    return any_of(is_blank(batch) & (batch.is_by("user") | batch.is_by("assistant")), batch.offsets)


def is_blank(batch: Batch) -> np.ndarray:
    """Messages of nothing but whitespace."""
    return np.asarray(pc.equal(batch.contents, ""), bool) | np.asarray(pc.utf8_is_space(batch.contents), bool)


def bad_roles(batch: Batch, _: Limits) -> np.ndarray:
    """Conversations that are not: any system messages, then user and assistant in turns, the user first.

    Tool messages may follow an assistant or a tool message, and belong to that turn, as does an assistant message right
    after them. Any other role is bad. A conversation of no message, or of system messages alone, is not.
    """
    roles = ("user", "assistant", "system", "tool")
    is_user, is_assistant, is_system, is_tool = (batch.is_by(role) for role in roles)
    starts = _starts(is_user, batch.offsets)
    after_user, after_assistant, after_system, after_tool = (
        _shift(flags, starts) for flags in (is_user, is_assistant, is_system, is_tool)
    )
    fits = (
        (is_system & (starts | after_system))
        | (is_user & (starts | after_system | after_assistant | after_tool))
        | (is_assistant & (after_user | after_tool))
        | (is_tool & (after_assistant | after_tool))
    )
    return any_of(~fits, batch.offsets)


def unanswered(batch: Batch, _: Limits) -> np.ndarray:
    """The last message is not the assistant's, or there is none."""
    return ~_last_of(batch.is_by("assistant"), batch.offsets)


def _starts(flags: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Messages that begin a conversation."""
    starts = np.zeros(len(flags), dtype=bool)
    starts[offsets[:-1][np.diff(offsets) > 0]] = True
    return starts


def _shift(flags: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Messages whose predecessor in the conversation has the flag."""
    return np.concatenate(([False], flags[:-1]))[: len(flags)] & ~starts


def _last_of(flags: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Conversations whose last message has the flag."""
    lasts = np.zeros(len(offsets) - 1, dtype=bool)
    filled = np.diff(offsets) > 0
    lasts[filled] = flags[offsets[1:][filled] - 1]
    return lasts
