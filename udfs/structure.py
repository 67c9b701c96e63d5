"""Is a conversation's order of turns trainable as it is: one boolean per conversation and reason.

Messages lie flat; conversation ``i`` is messages ``offsets[i]:offsets[i+1]``, and may be empty.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

REASONS = ("blank_message", "bad_roles", "unanswered")
"""The names of the facts below, which are also the keys of ``rules.structure`` in a recipe."""


def judge(roles: pa.Array, contents: pa.Array, offsets: np.ndarray) -> dict[str, np.ndarray]:
    """For each of :data:`REASONS` the conversations it holds for (booleans). A null role or content is an empty one."""
    is_user, is_assistant, is_system, is_tool = (_is(roles, name) for name in ("user", "assistant", "system", "tool"))
    blank = np.asarray(pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(pc.fill_null(contents, ""))), 0), dtype=bool)
    return {
        "blank_message": any_of(blank & (is_user | is_assistant), offsets),
        "bad_roles": has_bad_roles(is_user, is_assistant, is_system, is_tool, offsets),
        "unanswered": ~_last_of(is_assistant, offsets),
    }


def has_bad_roles(
    is_user: np.ndarray, is_assistant: np.ndarray, is_system: np.ndarray, is_tool: np.ndarray, offsets: np.ndarray
) -> np.ndarray:
    """Conversations that are not: any system messages, then user and assistant in turns, the user first.

    Tool messages may follow an assistant or a tool message, and belong to that turn, as does an assistant message right
    after them. Any other role is bad. A conversation of no message, or of system messages alone, is not.
    """
    starts = _starts(is_user, offsets)
    after_user, after_assistant, after_system, after_tool = (
        _shift(flags, starts) for flags in (is_user, is_assistant, is_system, is_tool)
    )
    fits = (
        (is_system & (starts | after_system))
        | (is_user & (starts | after_system | after_assistant | after_tool))
        | (is_assistant & (after_user | after_tool))
        | (is_tool & (after_assistant | after_tool))
    )
    return any_of(~fits, offsets)


def any_of(flags: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """For each conversation whether a message of it has the flag; an empty one has none."""
    seen = np.concatenate(([0], np.cumsum(flags)))  # unlike reduceat, right where conversations are empty
    return seen[offsets[1:]] > seen[offsets[:-1]]


def count_of(flags: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """For each conversation the sum of its messages' values (int64)."""
    seen = np.concatenate(([0], np.cumsum(flags, dtype=np.int64)))
    return seen[offsets[1:]] - seen[offsets[:-1]]


def _is(roles: pa.Array, name: str) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.equal(roles, name), False), dtype=bool)


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
