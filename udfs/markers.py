"""A text in which nothing reads as a marker of a chat template, so that a chat cannot forge a turn."""

import re

from udfs.passages import SPACE

_NAMED = "s|unk|pad|bos|eos|start_of_turn|end_of_turn|start_of_image|end_of_utterance"
_BRACKETED = "INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT|SYSTEM_PROMPT|IMG|MIDDLE|PREFIX|SUFFIX|gMASK"
MARKER = (
    r"<\|[^<>|\s]+\|>"  # ChatML, Llama 3, Zephyr, Phi, GPT
    r"|<｜[^<>｜\s]+｜>"  # DeepSeek
    rf"|</?(?:{_NAMED})>"  # Llama 2, Mistral, Vicuna, Gemma
    rf"|\[/?(?:{_BRACKETED})\]|<</?SYS>>"  # Llama 2, Mistral
)
"""Special tokens by their form, not by one model's list; read alike by RE2 and by Python."""
_SPEAKER = "(?:USER|ASSISTANT):"
"""What Vicuna's template writes in front of a turn, as ordinary text."""
ESCAPE_SUSPECTS = rf"{MARKER}|\b{_SPEAKER}"
_ESCAPED = re.compile(rf"(^[ \t]{{2,}}{_SPEAKER})|{MARKER}|(?<!\w){_SPEAKER}", re.MULTILINE)
"""The group is what stays: a key ``USER:`` of indented code, which no template writes so."""
TRIM_SUSPECTS = rf"\A[{SPACE}]*(?:{MARKER})|(?:{MARKER})[{SPACE}]*\z"
_MARKER = re.compile(MARKER)


def escape_special_tokens(text: str) -> str:
    """The text with a blank before the last character of each marker: ``<|im_end| >``, ``</s >``, ``[INST ]``,
    ``USER :``.

    So it reads as before (and ``</s >`` is still HTML), but no tokenizer takes it for the special token, also in code.
    """
    while (escaped := _ESCAPED.sub(lambda found: found[1] or f"{found[0][:-1]} {found[0][-1]}", text)) != text:
        text = escaped  # a marker may hold another one; each round leaves fewer
    return text


def trim_special_tokens(text: str) -> str:
    """The text without markers at its start and end, which a model or a script left there: they are no content."""
    start, end = 0, len(text)
    spans = [found.span() for found in _MARKER.finditer(text)]
    for first, last in spans:
        if text[start:first].strip():
            break
        start = last
    for first, last in reversed(spans):
        if first < start or text[last:end].strip():
            break
        end = first
    return text[start:end].strip() if end - start < len(text) else text
