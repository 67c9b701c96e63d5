"""WildChat-1M rows: ``{"conversation_hash", "model", "timestamp", "conversation": [{"role", "content", "language",
"toxic", "country", ...}], "language", "openai_moderation", "detoxify_moderation", "toxic", "redacted", ...}``
(Zhao et al. 2024, arXiv:2405.01470)."""

from typing import Any

from conf.settings import Input
from jobs.formats import fields, moderation
from jobs.formats.conversation import Conversation, Message
from jobs.formats.messages import SPEAKERS

NAME = "wildchat"

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
