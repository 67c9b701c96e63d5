import pytest

from tests.udfs.chats import holds

POEM = (
    "The moon is far away from the earth, and yet its pull moves every sea. Sailors knew this long before anyone could "
    "say why: they watched the tide come in, counted hours, and wrote small tables for their harbours."
)


@pytest.mark.parametrize(
    "text",
    [
        "I do not know what to say about it. " * 10,
        "no " * 40,
        "我不知道该说什么。" * 10,
        "Line one of it\n" * 20,
        "Well " + "a" * 200,
        "Well " + "哈" * 200,
        POEM + " the the the" * 60,
    ],
)
def test_a_loop_is_repetition(text):
    assert holds("repetition", "u:speak please", f"a:{text}")
    assert holds("repetition", f"u:{text}", "a:Stop it please.")


@pytest.mark.parametrize(
    "text", [POEM, POEM + "\n" + "-" * 300, "ha ha ha ha", "", "| a | b |\n|---|---|\n" + " " * 500]
)
def test_text_rules_and_short_chants_are_not(text):
    assert not holds("repetition", "u:speak please", f"a:{text}")
