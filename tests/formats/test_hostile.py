"""Does any JSON-like record become conversations in the one schema or a refusal by reason, and nothing else?"""

import copy
import json
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf.settings import Input, MtBench, Oasst
from jobs import formats
from jobs.formats.conversation import ROLES, Conversation
from jobs.refusals import Rejected
from tests.formats.records import QUESTIONS, RECORDS

KEYS = sorted(
    {"messages", "conversations", "role", "content", "from", "value", "name", "tool_calls", "type", "text", "system"}
    | {"chosen", "rejected", "history", "response", "rank", "flagged", "turns"}
    | {key for record in RECORDS.values() for key in record}
)
TEXTS = st.one_of(st.sampled_from(["user", "gpt", "prompter", "text", "", "\n\nHuman: x", "Theodore: x"]), st.text())
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text()), inner, max_size=4)
    ),
    max_leaves=8,
)
RANDOM = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """A well-formed record of some format with one to three values, at any depth, replaced, removed or added."""
    record = copy.deepcopy(draw(st.sampled_from(list(RECORDS.values()))))
    for _ in range(draw(st.integers(1, 3))):
        place: Any = record
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = draw(st.sampled_from([*keys, draw(st.sampled_from(KEYS))] if isinstance(place, dict) else keys))
            inner = place[key] if key in keys else None
            if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
                break
            place = inner
        if draw(st.booleans()) and key in keys and len(place) > 1:
            del place[key]
        else:
            place[key] = draw(VALUES)
    return record


def check(conversation: Conversation) -> None:
    assert conversation.messages
    for message in conversation.messages:
        assert message.role in ROLES and type(message.content) is str
        assert message.name is None or type(message.name) is str
        assert message.language is None or type(message.language) is str
        assert message.toxic is None or type(message.toxic) is bool
    for text in (conversation.id, conversation.model, conversation.language):
        assert text is None or type(text) is str
    assert conversation.redacted is None or type(conversation.redacted) is bool
    for label in conversation.moderation or []:
        assert type(label["flagged"]) in (bool, type(None)) and set(map(type, label["categories"])) <= {str}
        assert set(map(type, label["scores"].values())) <= {float}
    assert conversation.metadata is None or json.dumps(conversation.metadata, allow_nan=False)


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[Input]:
    """Default options and others, with questions for MT-Bench."""
    questions = tmp_path_factory.mktemp("hostile") / "question.jsonl"
    questions.write_text(QUESTIONS)
    known = MtBench(questions=str(questions))
    return [Input(mt_bench=known), Input(mt_bench=known, oasst=Oasst(paths="best"))]


@pytest.mark.parametrize("form", formats.FORMATS, ids=lambda form: form.NAME)
@given(record=st.one_of(damaged(), RANDOM))
def test_any_record_becomes_conversations_or_is_refused(form: ModuleType, options: list[Input], record: dict[str, Any]):
    before = copy.deepcopy(record)
    assert form.matches(record) in (True, False)
    for chosen in options:
        try:
            found = form.conversations(record, chosen, "folder/in.jsonl")
        except Rejected as refused:
            assert refused.reason and refused.detail
        else:
            assert found
            for conversation in found:
                check(conversation)
    assert repr(record) == repr(before)


@given(records=st.lists(st.one_of(damaged(), RANDOM), max_size=4))
def test_the_detected_format_matches_at_least_one_record(records: list[dict[str, Any]]):
    found = formats.detect(records)
    matching = {form.NAME: sum(map(form.matches, records)) for form in formats.FORMATS}
    assert max(matching.values()) == (matching[found.NAME] if found else 0)
