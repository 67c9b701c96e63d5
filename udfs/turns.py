"""How is a conversation's order of turns mended, so that its good exchanges need not be thrown away?

Messages lie flat, conversation ``i`` is messages ``offsets[i]:offsets[i+1]``. Only conversations that a fact of
:mod:`udfs.facts.structure` holds for are looked at one by one, and of them only roles and which messages are blank.
"""

from collections.abc import Collection, Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.batch import Batch, Limits, batch_of
from udfs.facts import structure

REPAIRS = ("drop_blank", "drop_roles", "trim_start", "merge_roles", "drop_unanswered")
"""All repairs, in the order they run.

``drop_blank``: a message of the user or the assistant without text goes; where nobody of its role speaks beside it,
its whole exchange goes (a user's turn and all up to the next one). ``drop_roles``: messages of unknown roles, system
messages after the first turn and tool messages after no assistant go. ``trim_start``: what the assistant says before
the user goes. ``merge_roles``: messages in a row of the user or of the assistant become one, :data:`BETWEEN` them; it
is the first one's place and name that stay. ``drop_unanswered``: the last exchange goes until one ends with the
assistant.
"""
BETWEEN = "\n\n"
_IN_TURN = ("drop_roles", "trim_start", "merge_roles")


class Turns(NamedTuple):
    """Conversations after repair.

    ``origin``: for each message the index within its conversation of the raw message it came from (int32). ``owner``:
    for each raw message the message that holds its text, -1 for none (int64). ``is_merged``: messages made of several
    (booleans). ``repairs``: for each enabled repair the conversations it changed (booleans).
    """

    roles: pa.Array
    contents: pa.Array
    offsets: np.ndarray
    origin: np.ndarray
    owner: np.ndarray
    is_merged: np.ndarray
    repairs: dict[str, np.ndarray]


class Piece(NamedTuple):
    """A message to be: its role, and the positions of the messages it is made of, of which the first stays."""

    role: str
    parts: tuple[int, ...]


class Mended(NamedTuple):
    """A conversation's pieces after some repairs, and the names of those that changed it."""

    pieces: list[Piece]
    done: tuple[str, ...]


def repair(roles: pa.Array, contents: pa.Array, offsets: np.ndarray, enabled: Collection[str]) -> Turns:
    """The conversations with the enabled :data:`REPAIRS` made, a fixed point of them.

    A repair is not made where it would leave no word of the user or none of the assistant, or where others that it
    needs are not enabled: the conversation then stays as it was, for the facts to tell of it. No conversation goes, and
    text goes with whole messages only. A null role or content is an empty one. An unknown name is a ``ValueError``.
    """
    if unknown := sorted(set(enabled) - set(REPAIRS)):
        raise ValueError(f"no repair is called {', '.join(unknown)}; expected some of {', '.join(REPAIRS)}")
    batch = batch_of(roles, contents, np.asarray(offsets), pa.nulls(0, pa.string()))
    owner, done = np.arange(len(batch.roles)), {name: np.zeros(len(offsets) - 1, bool) for name in enabled}
    suspects = _suspects(batch, enabled)
    if suspects.size:
        is_blank, names = structure.is_blank(batch), batch.roles.to_numpy(zero_copy_only=False)
        for row in suspects:
            own = range(int(batch.offsets[row]), int(batch.offsets[row + 1]))
            before = [Piece(names[message], (message,)) for message in own]
            mended = _mend(before, is_blank, enabled)
            for name in mended.done:
                done[name][row] = True
            owner[own.start : own.stop] = -1
            for piece in mended.pieces:
                owner[list(piece.parts)] = piece.parts[0]
    return _rebuilt(batch, owner, {name: done[name] for name in REPAIRS if name in done})


def _suspects(batch: Batch, enabled: Collection[str]) -> np.ndarray:
    """The conversations that an enabled repair may change."""
    found = np.zeros(len(batch.offsets) - 1, bool)
    if "drop_blank" in enabled:
        found |= structure.blank_message(batch, Limits())
    if any(name in enabled for name in _IN_TURN):
        found |= structure.bad_roles(batch, Limits())
    if "drop_unanswered" in enabled:
        found |= structure.unanswered(batch, Limits())
    return np.flatnonzero(found)


def _mend(pieces: list[Piece], is_blank: np.ndarray, enabled: Collection[str]) -> Mended:
    """All enabled repairs, each kind only where it leaves an exchange, until none changes anything."""
    done: set[str] = set()
    steps = (
        lambda before: _without_blank(before, is_blank) if "drop_blank" in enabled else None,
        lambda before: _in_turn(before, enabled),
        lambda before: _answered(before) if "drop_unanswered" in enabled else None,
    )
    before: list[Piece] | None = None
    while pieces != before:  # each change leaves fewer pieces, and may show a blank one that stood elsewhere before
        before = pieces
        for step in steps:
            after = step(pieces)
            if after is not None and _has_exchange(after.pieces, is_blank):
                pieces, done = after.pieces, done | set(after.done)
    return Mended(pieces, tuple(name for name in REPAIRS if name in done))


