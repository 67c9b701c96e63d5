"""A text without what the page around the chat wrote into it when it was copied: button labels, counters, headers."""

import re

from udfs import passages

_BUTTONS = (
    r"Copy code|Copy code to clipboard|Regenerate response|Stop generating|Continue generating|Regenerate|Retry"
    r"|Copy\d+ chars / \d+ words|Was this response better or worse\?|BetterWorseSame|Memory updated"
    r"|Was this response better or worse\?BetterWorseSame|Share Prompt|Upgrade to Plus"
    r"|Free Research Preview\..{0,200}|ChatGPT can make mistakes\..{0,80}|ChatGPT may produce inaccurate.{0,120}"
)
_SPEAKER = r"(?:ChatGPT(?: said)?|You said|Claude said|Gemini said|Copilot said|Bard said):"
_LANGUAGE = (
    "(?:python|javascript|typescript|java|c|cpp|csharp|c#|c\\+\\+|go|rust|ruby|php|sql|html|css|scss|bash|sh|shell|json"
    "|yaml|xml|markdown|vbnet|vba|kotlin|swift|scala|perl|lua|matlab|latex|powershell|dart|jsx|tsx|less|makefile|r)"
)
_COUNTER = "[0-9]{1,3} / [0-9]{1,3}"
UI_JUNK_SUSPECTS = (
    rf"(?m)^[ \t]*(?:{_BUTTONS})[ \t]*$|Copy code"
    rf"|\A[ \t\n]*{_SPEAKER}[ \t]*$|\A[ \t\n]*{_COUNTER}[ \t]*$"
)
_LINES = re.compile(rf"^(?:[ \t]*{_LANGUAGE}[ \t]*\n?Copy code|[ \t]*(?:{_BUTTONS}))[ \t]*(?:\n|\Z)", re.MULTILINE)
_FENCE = re.compile(r"^([ \t]*```[ \t]*)\n?([\w+#.-]*?)\n?(?:(?:Copy code)+[ \t]*\n)+", re.MULTILINE)
_FIRST_LINE = re.compile(rf"\A(?:[ \t\n]*+(?:{_SPEAKER}|{_COUNTER})[ \t]*\n(?=\s*+[^\W\d]))++")


def ui_junk(text: str) -> str:
    """The text without lines that are labels of a chat page and nothing else ("Regenerate response", "ChatGPT said:"),
    the counter ("1 / 2") above it, and "Copy code" in the header of a code block.

    Code itself stays, and so do these words within a sentence. A text of labels alone becomes an empty one.
    """
    while (cleared := _clear(text)) != text:  # a line that is gone uncovers another first one
        text = cleared
    return text


def _clear(text: str) -> str:
    if "Copy code" in text:
        text = _FENCE.sub(r"\1\2\n", text)
    return _FIRST_LINE.sub("", passages.edit_lines(text, lambda piece: _LINES.sub("", piece)))
