"""Anthropic HH-RLHF pairs: ``{"chosen": "\\n\\nHuman: ...\\n\\nAssistant: ...", "rejected": "..."}`` (Bai et al. 2022,
arXiv:2204.05862)."""

import re

import numpy as np

from conf.settings import Input
from jobs.bytewise.nodes import Nodes
from jobs.formats import fields, labels, talk
from jobs.formats.conversation import Conversation, Message
from jobs.formats.part import Part
from jobs.refusals import EMPTY_CONVERSATION, UNKNOWN_ROLE, Rejected

NAME = "hh_rlhf"

WORDS = ("chosen", "rejected", *labels.USUAL)
_USED = frozenset({"chosen", "rejected"})
_FIRST = re.compile(r"\n*(?:Human|Assistant):")
_BORDERS = re.compile(r"\n\n(Human|Assistant): ?")
_SPEAKERS = {"Human": ("user", "Human"), "Assistant": ("assistant", None)}


_MARKS = talk.Speaker("Human", *_SPEAKERS["Human"]), talk.Speaker("Assistant", *_SPEAKERS["Assistant"])


def matches(record: fields.Record) -> bool:
    """Are ``chosen`` and ``rejected`` both texts that begin with a speaker?"""
    chosen, rejected = record.get("chosen"), record.get("rejected")
    return bool(type(chosen) is str and type(rejected) is str and _FIRST.match(chosen) and _FIRST.match(rejected))


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """Two conversations, chosen and rejected. Only ``Human:`` or ``Assistant:`` after a blank line begins a message."""
    base = fields.conversation(record, [], fields.extras(record, _USED))
    return fields.preferred(base, _messages(record, "chosen"), _messages(record, "rejected"))


def columns(nodes: Nodes, options: Input) -> tuple[np.ndarray, list[Part]]:
    """The records whose texts both begin with a speaker."""
    sound, found = labels.usual(nodes, *_USED)
    parts = []
    for ending in ("chosen", "rejected"):
        texts = nodes.texts(nodes.child(nodes.roots, ending))
        are_spoken, said = talk.spoken(texts, _MARKS, has_returns=False)
        sound &= are_spoken
        parts.append(Part(said, labels.preferred(found, ending, len(texts))))
    return sound, parts


def _messages(record: fields.Record, key: str) -> list[Message]:
    text = fields.require(record, key, str)
    if not text.strip():
        raise Rejected(EMPTY_CONVERSATION, f"{key}: blank text")
    before, *pieces = _BORDERS.split("\n\n" + text.lstrip("\n"))
    if before:
        raise Rejected(UNKNOWN_ROLE, f"{key}: expected 'Human:' or 'Assistant:' first, found {fields.quoted(before)}")
    pairs = zip(pieces[::2], pieces[1::2], strict=True)
    return [Message(role, content, kept) for (role, kept), content in ((_SPEAKERS[n], c) for n, c in pairs)]
