import pytest

from udfs.leftovers import ui_junk


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1 / 2\nHello", "Hello"),
        ("ChatGPT said:\nHi\n\nRegenerate response", "Hi\n\n"),
        ("```python\nCopy code\nx = 1\n```", "```python\nx = 1\n```"),
        ("```\npythonCopy code\nx\n```", "```python\nx\n```"),
        ("So:\npython \nCopy code\nx = 1", "So:\nx = 1"),
        ("pythonCopy code\nx", "x"),
        ("Regenerate response", ""),
    ],
)
def test_labels_of_the_page_go(before, after):
    assert ui_junk(before) == after


@pytest.mark.parametrize(
    "kept",
    [
        "1 / 2",
        "1 / 2\n= 0.5",
        "You said: hi",
        "Click Copy code to copy.",
        "```\nRegenerate response\n```",
        "Retry it\npython\nx",
    ],
)
def test_the_same_words_as_text_stay(kept):
    assert ui_junk(kept) == kept
