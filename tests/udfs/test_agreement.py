import numpy as np
import pyarrow as pa
import pytest

from udfs.batch import Limits, batch_of
from udfs.facts.agreement import answer_language_differs

ASKS = "Please tell me what a good breakfast for a small child is made of."
ANSWERS = "Ein gutes Frühstück für ein kleines Kind besteht aus Brot und Obst."


def differs(*messages):
    """``messages``: conversations of (role, text, language)."""
    flat = [each for conversation in messages for each in conversation]
    roles, contents, codes = (pa.array([each[part] for each in flat], pa.string()) for part in range(3))
    offsets = np.cumsum([0, *map(len, messages)])
    return answer_language_differs(batch_of(roles, contents, offsets, codes), Limits()).tolist()


def test_an_answer_in_another_language_differs():
    assert differs([("user", ASKS, "en"), ("assistant", ANSWERS, "de")]) == [True]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ((ASKS, "en"), (ASKS, "en")),
        ((ASKS, "und"), (ANSWERS, "de")),
        ((ASKS, "en"), ("Ja, gern!", "de")),
        (("Why?", "en"), (ANSWERS, "de")),
        ((ASKS + " Translate it.", "en"), (ANSWERS, "de")),
        ((ASKS + " Answer in German.", "en"), (ANSWERS, "de")),
        ((ASKS, "da"), (ANSWERS, "no")),
    ],
)
def test_what_is_short_unsure_near_or_asked_for_does_not_differ(question, answer):
    assert differs([("user", *question), ("assistant", *answer)]) == [False]


def test_only_an_answer_to_the_message_before_it_in_the_same_conversation_counts():
    assert differs([], [("user", ASKS, "en")], [("assistant", ANSWERS, "de")], []) == [False] * 4
    assert differs([("assistant", ANSWERS, "de"), ("user", ASKS, "en")]) == [False]
    assert differs([("system", ASKS, "en"), ("assistant", ANSWERS, "de")]) == [False]
    assert differs() == []
