"""Where does each exchange of a conversation begin?

An exchange is what is said from a user's message to before the next user's message that follows an answer. System
messages at the start belong to all of them; what an assistant says before the user does belongs to the first.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class Exchanges(NamedTuple):
    """The exchanges of flat conversations, all as int64.

    ``heads``: how many system messages each conversation begins with. ``starts``: the messages that begin an exchange,
    ascending; they end where the next one begins or the conversation does. Conversation ``i`` has those at
    ``offsets[i]:offsets[i+1]``, none where it has only system messages.
    """

    heads: np.ndarray
    starts: np.ndarray
    offsets: np.ndarray


def exchanges(roles: pa.Array, offsets: np.ndarray) -> Exchanges:
    """The exchanges of conversations whose messages have these roles, conversation ``i`` being messages
    ``offsets[i]:offsets[i+1]``."""
    offsets = np.asarray(offsets, np.int64)
    first = _first_spoken(_is_by("system", roles), offsets)
    is_user, is_answer = _is_by("user", roles), _is_by("assistant", roles)
    asked = np.concatenate(([0], np.cumsum(is_user)))
    is_asked_before = asked[:-1] > np.repeat(asked[offsets[:-1]], np.diff(offsets))
    begins = is_user & is_asked_before & np.concatenate(([False], is_answer[:-1]))[: len(is_user)]
    begins[first[first < offsets[1:]]] = True
    starts = np.flatnonzero(begins)
    return Exchanges(first - offsets[:-1], starts, np.searchsorted(starts, offsets))


def is_one_exchange(found: Exchanges, roles: pa.Array, offsets: np.ndarray) -> np.ndarray:
    """Conversations of one exchange that the user begins and the assistant ends (booleans): if such are put one after
    the other, their exchanges are found again."""
    is_one = np.diff(found.offsets) == 1
    last = np.asarray(offsets)[1:][is_one] - 1
    first = found.starts[found.offsets[:-1][is_one]]
    is_one[is_one] = _is_by("user", roles)[first] & _is_by("assistant", roles)[last]
    return is_one


def _first_spoken(is_system: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Each conversation's first message that is not a system message; its end where there is none."""
    spoken = np.append(np.flatnonzero(~is_system), len(is_system))
    return np.minimum(spoken[np.searchsorted(spoken, offsets[:-1])], offsets[1:])


def _is_by(role: str, roles: pa.Array) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.equal(roles, role), False), dtype=bool)
