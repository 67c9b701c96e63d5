"""OpenOrca rows: ``{"id", "system_prompt", "question", "response"}`` (Mukherjee et al. 2023, arXiv:2306.02707)."""

import numpy as np

from conf.settings import Input
from jobs.bytewise.nodes import Nodes
from jobs.formats import fields, labels, talk
from jobs.formats.conversation import Conversation, Message
from jobs.formats.part import Part

NAME = "openorca"

WORDS = ("question", "response", *labels.USUAL)
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
    return [fields.conversation(record, messages, fields.extras(record, _USED))]


def columns(nodes: Nodes, options: Input) -> tuple[np.ndarray, list[Part]]:
    """The records whose values are of their types."""
    sound, found = labels.usual(nodes, *_USED)
    system, question, response = (nodes.child(nodes.roots, word) for word in ("system_prompt", *WORDS[:2]))
    sound &= nodes.is_nothing(system) | nodes.is_string(system)
    sound &= nodes.is_string(question) & nodes.is_string(response)
    turns = [("system", talk.unless_empty(nodes, system)), ("user", question), ("assistant", response)]
    return sound, [Part(talk.said(nodes, turns), found)]
