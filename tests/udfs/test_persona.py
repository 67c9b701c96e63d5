import pytest

from udfs import persona
from udfs.repair import Options, SystemPrompt

NAMES = Options(names=(("Samantha", ""), ("Theodore", "Sam")))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Hey Samantha, how are you?", "Hey, how are you?"),
        ("hello, SAMANTHA!", "hello!"),
        ("Good morning Samantha", "Good morning"),
        ("What do you think, Samantha?", "What do you think?"),
        ("You know, Samantha, I think so.", "You know, I think so."),
        ("Samantha, can you help?", "Can you help?"),
        ("Sure. Samantha, it's late", "Sure. It's late"),
        ("Hey, Samantha, Samantha, you there?", "Hey, you there?"),
        ("Привет, Samantha!", "Привет!"),
        ("Theodore's cat. I am Theodore", "Sam's cat. I am Sam"),
    ],
)
def test_a_name_goes_where_somebody_is_called_by_it_or_gets_its_new_name(before, after):
    repair = persona.persona_names(NAMES)
    assert repair.apply(before) == after
    assert repair.apply(after) == after


@pytest.mark.parametrize(
    "kept",
    [
        "I'm Samantha.",
        "Samantha and I left.",
        "Samantha, who is my sister, left.",
        "Anna, Samantha, and Bob",
        "my friend, Samantha, is here",
        "Dr. Samantha, you called?",
        "`Hey Samantha, x`",
        "Samanthas, Samantha?",
        "Theodores",
    ],
)
def test_a_name_that_is_told_of_stays(kept):
    assert persona.persona_names(NAMES).apply(kept) == kept


def test_names_that_would_be_renamed_for_ever_are_refused():
    with pytest.raises(ValueError, match="the new name 'Ann Lee' contains 'Ann', which is renamed itself"):
        persona.persona_names(Options(names=(("Ann", "Ann Lee"),)))


def test_system_messages_are_kept_or_replaced():
    for mode, after in (("keep", "You are X."), ("replace", "Be kind."), ("set", "Be kind.")):
        repair = persona.system_prompt(Options(system=SystemPrompt(mode, "Be kind.")))
        assert repair.apply("You are X.") == after


@pytest.mark.parametrize(
    ("before", "is_same"),
    [
        ("YOU'RE A HELPFUL ASSISTANT", True),
        ("You are an AI assistant. You follow instructions extremely well; help as much as you can.", True),
        ("You are not a helpful assistant.", False),
        ("You are a helpful, honest assistant.", False),
        ("You are an AI assistant that follows instructions extremely well. Help Bob as much as you can.", False),
        ("", False),
    ],
)
def test_paraphrases_of_one_instruction_become_one_text(before, is_same):
    like = ("You are an AI assistant that follows instructions extremely well. Help as much as you can.",)
    text = "You are a helpful assistant."
    repair = persona.system_prompt(Options(system=SystemPrompt("normalise", text, like)))
    assert repair.apply(before) == (text if is_same else before)
    assert repair.apply(text) == text
