"""Is the format of a file's records found, by shape or by name, and nothing seen where there is none?"""

from typing import Any

import pytest

from jobs import formats
from tests.formats.records import RECORDS

NAMES = sorted(RECORDS)


def detected(*records: dict[str, Any]) -> str:
    """The name of the format of these records, or ''."""
    found = formats.detect(records)
    return found.NAME if found else ""


def test_every_format_is_listed_once_and_has_a_record_here():
    assert sorted(form.NAME for form in formats.FORMATS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_record_is_detected_as_its_own_format(name):
    assert detected(RECORDS[name]) == name


@pytest.mark.parametrize("name", [name for name in NAMES if name != "prompt_response"])
def test_a_record_matches_no_other_particular_format(name):
    matching = [form.NAME for form in formats.FORMATS[:-1] if form.matches(RECORDS[name])]
    assert matching == [name]


UNKNOWN = {
    "no keys": {},
    "a question without answers": {"question_id": 81, "category": "writing", "turns": ["Write."]},
    "an instruction without output": {"instruction": "Add.", "instruction_type": "Math"},
    "seed tasks": {"id": "seed_0", "instruction": "Add.", "instances": [{"input": "1", "output": "2"}]},
    "plain text": {"text": "Do not think you need it."},
    "columns of other names": {"user_query": "Hi", "chatgpt_response": "Hello"},
    "a broken Alpaca record": {"instruction": None, "input": "1", "output": "2"},
    "a broken OpenOrca record": {"system_prompt": None, "question": "Hi", "response": "Hello"},
    "plain preferences": {"chosen": "yes", "rejected": "no"},
    "text without a speaker": {"conversation": "once upon a time"},
    "messages that are text": {"messages": "Hi"},
    "an empty list": {"conversations": []},
}


@pytest.mark.parametrize("record", UNKNOWN.values(), ids=UNKNOWN)
def test_a_record_of_no_known_shape_is_detected_as_none(record):
    assert formats.detect([record]) is None


def test_no_records_are_of_no_format():
    assert formats.detect([]) is None


def test_the_format_of_most_records_wins_and_the_earlier_one_on_a_tie():
    lmsys, alpaca = RECORDS["lmsys"], RECORDS["alpaca"]
    assert detected(alpaca, lmsys, alpaca, {}) == "alpaca"
    assert detected(alpaca, lmsys) == "lmsys"


def test_an_unknown_name_lists_the_names_and_the_nearest():
    with pytest.raises(ValueError, match=r"'lmsy'.*did you mean 'lmsys'.*wildchat") as caught:
        formats.named("lmsy")
    assert all(name in str(caught.value) for name in NAMES)
