"""How are the ``openai_moderation`` labels of LMSYS-Chat-1M and WildChat read into the one schema?

Each message has ``{"flagged", "categories": {name: bool}, "category_scores": {name: float}}`` (OpenAI moderation API).
"""

from typing import Any

import numpy as np

from jobs.formats import fields
from jobs.refusals import WRONG_TYPE, Rejected

KEY = "openai_moderation"

_TRUTHS = {bool, type(None)}
_SCORES = {float, int, type(None)}


def labels(record: fields.Record, messages: int) -> list[dict[str, Any]] | None:
    """One ``{"flagged", "categories": [true names], "scores": {name: float}}`` a message, or None when there are none.

    Another number of entries than of messages is WRONG_TYPE: labels must not slip to a neighbour.
    """
    entries = fields.optional(record, KEY, list)
    if not entries:
        return None
    if len(entries) != messages:
        raise Rejected(WRONG_TYPE, f"{KEY}: expected one entry for each of {messages} messages, found {len(entries)}")
    return fields.each(entries, _label, KEY)


def columns(rests: list[fields.Record] | None, messages: np.ndarray, sound: np.ndarray) -> list | None:
    """The labels of many records, taken out of what is left of them; None for none at all. A record whose labels are
    refused is no longer sound."""
    if not rests:
        return None
    found = []
    for record, (rest, count) in enumerate(zip(rests, messages.tolist(), strict=True)):
        try:
            found.append(labels(rest, count))
        except Rejected:
            sound[record] = False
            found.append(None)
        rest.pop(KEY, None)
    return found


def _label(entry: Any) -> dict[str, Any]:
    entry = fields.require_object(entry)
    categories = fields.optional(entry, "categories", dict) or {}
    if not _TRUTHS.issuperset(map(type, categories.values())):
        raise Rejected(WRONG_TYPE, "categories: expected true, false or null for every category")
    return {
        "flagged": fields.optional(entry, "flagged", bool),
        "categories": [name for name, is_true in categories.items() if is_true],
        "scores": _scores(fields.optional(entry, "category_scores", dict) or {}),
    }


def _scores(scores: dict[str, Any]) -> dict[str, float]:
    kinds = set(map(type, scores.values()))
    if kinds <= {float}:
        return scores
    if not kinds <= _SCORES:
        raise Rejected(WRONG_TYPE, "category_scores: expected a number or null for every category")
    return {name: float(score) for name, score in scores.items() if score is not None}
