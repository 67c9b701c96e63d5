"""A text without emoji, and nothing else missing."""

import re

from udfs import passages

_PICTURES = (
    "\U0001f004\U0001f0cf\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a"
    "\U0001f201\U0001f202\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f250\U0001f251"
    "\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f7e0-\U0001f7eb\U0001f7f0\U0001f900-\U0001f9ff\U0001fa70-\U0001faff"
    "⌚⌛⏩-⏬⏰⏳◽◾☔☕♈-♓♿⚓⚡⚪⚫⚽⚾⛄⛅⛎⛔⛪⛲⛳⛵⛺⛽✅✊✋✨❌❎❓-❕❗➕-➗➰➿⬛⬜⭐⭕☹☺❤❣"
)
"""Characters that are shown as pictures by themselves (Emoji_Presentation, UTS #51), the whole blocks of pictographs,
and four hearts and faces that chats mean as emoji without a variation selector."""
_FLAG_LETTERS = "\U0001f1e6-\U0001f1ff"
_SIGNS = "©®‼⁉™ℹ↔-↙↩↪⌨⏏⏭-⏯⏱⏲⏸-⏺Ⓜ▪▫▶◀◻◼☀-☄☎☑☘☝☠☢☣☦☪☮☯☸♀♂♟♠♣♥♦♨♻♾⚒⚔-⚗⚙⚛⚜⚠⚧⚰⚱⛈⛏⛑⛓⛩⛰⛱⛴⛷-⛹✂✈✉✌✍✏✒✔✖✝✡✳✴❄❇➡⤴⤵⬅-⬇〰〽㊗㊙"
"""Characters that are text unless a variation selector asks for the picture."""
STRIP_EMOJI_SUSPECTS = f"[{_PICTURES}{_FLAG_LETTERS}]|[{_SIGNS}]\ufe0f|[0-9#*]\ufe0f?\u20e3"

_SKIN = "[\U0001f3fb-\U0001f3ff]"
_ONE = (
    f"(?:[0-9#*]\ufe0f?\u20e3|[{_FLAG_LETTERS}]{{1,2}}"
    f"|(?:[{_SIGNS}]\ufe0f|[☝⛹✌✍](?={_SKIN})|[{_PICTURES}](?!\ufe0e))\ufe0f*+{_SKIN}?[\U000e0020-\U000e007f]*+)"
)
_EMOJI = f"{_ONE}\ufe0f*+(?:\u200d(?:{_ONE}|[{_SIGNS}{_PICTURES}])\ufe0f*+)*+"
_RUN = re.compile(
    f"{passages.CODE}|(?<! )(?P<left> *+)(?:{_EMOJI})(?:(?: |\u200d)*+(?:{_EMOJI}))*+(?P<right> *)", passages.FLAGS
)
_CLINGING = ".,;:!?)]}…。，、！？；：）"
_SPACELESS = "\u2e80"
"""From here on scripts put no blanks between words."""


def strip_emoji(text: str) -> str:
    """The text without emoji: sequences joined to one picture, flags, keycaps and skin tones are each one emoji.

    Letters, digits, ``©`` and ``™`` as text (without the selector U+FE0F), joiners of scripts and code stay. Between
    words stays one blank, none at the end of a line or before punctuation.
    """
    while (stripped := _RUN.sub(_gap, text)) != text:  # what an emoji kept apart may make another one
        text = stripped
    return text


def _gap(found: re.Match[str]) -> str:
    """What stays in the place of a run of emoji: the blanks in front of it or behind it."""
    if found["left"] is None:
        return found[0]  # code
    text, start, end = found.string, found.start(), found.end()
    if end == len(text) or text[end] == "\n" or text[end] in _CLINGING:
        return ""
    if start == 0 or text[start - 1] == "\n":
        return found["left"]
    is_joining = text[start - 1].isalnum() and text[end].isalnum() and max(text[start - 1], text[end]) < _SPACELESS
    return found["left"] or found["right"] or " " * is_joining
