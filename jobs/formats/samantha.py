"""Samantha records: ``{"elapsed", "conversation": "Theodore: ...\\n\\nSamantha: ..."}``, one text for all messages.

The speakers' names are settings (``input.samantha``); only a name at the start of a paragraph begins a message.
"""

import re
from functools import lru_cache

import numpy as np

from conf.settings import Input
from jobs.bytewise.nodes import Nodes
from jobs.formats import fields, labels, talk
from jobs.formats.conversation import Conversation, Message
from jobs.formats.part import Part
from jobs.refusals import EMPTY_CONVERSATION, UNKNOWN_ROLE, Rejected

NAME = "samantha"

WORDS = ("conversation", *labels.USUAL)
_USED = frozenset({"conversation"})
_SPOKEN = re.compile(r"\s*[^\s:][^\n:]{0,59}:")


def matches(record: fields.Record) -> bool:
    """Is ``conversation`` one text that begins with somebody's name and a colon?"""
    text = record.get("conversation")
    return type(text) is str and _SPOKEN.match(text) is not None


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """One conversation. A paragraph that begins with no known speaker belongs to the message before it."""
    text = fields.require(record, "conversation", str).lstrip()
    if not text:
        raise Rejected(EMPTY_CONVERSATION, "conversation: blank text")
    names = options.samantha
    before, *pieces = _borders(names.user, names.assistant).split("\n\n" + text)
    if before:
        speaker = fields.quoted(text.split("\n", 1)[0].split(":", 1)[0])
        raise Rejected(UNKNOWN_ROLE, f"conversation: expected {names.user} or {names.assistant} first, found {speaker}")
    roles = {names.assistant: "assistant", names.user: "user"}
    pairs = zip(pieces[::2], pieces[1::2], strict=True)
    messages = [Message(roles[name], content.removesuffix("\r"), name) for name, content in pairs]
    return [fields.conversation(record, messages, fields.extras(record, _USED))]


def columns(nodes: Nodes, options: Input) -> tuple[np.ndarray, list[Part]]:
    """The records whose text begins with a known name, without a blank before it."""
    sound, found = labels.usual(nodes, "conversation")
    texts = nodes.texts(nodes.child(nodes.roots, "conversation"))
    names = options.samantha
    speakers = talk.Speaker(names.user, "user", names.user), talk.Speaker(names.assistant, "assistant", names.assistant)
    are_spoken, said = talk.spoken(texts, speakers, has_returns=True)
    return sound & are_spoken, [Part(said, found)]


@lru_cache(maxsize=16)
def _borders(user: str, assistant: str) -> re.Pattern[str]:
    # Begins with a plain character, which is searched for many times faster than a choice.
    return re.compile(rf"\n\r?\n({re.escape(user)}|{re.escape(assistant)}): ?")
