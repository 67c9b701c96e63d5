"""LMSYS-Chat-1M rows: ``{"conversation_id", "model", "conversation": [{"role", "content"}], "turn", "language",
"openai_moderation", "redacted"}`` (Zheng et al. 2023, arXiv:2309.11998)."""

from conf.settings import Input
from jobs.formats import fields, moderation
from jobs.formats.conversation import Conversation
from jobs.formats.messages import chat, chat_extras

NAME = "lmsys"

_USED = frozenset({"conversation", "model", "language", "redacted", moderation.KEY})


def matches(record: fields.Record) -> bool:
    """Does the record have an id, a model and a list called ``conversation``?"""
    return (
        type(record.get("conversation")) is list
        and type(record.get("conversation_id")) is str
        and type(record.get("model")) is str
    )


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """One conversation; ``turn`` and unknown keys are in its metadata."""
    items = fields.require_items(record, "conversation")
    messages = chat(items, "conversation")
    metadata = fields.extras(record, _USED) | chat_extras(items)
    return [
        Conversation(
            messages=messages,
            id=fields.lift_id(metadata, "conversation_id"),
            model=fields.optional(record, "model", str),
            language=fields.optional(record, "language", str),
            redacted=fields.optional(record, "redacted", bool),
            moderation=moderation.labels(record, len(messages)),
            metadata=metadata or None,
        )
    ]
