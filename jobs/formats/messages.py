"""OpenAI-style chat: ``{"messages": [{"role", "content", "name"?, "tool_calls"?}], "id"?, "system"?, ...}``.

Also character.ai ``chat_record_*.jsonl``, KTO records (with ``label``), SMILE (client and counselor) and CrossWOZ (usr
and sys, where sys is the side that answers, so it becomes the assistant). The list may be called ``conversations``.
"""

import json
from typing import Any

import numpy as np

from conf.settings import Input
from jobs.bytewise.nodes import Nodes
from jobs.formats import fields, labels, talk
from jobs.formats.conversation import Conversation, Message
from jobs.formats.part import Part
from jobs.refusals import WRONG_TYPE, Rejected

NAME = "messages"

SPEAKERS = fields.speakers(
    user=("human", "usr", "client"),
    assistant=("bot", "ai", "model", "counselor", "sys"),
    system=("developer",),
    tool=("function",),
)

WORDS = ("messages", "role", "content", "chosen", "rejected", *labels.USUAL)
USED = frozenset({"role", "content", "name"})
_CALLS = ("tool_calls", "function_call")


def matches(record: fields.Record) -> bool:
    """Does the record hold a list of role/content messages?"""
    items = record.get(_key(record))
    return bool(type(items) is list and items and _is_message(items[0]))


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """One conversation; two, prompt and either ending, when ``chosen`` and ``rejected`` are messages."""
    key = _key(record)
    items = fields.require_items(record, key)
    simple = fields.simple_chat(items, "role", "content", SPEAKERS)
    messages = chat(items, key) if simple is None else simple
    is_pair = _is_message(record.get("chosen")) and _is_message(record.get("rejected"))
    used = {key, "chosen", "rejected"} if is_pair else {key}
    metadata = fields.extras(record, used) | (chat_extras(items) if simple is None else {})
    found = fields.conversation(record, messages, metadata)
    if not is_pair:
        return [found]
    return fields.preferred(found, chat([record["chosen"]], "chosen"), chat([record["rejected"]], "rejected"))


def columns(nodes: Nodes, options: Input) -> tuple[np.ndarray, list[Part]]:
    """The records without a pair of endings, where every message has just a role and a content."""
    sound, said, _ = talk.chat(nodes, nodes.child(nodes.roots, "messages"), ("role", "content"), SPEAKERS)
    are_usual, found = labels.usual(nodes, "messages")
    for key in ("chosen", "rejected"):
        sound &= nodes.child(nodes.roots, key) < 0
    return sound & are_usual, [Part(said, found)]


def chat(items: list[Any], place: str) -> list[Message]:
    """Role/content messages, as LMSYS, WildChat and Arena records hold them too."""
    return fields.each(items, message, place)


def chat_extras(items: list[fields.Record]) -> fields.Record:
    """What the messages hold besides what :func:`message` reads, as metadata."""
    found = [fields.extras(item, USED) for item in items]
    for item, rest in zip(items, found, strict=True):
        if rest and not item.get("content"):
            rest.pop(_call(item), None)
    return {fields.MESSAGE_EXTRAS: found} if any(found) else {}


def message(item: Any) -> Message:
    """One message. Typed text parts are joined by line breaks; a call of tools without text becomes its JSON text, and
    its name says so."""
    item = fields.require_object(item)
    role, name = fields.speaker(item, "role", SPEAKERS)
    content, own = item.get("content"), fields.optional(item, "name", str)
    if type(content) is str and content:
        return Message(role, content, own or name)
    if type(content) is list and content:
        return Message(role, "\n".join(fields.each(content, _part, "content")), own or name)
    if call := not content and _call(item):
        return Message(role, json.dumps(fields.plain(item[call]), ensure_ascii=False), call)
    return Message(role, fields.require(item, "content", str), own or name)


def _key(record: fields.Record) -> str:
    return "conversations" if "messages" not in record and "conversations" in record else "messages"


def _is_message(value: Any) -> bool:
    return type(value) is dict and type(value.get("role")) is str and "content" in value


def _call(item: fields.Record) -> str:
    """The key of the tool calls a message makes, or ''."""
    return next((key for key in _CALLS if item.get(key)), "")


def _part(part: Any) -> str:
    part = fields.require_object(part)
    kind = fields.require(part, "type", str)
    if kind != "text":
        raise Rejected(WRONG_TYPE, f"type: expected 'text', found {fields.quoted(kind)}: only text can be read")
    return fields.require(part, "text" if "text" in part else "value", str)
