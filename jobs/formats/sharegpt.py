"""ShareGPT records: ``{"conversations": [{"from": "human", "value": ...}, ...], "id"?, "system"?, "tools"?}``.

As in FastChat and LLaMA-Factory; the list may be called ``conversation``. With ``chosen`` and ``rejected`` messages
(LLaMA-Factory's preference sets) the list is the prompt of both.
"""

from typing import Any

import numpy as np

from conf.settings import Input
from jobs.bytewise.nodes import Nodes
from jobs.formats import fields, labels, talk
from jobs.formats.conversation import Conversation, Message
from jobs.formats.part import Part

NAME = "sharegpt"

SPEAKERS = fields.speakers(
    user=("human", "client"),
    assistant=("gpt", "bard", "bing", "chatgpt", "model", "function_call"),
    tool=("function", "observation", "function_response", "tool_response"),
)

WORDS = ("conversations", "from", "value", "chosen", "rejected", *labels.USUAL)
_MESSAGE_USED = frozenset({"from", "value"})


def matches(record: fields.Record) -> bool:
    """Does the record hold a list of from/value messages?"""
    items = record.get(_key(record))
    if type(items) is not list or not items or type(items[0]) is not dict:
        return False
    return type(items[0].get("from")) is str and "value" in items[0]


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """One conversation, or two for a preference pair: the prompt with the chosen and with the rejected ending."""
    key = _key(record)
    items = fields.require_items(record, key)
    simple = fields.simple_chat(items, "from", "value", SPEAKERS)
    messages = fields.each(items, _message, key) if simple is None else simple
    is_pair = type(record.get("chosen")) is dict and "rejected" in record
    metadata = fields.extras(record, {key, "chosen", "rejected"} if is_pair else {key})
    metadata |= fields.message_extras(items, _MESSAGE_USED) if simple is None else {}
    found = fields.conversation(record, messages, metadata)
    return fields.preferred(found, _ending(record, "chosen"), _ending(record, "rejected")) if is_pair else [found]


def columns(nodes: Nodes, options: Input) -> tuple[np.ndarray, list[Part]]:
    """The records without a pair of endings, where every message has just its two keys."""
    sound, said, _ = talk.chat(nodes, nodes.child(nodes.roots, "conversations"), ("from", "value"), SPEAKERS)
    are_usual, found = labels.usual(nodes, "conversations")
    for key in ("chosen", "rejected"):
        sound &= nodes.child(nodes.roots, key) < 0
    return sound & are_usual, [Part(said, found)]


def _key(record: fields.Record) -> str:
    return "conversation" if "conversation" in record and "conversations" not in record else "conversations"


def _message(item: Any) -> Message:
    item = fields.require_object(item)
    role, name = fields.speaker(item, "from", SPEAKERS)
    return Message(role, fields.require(item, "value", str), name)


def _ending(record: fields.Record, key: str) -> list[Message]:
    return fields.each([fields.require(record, key, dict)], _message, key)
