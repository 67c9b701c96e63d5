"""OpenOrca rows: ``{"id", "system_prompt", "question", "response"}`` (Mukherjee et al. 2023, arXiv:2306.02707)."""

from conf.settings import Input
from jobs.formats import fields
from jobs.formats.conversation import Conversation, Message

NAME = "openorca"

_USED = frozenset({"system_prompt", "question", "response"})


def matches(record: fields.Record) -> bool:
    """Does the record have a system prompt, a question and a response?"""
    return (
        type(record.get("system_prompt")) is str
        and type(record.get("question")) is str
        and type(record.get("response")) is str
    )


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """One conversation; an empty system prompt is no message."""
    system = fields.optional(record, "system_prompt", str)
    messages = [
        *([Message("system", system)] if system else []),
        Message("user", fields.require(record, "question", str)),
        Message("assistant", fields.require(record, "response", str)),
    ]
    return [fields.conversation(messages, fields.extras(record, _USED))]
