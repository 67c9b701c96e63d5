"""WildChat-1M rows: ``{"conversation_hash", "model", "timestamp", "conversation": [{"role", "content", "language",
"toxic", "country", ...}], "language", "openai_moderation", "detoxify_moderation", "toxic", "redacted", ...}``
(Zhao et al. 2024, arXiv:2405.01470)."""

from typing import Any

import numpy as np

from conf.settings import Input
from jobs.bytewise import walk
from jobs.bytewise.nodes import Nodes
from jobs.formats import fields, labels, moderation, talk
from jobs.formats.conversation import Conversation, Message
from jobs.formats.messages import SPEAKERS
from jobs.formats.part import Part

NAME = "wildchat"

WORDS = (
    "conversation",
    "conversation_hash",
    "model",
    "language",
    "redacted",
    moderation.KEY,
    "role",
    "content",
    "toxic",
)
_USED = frozenset({"conversation", "model", "language", "redacted", moderation.KEY})
_MESSAGE_USED = frozenset({"role", "content", "language", "toxic"})


def matches(record: fields.Record) -> bool:
    """Does the record have a conversation hash and a list called ``conversation``?"""
    return type(record.get("conversation")) is list and type(record.get("conversation_hash")) is str


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """One conversation, its messages with their own language and toxicity; all else is in its metadata."""
    items = fields.require_items(record, "conversation")
    messages = fields.each(items, _message, "conversation")
    metadata = fields.extras(record, _USED) | fields.message_extras(items, _MESSAGE_USED)
    return [
        Conversation(
            messages=messages,
            id=fields.lift_id(metadata, "conversation_hash"),
            model=fields.optional(record, "model", str),
            language=fields.optional(record, "language", str),
            redacted=fields.optional(record, "redacted", bool),
            moderation=moderation.labels(record, len(messages)),
            metadata=metadata or None,
        )
    ]


def columns(nodes: Nodes, options: Input) -> tuple[np.ndarray, list[Part]]:
    """The records without moderation, or with that and the messages' own labels of their types."""
    reading = labels.Reading(nodes, "conversation")
    ids = reading.lift_id("conversation_hash")
    found = labels.Labels(ids, reading.text("model"), reading.text("language"), reading.flag("redacted"))
    lists = nodes.child(nodes.roots, "conversation")
    sound, said, items = talk.chat(nodes, lists, ("role", "content"), SPEAKERS, has_more=True)
    languages, toxic = nodes.child(items.nodes, "language"), nodes.child(items.nodes, "toxic")
    is_odd = ~(nodes.is_nothing(languages) | nodes.is_string(languages))
    is_odd |= ~(nodes.is_nothing(toxic) | nodes.is_kind(toxic, walk.TRUE, walk.FALSE))
    sound[items.owners[is_odd]] = False
    said = said._replace(languages=nodes.texts(languages), toxic=nodes.flags(toxic))
    metadata = _with_extras(reading.rest(), nodes, items)
    has_labels = np.any(nodes.child(nodes.roots, moderation.KEY) >= 0)
    moderations = moderation.columns(metadata, np.diff(said.offsets), sound) if has_labels else None
    return sound & reading.sound, [Part(said, found._replace(moderation=moderations, metadata=metadata))]


def _with_extras(rests: labels.Objects | None, nodes: Nodes, items: talk.Items) -> labels.Objects | None:
    """The metadata with what the messages hold besides."""
    is_used = nodes.kind == walk.NULL
    for word in _MESSAGE_USED:
        used = nodes.child(items.nodes, word)
        is_used[used[used >= 0]] = True
    extras = nodes.rests(items.nodes, is_used)
    if extras is None:
        return rests
    rests = rests or [{} for _ in nodes.roots]
    ends = np.searchsorted(items.owners, np.arange(len(rests)), side="right").tolist()
    begin = 0
    for rest, end in zip(rests, ends, strict=True):
        held, begin = extras[begin:end], end
        if any(held):
            rest[fields.MESSAGE_EXTRAS] = held
    return rests


def _message(item: Any) -> Message:
    item = fields.require_object(item)
    role, name = fields.speaker(item, "role", SPEAKERS)
    return Message(
        role=role,
        content=fields.require(item, "content", str),
        name=name,
        language=fields.optional(item, "language", str),
        toxic=fields.optional(item, "toxic", bool),
    )
