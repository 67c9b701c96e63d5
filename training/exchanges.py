"""What becomes of a conversation longer than the context? Cut or split between exchanges, and every one accounted for.

Where exchanges begin, :mod:`udfs.exchanges` says, for training as for ``publish.split_long``. System messages at the
start belong to every part of a conversation; an assistant's greeting before the first question to the first one alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa

from training.chat import Messages
from training.encoding import Encoder, Row, trained_ranges
from udfs import exchanges as borders

OUTCOMES = ("whole", "cut", "split", "long", "no_loss", "refused")
"""What happened to one conversation, exactly one of: a row as it is; only its first exchanges; several rows; left out
as too long; left out as none of its tokens would be trained; left out as the template refuses it."""


@dataclass(frozen=True)
class Rules:
    """The part of ``conf.training.Data`` that decides which tokens a conversation becomes."""

    max_tokens: int
    loss_on: str
    long: str


@dataclass(frozen=True)
class Fitted:
    """One conversation's rows, each at most ``max_tokens`` long with something to train, and its outcome.

    ``exchanges_lost`` and ``tokens_lost`` are what a cut left out: exchanges, and the end of an exchange that alone is
    longer than the context. ``reason`` is why the template refused.
    """

    outcome: str
    rows: tuple[Row, ...] = ()
    exchanges_lost: int = 0
    tokens_lost: int = 0
    reason: str = ""


def fit(encoder: Encoder, conversations: Sequence[Messages], rules: Rules) -> list[Fitted]:
    """What becomes of each conversation, in order."""
    encoded = encoder.encode(conversations)
    return [_fit(encoder, *pair, rules) for pair in zip(conversations, encoded, strict=True)]


def exchanges(messages: Messages) -> tuple[int, list[int]]:
    """How many system messages are at the start, and where each exchange starts, as message numbers."""
    roles = pa.array([message["role"] for message in messages], pa.string())
    found = borders.exchanges(roles, np.array([0, len(messages)]))
    return int(found.heads[0]), found.starts.tolist()


def _fit(encoder: Encoder, messages: Messages, row: Row | str, rules: Rules) -> Fitted:
    if isinstance(row, str):
        return Fitted("refused", reason=row)
    if not len(trained_ranges(row, rules.loss_on)):
        return Fitted("no_loss")
    if len(row) <= rules.max_tokens:
        return Fitted("whole", (row,))
    return Fitted("long") if rules.long == "drop" else _in_parts(encoder, messages, row, rules)


def _in_parts(encoder: Encoder, messages: Messages, row: Row, rules: Rules) -> Fitted:
    """The first part that fits, or all of them, without those that have nothing to train."""
    rows: list[Row] = []
    exchanges_lost, tokens_lost = len(exchanges(messages)[1]), 0
    parts = _parts(encoder, messages, row, rules.max_tokens)
    for part, size in islice(parts, 1) if rules.long == "cut" else parts:  # a part costs what encoding it costs
        kept = _first_tokens(part, rules.max_tokens)
        is_ended = rules.loss_on != "last" or len(kept.turns) == len(part.turns)  # else its last answer is left out
        if is_ended and len(trained_ranges(kept, rules.loss_on)):
            exchanges_lost -= size
            tokens_lost += len(part) - len(kept)
            rows.append(kept)
    if not rows:
        return Fitted("no_loss", exchanges_lost=exchanges_lost)
    return Fitted("split" if len(rows) > 1 else "cut", tuple(rows), exchanges_lost, tokens_lost)


def _parts(encoder: Encoder, messages: Messages, row: Row, room: int) -> Iterator[tuple[Row, int]]:
    """The conversation as rows of as many whole exchanges as fit, at least one, and how many each has."""
    head, starts = exchanges(messages)
    sizes = _sizes(messages, row, starts)
    first = 0
    while first < len(starts):
        count = max(1, int(np.searchsorted(np.cumsum(sizes[first:]), room, side="right")))
        part = encoder.encode([_between(messages, head, starts, first, count)])[0]
        while isinstance(part, Row) and len(part) > room and count > 1:
            excess = np.cumsum(sizes[first : first + count][::-1])
            count = max(1, count - 1 - int(np.searchsorted(excess, len(part) - room)))
            part = encoder.encode([_between(messages, head, starts, first, count)])[0]
        yield (part if isinstance(part, Row) else Row(row.ids[:0], row.turns[:0])), count
        first += count


def _sizes(messages: Messages, row: Row, starts: Sequence[int]) -> np.ndarray:
    """Tokens of each exchange in the whole row, about: by where its last answer ends, else by its characters."""
    answers = np.array([message["role"] == "assistant" for message in messages])
    before = np.array([answers[:start].sum() for start in [*starts[1:], len(messages)]])
    if len(row.turns) == answers.sum() and before[0]:
        ends = row.turns[before - 1, 1].astype(np.int64)
        ends[-1] = len(row)
    else:
        characters = np.cumsum([len(message["content"]) + 1 for message in messages])
        ends = characters[np.array([*starts[1:], len(messages)]) - 1] * len(row) // characters[-1]
    return np.diff(ends, prepend=0)


def _between(messages: Messages, head: int, starts: Sequence[int], first: int, count: int) -> Messages:
    end = starts[first + count] if first + count < len(starts) else len(messages)
    return [*messages[:head], *messages[starts[first] : end]]


def _first_tokens(row: Row, room: int) -> Row:
    if len(row) <= room:
        return row
    turns = np.minimum(row.turns, room)
    return Row(row.ids[:room], turns[turns[:, 0] < turns[:, 1]])
