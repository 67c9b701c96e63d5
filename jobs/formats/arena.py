"""Chatbot Arena battles: ``{"question_id", "model_a", "model_b", "winner", "conversation_a": [{"role", "content"}],
"conversation_b", ...}`` (lmsys/chatbot_arena_conversations; Zheng et al. 2023, arXiv:2306.05685)."""

from typing import Any

import numpy as np

from conf.settings import Input
from jobs.bytewise.nodes import Nodes
from jobs.formats import fields, labels, talk
from jobs.formats.conversation import Conversation
from jobs.formats.messages import SPEAKERS, chat, chat_extras
from jobs.formats.part import Part

NAME = "arena"

WORDS = (
    "conversation_a",
    "conversation_b",
    "model_a",
    "model_b",
    "question_id",
    "language",
    "role",
    "content",
    "winner",
)
_USED = frozenset({"conversation_a", "conversation_b", "language"})


def matches(record: fields.Record) -> bool:
    """Does the record have two models and two conversations?"""
    return (
        type(record.get("conversation_a")) is list
        and type(record.get("conversation_b")) is list
        and type(record.get("model_a")) is str
        and type(record.get("model_b")) is str
    )


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """Two conversations, one a model, with ids ``<question_id>-a`` and ``-b``; the vote is in their metadata:
    ``winner`` as received, ``side``, and ``won`` (null for a tie)."""
    metadata = fields.extras(record, _USED)
    battle = fields.lift_id(metadata, "question_id")
    return [_fought(record, side, battle, metadata) for side in "ab"]


def _fought(record: fields.Record, side: str, battle: str | None, metadata: fields.Record) -> Conversation:
    key = f"conversation_{side}"
    items = fields.require_items(record, key)
    messages = chat(items, key)
    return Conversation(
        messages=messages,
        id=f"{battle}-{side}" if battle else None,
        model=fields.require(record, f"model_{side}", str),
        language=fields.optional(record, "language", str),
        metadata={**metadata, **chat_extras(items), "side": side, "won": _has_won(side, record.get("winner"))},
    )


def columns(nodes: Nodes, options: Input) -> tuple[np.ndarray, list[Part]]:
    """The records where every message has just a role and a content."""
    reading = labels.Reading(nodes, *WORDS[:2])
    battle, language = reading.lift_id("question_id"), reading.text("language")
    models = [reading.required(f"model_{side}", is_kept=True) for side in "ab"]
    winners = nodes.texts(nodes.child(nodes.roots, "winner")).to_pylist()
    metadata = reading.rest() or [{} for _ in winners]
    parts = []
    for side, model in zip("ab", models, strict=True):
        lists = nodes.child(nodes.roots, f"conversation_{side}")
        sound, said, _ = talk.chat(nodes, lists, ("role", "content"), SPEAKERS)
        reading.sound &= sound
        vote = {winner: {"side": side, "won": _has_won(side, winner)} for winner in set(winners)}
        votes = [rest | vote[winner] for rest, winner in zip(metadata, winners, strict=True)]
        ids = labels.ended(battle, side)
        parts.append(Part(said, labels.Labels(ids, model, language, metadata=votes)))
    return reading.sound, parts


def _has_won(side: str, winner: Any) -> bool | None:
    return winner == f"model_{side}" if winner in ("model_a", "model_b") else None
