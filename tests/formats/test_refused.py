"""Is what cannot be read refused by the right reason, with the place and what was found?"""

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from conf.settings import Input, MtBench
from jobs import formats, refusals
from jobs.formats import fields
from jobs.refusals import Rejected
from tests.formats.records import CHAT, QUESTIONS, RECORDS


class Refused(NamedTuple):
    """A record, the format asked to read it, and the reason and words of its refusal."""

    name: str
    record: dict[str, Any]
    reason: str
    words: str


def refusal(name: str, record: dict[str, Any], file: str = "in.jsonl", **options: Any) -> Rejected:
    with pytest.raises(Rejected) as caught:
        formats.named(name).conversations(record, Input(**options), file)
    return caught.value


def message(**parts: Any) -> dict[str, Any]:
    """A record whose second message has these keys."""
    return {"messages": [CHAT[0], {"role": "user", **parts}]}


def labelled(*entries: Any) -> dict[str, Any]:
    """An LMSYS record of two messages with these moderation entries."""
    return {"conversation": CHAT, "openai_moderation": list(entries)}


MISSING = [
    Refused("lmsys", {"conversation_id": "c"}, refusals.MISSING_FIELD, "conversation: missing; the keys are conv"),
    Refused("arena", {"conversation_a": CHAT, "conversation_b": CHAT}, refusals.MISSING_FIELD, "model_a"),
    Refused("messages", {"messages": [{"content": "x"}]}, refusals.MISSING_FIELD, "messages[0].role: missing"),
    Refused("messages", message(), refusals.MISSING_FIELD, "messages[1].content: missing; the keys are role"),
    Refused("sharegpt", {}, refusals.MISSING_FIELD, "conversations: missing; the keys are none"),
    Refused("openorca", {"question": "Hi"}, refusals.MISSING_FIELD, "response"),
    Refused("alpaca", {"instruction": "x"}, refusals.MISSING_FIELD, "output"),
    Refused("hh_rlhf", {"chosen": "\n\nHuman: x"}, refusals.MISSING_FIELD, "rejected"),
    Refused("samantha", {}, refusals.MISSING_FIELD, "conversation"),
    Refused("oasst", {"message_tree_id": "t"}, refusals.MISSING_FIELD, "prompt"),
    Refused("mt_bench", {"choices": []}, refusals.MISSING_FIELD, "question_id"),
    Refused("prompt_response", {"answer": "x"}, refusals.MISSING_FIELD, "input.columns.prompt"),
]

WRONG = [
    Refused(
        "lmsys", {"conversation": CHAT, "redacted": "no"}, refusals.WRONG_TYPE, "expected a boolean, found the str"
    ),
    Refused("lmsys", labelled({}), refusals.WRONG_TYPE, "one entry for each of 2 messages, found 1"),
    Refused("lmsys", labelled({}, {"categories": {"a": "no"}}), refusals.WRONG_TYPE, "openai_moderation[1].categories"),
    Refused("lmsys", labelled({"category_scores": {"a": "0"}}, {}), refusals.WRONG_TYPE, "[0].category_scores"),
    Refused("lmsys", labelled({"flagged": 1}, {}), refusals.WRONG_TYPE, "openai_moderation[0].flagged"),
    Refused("wildchat", {"conversation": [{**CHAT[0], "toxic": 1}]}, refusals.WRONG_TYPE, "conversation[0].toxic"),
    Refused("messages", {"messages": [{"role": 1, "content": "x"}]}, refusals.WRONG_TYPE, "found a number 1"),
    Refused("messages", {"messages": ["Hi"]}, refusals.WRONG_TYPE, "messages[0]: expected an object, found the string"),
    Refused(
        "messages", message(content=5), refusals.WRONG_TYPE, "messages[1].content: expected a string, found a numb"
    ),
    Refused("messages", message(content=None), refusals.WRONG_TYPE, "found null"),
    Refused("messages", message(content={"text": "x"}), refusals.WRONG_TYPE, "found an object with the keys text"),
    Refused(
        "messages", message(content=[{"type": "image_url"}]), refusals.WRONG_TYPE, "[0].type: expected 'text', fou"
    ),
    Refused("messages", message(content="x", name=[]), refusals.WRONG_TYPE, "messages[1].name"),
    Refused("sharegpt", {"conversations": [{"from": "gpt", "value": [1, 2]}]}, refusals.WRONG_TYPE, "an array of 2"),
    Refused(
        "sharegpt",
        {**RECORDS["sharegpt"], "chosen": {"from": "gpt", "value": "x"}, "rejected": "no"},
        refusals.WRONG_TYPE,
        "rejected: expected an object",
    ),
    Refused("samantha", {"conversation": []}, refusals.WRONG_TYPE, "expected a string, found an array of 0"),
    Refused("oasst", {"prompt": {"text": "x", "role": "user", "replies": "y"}}, refusals.WRONG_TYPE, "replies"),
    Refused("alpaca", {"instruction": "x", "output": "y", "history": [["a"]]}, refusals.WRONG_TYPE, "history[0]: exp"),
    Refused("prompt_response", {"prompt": None, "answer": "x"}, refusals.WRONG_TYPE, "prompt"),
]

