import pytest

from udfs.emoji import strip_emoji


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Hi 😀 there", "Hi there"),
        ("😀 Hi 😀!", "Hi!"),
        ("👩\u200d👩\u200d👧 family, 👨\u200d⚕️ doctor, 🧑🏻\u200d❤️\u200d💋\u200d🧑🏿 kiss", "family, doctor, kiss"),
        ("a👍🏽b", "a b"),
        ("你好👋世界", "你好世界"),
        ("🇩🇪🇫🇷 and 🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "and"),
        ("1️⃣ Step, #️⃣ tag", "Step, tag"),
        ("❤️ ☀️ ☝🏽 ™️", ""),
        ("a 😀\nb\n- 😀 c", "a\nb\n- c"),
    ],
)
def test_every_kind_of_emoji_goes_with_its_blank(before, after):
    assert strip_emoji(before) == after


@pytest.mark.parametrize(
    "kept",
    [
        "2 + 3 = 5 # 1 * 4",
        "© 2023 Acme™ ®",
        "✓ ✔ ★ → ♥ ☀ ☺︎",
        "می\u200cخواهم",
        "`😀` and\n```\nprint('😀')\n```",
        "中文。 한국어",
    ],
)
def test_text_and_code_stay(kept):
    assert strip_emoji(kept) == kept
