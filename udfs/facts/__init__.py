"""What is true of a conversation: all facts, in the order in which they are given as reasons.

A new fact is a function beside its kind (``udfs.facts.structure`` ...), a line here, a key in the recipe.
"""

from collections.abc import Collection

import numpy as np

from udfs.batch import Batch, Fact, Limits
from udfs.facts import agreement, context, failures, gibberish, identity, lengths, repetition, structure

FACTS: tuple[Fact, ...] = (
    Fact("blank_message", structure.blank_message),
    Fact("bad_roles", structure.bad_roles),
    Fact("unanswered", structure.unanswered),
    Fact("serving_error", failures.serving_error),
    Fact("unfinished_answer", failures.unfinished_answer),
    Fact("too_short", lengths.too_short),
    Fact("too_long", lengths.too_long),
    Fact("repetition", repetition.repetition),
    Fact("gibberish", gibberish.gibberish),
    Fact("ai_disclaimer", identity.ai_disclaimer),
    Fact("knowledge_cutoff", identity.knowledge_cutoff),
    Fact("vendor_name", identity.vendor_name),
    Fact("company_reference", identity.company_reference),
    Fact("claims_human", identity.claims_human),
    Fact("needs_context", context.needs_context),
    Fact("answer_language_differs", agreement.answer_language_differs),
)


def judge(batch: Batch, enabled: Collection[str], limits: Limits) -> dict[str, np.ndarray]:
    """For each enabled fact the conversations it holds for (booleans), in the order of :data:`FACTS`."""
    known = {fact.name for fact in FACTS}
    if unknown := sorted(set(enabled) - known):
        raise ValueError(f"no fact is called {', '.join(unknown)}; expected some of {', '.join(sorted(known))}")
    return {fact.name: fact.holds(batch, limits) for fact in FACTS if fact.name in enabled}
