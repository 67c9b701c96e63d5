"""What is true of a conversation: all facts, in the order in which they are given as reasons.

A new fact is a function beside its kind (``udfs.structure`` ...), a line here, a key in the recipe.
"""

from collections.abc import Collection

import numpy as np

from udfs import agreement, structure
from udfs.batch import Batch, Fact, Limits

FACTS: tuple[Fact, ...] = (
    Fact("blank_message", structure.blank_message),
    Fact("bad_roles", structure.bad_roles),
    Fact("unanswered", structure.unanswered),
    Fact("answer_language_differs", agreement.answer_language_differs),
)


def judge(batch: Batch, enabled: Collection[str], limits: Limits) -> dict[str, np.ndarray]:
    """For each enabled fact the conversations it holds for (booleans), in the order of :data:`FACTS`."""
    known = {fact.name for fact in FACTS}
    if unknown := sorted(set(enabled) - known):
        raise ValueError(f"no fact is called {', '.join(unknown)}; expected some of {', '.join(sorted(known))}")
    return {fact.name: fact.holds(batch, limits) for fact in FACTS if fact.name in enabled}