EMPTY = [
    Refused("lmsys", {"conversation": []}, refusals.EMPTY_CONVERSATION, "conversation: an empty array"),
    Refused("arena", {**RECORDS["arena"], "conversation_b": []}, refusals.EMPTY_CONVERSATION, "conversation_b"),
    Refused("messages", {"messages": []}, refusals.EMPTY_CONVERSATION, "messages"),
    Refused("sharegpt", {"conversations": []}, refusals.EMPTY_CONVERSATION, "conversations"),
    Refused("samantha", {"conversation": " \n"}, refusals.EMPTY_CONVERSATION, "blank text"),
    Refused("hh_rlhf", {"chosen": "\n", "rejected": "x"}, refusals.EMPTY_CONVERSATION, "chosen: blank text"),
]

UNKNOWN = [
    Refused(
        "messages", {"messages": [{"role": "boss", "content": "x"}]}, refusals.UNKNOWN_ROLE, "speaker 'boss'; known"
    ),
    Refused(
        "sharegpt", {"conversations": [{"from": "Narrator"}]}, refusals.UNKNOWN_ROLE, "conversations[0].from: unkn"
    ),
    Refused("samantha", {"conversation": "Amy: Hi"}, refusals.UNKNOWN_ROLE, "Theodore or Samantha first, found 'Amy'"),
    Refused("hh_rlhf", {"chosen": "Hi", "rejected": "Hi"}, refusals.UNKNOWN_ROLE, "chosen: expected 'Human:'"),
    Refused(
        "oasst", {"prompt": {"message_id": "m", "role": "bot"}}, refusals.UNKNOWN_ROLE, "message 'm': role: unknown"
    ),
    Refused("mt_bench", RECORDS["mt_bench"], refusals.UNKNOWN_QUESTION, "set input.mt_bench.questions"),
]


@pytest.mark.parametrize("case", MISSING + WRONG + EMPTY + UNKNOWN, ids=lambda case: f"{case.name}-{case.words[:30]}")
def test_a_record_is_refused_with_its_reason_and_place(case: Refused, tmp_path: Path):
    refused = refusal(case.name, case.record, str(tmp_path / "a" / "b" / "c" / "in.jsonl"))
    assert refused.reason == case.reason and case.words in refused.detail


def test_a_long_unknown_role_is_cut_in_the_error():
    refused = refusal("messages", {"messages": [{"role": "x" * 10_000, "content": ""}]})
    assert repr("x" * 39 + "…") in refused.detail and len(refused.detail) < 300


def test_mt_bench_names_the_question_file_that_lacks_the_question(tmp_path: Path):
    questions = tmp_path / "question.jsonl"
    questions.write_text(QUESTIONS)
    refused = refusal("mt_bench", {**RECORDS["mt_bench"], "question_id": 82}, str(tmp_path / "a.jsonl"))
    assert refused.reason == refusals.UNKNOWN_QUESTION
    assert "'82' is not among the 1 questions, digest " in refused.detail and f", of {questions}" in refused.detail


@pytest.mark.parametrize(
    "turns, reason",
    [(["1", "2", "3"], refusals.WRONG_TYPE), ([], refusals.EMPTY_CONVERSATION), ([1], refusals.WRONG_TYPE)],
)
def test_mt_bench_refuses_turns_the_question_does_not_have(tmp_path: Path, turns: list[Any], reason: str):
    (tmp_path / "q.jsonl").write_text(QUESTIONS)
    record = {**RECORDS["mt_bench"], "choices": [{"turns": turns}]}
    refused = refusal("mt_bench", record, mt_bench=MtBench(questions=str(tmp_path / "q.jsonl")))
    assert refused.reason == reason and "choices[0].turns" in refused.detail


def test_mt_bench_refuses_an_answer_to_a_question_without_turns(tmp_path: Path):
    (tmp_path / "question.jsonl").write_text('{"question_id": 81, "turns": []}')
    refused = refusal("mt_bench", RECORDS["mt_bench"], str(tmp_path / "a.jsonl"))
    assert refused.reason == refusals.EMPTY_CONVERSATION


def test_a_tree_whose_paths_repeat_too_much_text_is_refused():
    replies = [{"text": "", "role": "assistant"} for _ in range(50)]
    tree = {"message_tree_id": "t", "prompt": {"text": "x" * 100, "role": "prompter", "replies": replies}}
    assert refusal("oasst", tree, max_record_bytes=1_000).reason == refusals.TOO_LARGE
    assert len(formats.named("oasst").conversations(tree, Input(max_record_bytes=6_000), "f")) == 50


def test_metadata_nested_too_deep_is_refused():
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert refusal("messages", {"messages": CHAT, "extra": deep}).reason == refusals.TOO_DEEP


PLAIN = [
    (datetime.datetime(2024, 1, 2, 3, 4, 5), "2024-01-02T03:04:05"),
    (datetime.date(2024, 1, 2), "2024-01-02"),
    (datetime.time(3, 4), "03:04:00"),
    (Decimal("1.50"), "1.50"),
    (b"\xffa", "\\xffa"),
    (2**64, "18446744073709551616"),
    (2**63, 2**63),
    (float("nan"), None),
    (float("-inf"), None),
    (np.float32(0.5), 0.5),
    (np.array([[1, 2]]), [[1, 2]]),
    ((True, None, "x"), [True, None, "x"]),
    ({1: {"a": 1.5}}, {"1": {"a": 1.5}}),
]


@pytest.mark.parametrize("value, expected", PLAIN, ids=[str(value) for value, _ in PLAIN])
def test_any_value_becomes_what_json_can_hold(value: Any, expected: Any):
    found = fields.plain(value)
    assert found == expected and type(found) is type(expected)