def _has_exchange(pieces: list[Piece], is_blank: np.ndarray) -> bool:
    """Do both the user and the assistant say something?"""
    return {"user", "assistant"} <= {piece.role for piece in pieces if not all(is_blank[list(piece.parts)])}


def _without_blank(pieces: list[Piece], is_blank: np.ndarray) -> Mended:
    kept: list[Piece] = []
    for exchange in _exchanges(pieces):
        runs = [list(run) for _, run in groupby(exchange, key=lambda piece: piece.role)]
        spoken = [[piece for piece in run if not _is_silent(piece, is_blank)] for run in runs]
        if exchange[0].role != "user" or all(spoken):
            kept += [piece for run in spoken for piece in run]
    return Mended(kept, ("drop_blank",) * (len(kept) < len(pieces)))


def _exchanges(pieces: list[Piece]) -> Iterator[list[Piece]]:
    """The pieces cut before every user's turn; what comes before the first is a part of its own."""
    exchange: list[Piece] = []
    for piece in pieces:
        if piece.role == "user" and exchange and exchange[-1].role != "user":
            yield exchange
            exchange = []
        exchange.append(piece)
    if exchange:
        yield exchange


def _is_silent(piece: Piece, is_blank: np.ndarray) -> bool:
    return piece.role in ("user", "assistant") and bool(is_blank[list(piece.parts)].all())


def _in_turn(pieces: list[Piece], enabled: Collection[str]) -> Mended | None:
    """The pieces in an order that :func:`structure.bad_roles` has nothing against; None where that is not enabled."""
    kept: list[Piece] = []
    done: set[str] = set()
    for piece in pieces:
        needed = _misfit(piece.role, kept)
        if needed is None:
            kept.append(piece)
        elif needed not in enabled:
            return None
        elif needed == "merge_roles":
            kept[-1] = Piece(piece.role, kept[-1].parts + piece.parts)
        if needed is not None:
            done.add(needed)
    return Mended(kept, tuple(name for name in _IN_TURN if name in done))


def _misfit(role: str, before: list[Piece]) -> str | None:
    """The repair that a message of this role needs after these; None where it fits."""
    last = before[-1].role if before else "system"
    if role in ("assistant", "tool") and last == "system":
        return "trim_start"
    if role == last and role in ("user", "assistant"):
        return "merge_roles"
    fits = {"system": last == "system", "tool": last != "user", "user": True, "assistant": True}
    return None if fits.get(role, False) else "drop_roles"


def _answered(pieces: list[Piece]) -> Mended:
    kept = list(pieces)
    while kept and kept[-1].role != "assistant":
        while kept and kept.pop().role != "user":
            pass
    return Mended(kept, ("drop_unanswered",) * (len(kept) < len(pieces)))


def _rebuilt(batch: Batch, owner: np.ndarray, repairs: dict[str, np.ndarray]) -> Turns:
    """The batch with each message's text moved to its owner; an owner is the first of those it owns."""
    here = np.arange(len(owner))
    is_kept, is_moved = owner == here, (owner != here) & (owner >= 0)
    places = np.cumsum(is_kept) - 1
    starts = np.repeat(batch.offsets[:-1], np.diff(batch.offsets))
    kept = pa.array(is_kept)
    cuts = np.concatenate(([0], np.cumsum(is_kept)))[batch.offsets].astype(batch.offsets.dtype)
    is_merged = np.zeros(len(owner), bool)
    is_merged[owner[is_moved]] = True
    contents = batch.contents
    if is_moved.any():
        contents = pc.replace_with_mask(contents, pa.array(is_merged), _joined(contents, owner, is_merged))
    return Turns(
        batch.roles.filter(kept),
        contents.filter(kept),
        cuts,
        (here - starts)[is_kept].astype(np.int32),
        np.where(owner >= 0, places[owner], -1),
        is_merged[is_kept],
        repairs,
    )


def _joined(contents: pa.Array, owner: np.ndarray, is_merged: np.ndarray) -> pa.Array:
    """The text of each merged message, in order; parts without text add nothing."""
    parts = np.flatnonzero((owner >= 0) & is_merged[owner])
    said: dict[int, list[str]] = {int(first): [] for first in np.flatnonzero(is_merged)}
    for first, text in zip(owner[parts].tolist(), contents.take(pa.array(parts)).to_pylist(), strict=True):
        said[first] += [text] if text.strip() else []
    return pa.array([BETWEEN.join(texts) for texts in said.values()], pa.string())
