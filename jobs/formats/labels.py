"""What many records say besides their messages, as columns: what :mod:`jobs.formats.fields` does for one record.

A :class:`Reading` notes which values were used, and which records are not plainly sound: those are read one by one.
"""

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.bytewise import walk
from jobs.bytewise.nodes import Nodes, Nodes1
from jobs.formats import fields

Objects = list[dict[str, Any]]


class Labels(NamedTuple):
    """Columns, one entry a conversation, as in :class:`jobs.formats.conversation.Conversation`; None is null in all."""

    ids: pa.StringArray | None = None
    models: pa.StringArray | None = None
    languages: pa.StringArray | None = None
    redacted: pa.BooleanArray | None = None
    moderation: list[list[dict[str, Any]] | None] | None = None
    metadata: Objects | None = None

    def pick(self, which: np.ndarray) -> "Labels":
        """Only these conversations."""
        columns = [column and column.take(pa.array(which)) for column in self[:4]]
        lists = [objects and [objects[i] for i in which.tolist()] for objects in self[4:]]
        return Labels(*columns, *lists)  # type: ignore[arg-type]


class Reading:
    """Takes values out of records; what nobody took is :meth:`rest`."""

    def __init__(self, nodes: Nodes, *used: str):
        self.nodes, self.sound = nodes, np.ones(len(nodes.roots), bool)
        self._is_used = nodes.kind == walk.NULL  # null holds nothing
        for word in used:
            self._use(nodes.child(nodes.roots, word))

    def _use(self, found: Nodes1) -> None:
        self._is_used[found[found >= 0]] = True

    def text(self, word: str) -> pa.StringArray | None:
        """A string or nothing; a record with anything else is not sound."""
        found = self.nodes.child(self.nodes.roots, word)
        self.sound &= self.nodes.is_nothing(found) | self.nodes.is_string(found)
        self._use(found)
        return self.nodes.texts(found) if np.any(found >= 0) else None

    def required(self, word: str, is_kept: bool = False) -> pa.StringArray:
        """A string; a record without is not sound. ``is_kept``: it is in the rest all the same."""
        found = self.nodes.child(self.nodes.roots, word)
        self.sound &= self.nodes.is_string(found)
        if not is_kept:
            self._use(found)
        return self.nodes.texts(found)

    def flag(self, word: str) -> pa.BooleanArray | None:
        """True, false or nothing; a record with anything else is not sound."""
        found = self.nodes.child(self.nodes.roots, word)
        self.sound &= self.nodes.is_nothing(found) | self.nodes.is_kind(found, walk.TRUE, walk.FALSE)
        self._use(found)
        return self.nodes.flags(found) if np.any(found >= 0) else None

    def lift(self, word: str) -> pa.StringArray | None:
        """A string that is not empty; what else is there is left."""
        found = self.nodes.child(self.nodes.roots, word)
        found = np.where(self.nodes.is_text(found), found, -1)
        self._use(found)
        return self.nodes.texts(found) if np.any(found >= 0) else None

    def lift_id(self, *words: str) -> pa.StringArray | None:
        """The first of these that is a string that is not empty, or a plain integer, as text. A record where an id is
        of another kind is not sound."""
        lifted = np.full(len(self.nodes.roots), -1)
        for word in words:
            found = self.nodes.child(self.nodes.roots, word)
            is_id = self.nodes.is_integer(found) | self.nodes.is_text(found)
            self.sound &= is_id | self.nodes.is_nothing(found)
            lifted = np.where((lifted < 0) & is_id, found, lifted)
        self._use(lifted)
        return self.nodes.texts(lifted, with_numbers=True) if np.any(lifted >= 0) else None

    def rest(self) -> Objects | None:
        """What is left of each record; None: nothing of any."""
        return self.nodes.rests(self.nodes.roots, self._is_used)


def usual(nodes: Nodes, *used: str) -> tuple[np.ndarray, Labels]:
    """Which records are plainly sound, and the labels of a format that leaves ``id``, ``model`` and ``language``
    optional, as :func:`jobs.formats.fields.conversation` has it. The ``used`` keys hold messages. A record with a
    system prompt beside them is not sound."""
    reading = Reading(nodes, *used)
    for key in {*fields.SYSTEM}.difference(used):
        reading.sound &= ~nodes.is_text(nodes.child(nodes.roots, key))
    ids = reading.lift_id("id", "conversation_id")
    found = Labels(ids, reading.lift("model"), reading.lift("language"), metadata=reading.rest())
    return reading.sound, found


def ended(ids: pa.StringArray | None, ending: str) -> pa.StringArray | None:
    """The ids with this after a hyphen."""
    return None if ids is None else pc.binary_join_element_wise(ids, ending, "-")


def preferred(found: Labels, ending: str, count: int) -> Labels:
    """The labels of one side of ``count`` preference pairs, as :func:`jobs.formats.fields.preferred` has them."""
    mark = {"preference": ending}
    metadata = [{**rest, **mark} for rest in found.metadata] if found.metadata else [mark] * count
    return found._replace(ids=ended(found.ids, ending), metadata=metadata)


USUAL = ("id", "conversation_id", "model", "language", *fields.SYSTEM)
"""The keys :func:`usual` looks up."""
