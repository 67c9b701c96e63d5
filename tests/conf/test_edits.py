import pytest
from pydantic import ValidationError

from conf.rules import Edits


def test_an_edit_is_on_where_its_key_says_something():
    assert not {"system_prompt", "persona_names", "and_or", "strip_emoji", "html_to_markdown"} & set(Edits().enabled)
    asked = Edits(
        collapse_newlines=0, persona_names={"Samantha": ""}, system_prompt={"mode": "set", "text": "Be kind."}
    )
    assert {"system_prompt", "persona_names"} < set(asked.enabled)
    assert "collapse_newlines" not in asked.enabled


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"system_prompt": {"mode": "replace", "text": " "}}, "mode replace needs a text"),
        ({"persona_names": {"Ann": "Ann Lee"}}, "the new name `Ann Lee` contains `Ann`"),
        ({"persona_names": {"Ann": "Sam", "Sam": "Ann"}}, "contains `Ann`"),
        ({"persona_names": {" ": "x"}}, "a name is empty"),
        ({"collapse_newlines": -1}, "greater than or equal to 0"),
    ],
)
def test_what_an_edit_cannot_do_is_refused(wrong, problem):
    with pytest.raises(ValidationError, match=problem):
        Edits(**wrong)
