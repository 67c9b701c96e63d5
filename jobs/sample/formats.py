"""How is a conversation written in each part of the sample? One record, as a dict or a row."""

import re
from collections.abc import Callable
from typing import Any

from jobs.sample.conversations import Chat

Record = dict[str, Any]

_LAST_SENTENCE = re.compile(r"^(.+[.!?]) ([^.!?]+[.!?])$", re.DOTALL)


def sharegpt(chat: Chat) -> Record:
    """``{"id", "conversations": [{"from": "human" | "gpt", "value"}]}``."""
    names = {"user": "human", "assistant": "gpt"}
    turns = [{"from": names.get(role, role), "value": text} for role, text in chat.messages]
    return {"id": chat.id, "conversations": turns}


def messages(chat: Chat) -> Record:
    """``{"id", "messages": [{"role", "content"}], "model"}``, the persona as system message."""
    turns = [{"role": role, "content": text} for role, text in chat.messages]
    return {"id": chat.id, "messages": turns, "model": chat.model}


def samantha(chat: Chat) -> Record:
    """``{"elapsed", "conversation"}``: one text with two speakers. The seconds come from the id."""
    names = {"user": "Theodore", "assistant": "Samantha"}
    text = "\n\n".join(f"{names.get(role, role.title())}: {text}" for role, text in chat.messages)
    return {"elapsed": int(chat.id[:4], 16) / 1000, "conversation": text}


def alpaca(chat: Chat) -> Record:
    """``{"instruction", "input", "output"}``; what a prompt says before its last sentence is the input."""
    prompt, output = _pair(chat)
    split = _LAST_SENTENCE.match(prompt)
    instruction, given = (split[2], split[1]) if split else (prompt, "")
    return {"instruction": instruction, "input": given, "output": output}


def csv_row(chat: Chat) -> list[str]:
    """Prompt and response."""
    return list(_pair(chat))


def _pair(chat: Chat) -> tuple[str, str]:
    contents = [text for _, text in chat.messages]
    return (contents[0] if contents else ""), (contents[-1] if contents else "")


JSON: dict[str, Callable[[Chat], Record]] = {
    "sharegpt": sharegpt,
    "messages": messages,
    "samantha": samantha,
    "alpaca": alpaca,
}
"""The parts whose records are JSON objects."""
