"""Which parts of a message are code, that edits of prose must leave alone?"""

import re
from collections.abc import Callable

SPACE = "\t-\r\x1c-\x20\x85\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What ``str.strip`` takes off, for a character class."""
_FENCED = r"```.*?(?:```|\Z)|^~~~.*?(?:^~~~|\Z)"
CODE = rf"(?:{_FENCED}|`[^`\n]+`)"
"""A code block (to its end or the text's) or code in a line; to be compiled with :data:`FLAGS`."""
FLAGS = re.DOTALL | re.MULTILINE
_CODE = re.compile(f"({CODE})", FLAGS)  # the only group: every second piece of a split is code
_BLOCK = re.compile(f"({_FENCED})", FLAGS)


def edit_prose(text: str, edit: Callable[[str], str]) -> str:
    """The text with ``edit`` applied to each stretch between code blocks and code in a line."""
    return _edit_between(text, _CODE, edit) if "`" in text or "~~~" in text else edit(text)


def edit_lines(text: str, edit: Callable[[str], str]) -> str:
    """The text with ``edit`` applied to each stretch between code blocks; code in a line belongs to its line."""
    return _edit_between(text, _BLOCK, edit) if "```" in text or "~~~" in text else edit(text)


def prose(text: str) -> str:
    """The text without its code, a blank in the place of each."""
    return " ".join(_CODE.split(text)[::2]) if "`" in text or "~~~" in text else text


def _edit_between(text: str, code: re.Pattern[str], edit: Callable[[str], str]) -> str:
    pieces = code.split(text)
    pieces[::2] = map(edit, pieces[::2])
    return "".join(pieces)
