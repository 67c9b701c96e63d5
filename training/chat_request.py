"""Which chat requests of OpenAI's clients are answered? Those that ask for nothing that would be left unread."""

import json
import re
from math import inf
from typing import Any

UNREAD: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "presence_penalty": (0,),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "reasoning_effort": ("none",),
    "verbosity": ("medium",),
    "audio": (),
    "moderation": (),
    "web_search_options": (),
    "generation_config": (),  # transformers' own: it would take the place of what ends an answer,
    "chat_template_kwargs": ({},),  # and this may bring a template, which is a program
}
"""Fields that nothing here reads, and the values that ask for nothing; null is always one."""

BOUNDS = {
    "temperature": (0.0, inf),
    "top_p": (0.0, 1.0),
    "frequency_penalty": (-0.9, 2.0),
    "max_tokens": (1, inf),
    "max_completion_tokens": (1, inf),
}
"""The least and the most of a number; outside of these the answer would break off in the middle."""

ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
"""What a message's role is to the model: one of those that conversations are trained with."""

TOOLS = ("tool_calls", "function_call", "tool_call_id")

_SURROGATE = re.compile("[\ud800-\udfff]")


class RequestRefused(ValueError):
    """Why a request gets no answer; ``field`` is the one it is about."""

    def __init__(self, field: str, reason: str):
        super().__init__(f"{field}: {reason}")
        self.field = field


def answerable(body: dict[str, Any]) -> dict[str, Any]:
    """The request without all that asks for nothing. Raises RequestRefused where more is asked than is read."""
    asked = {field: value for field, value in body.items() if value is not None}
    for field, neutral in UNREAD.items():
        if field in asked and asked.pop(field) not in neutral:
            only = " or ".join(map(json.dumps, neutral)) or "nothing"
            raise RequestRefused(field, f"expected {only}, found {_shown(body[field])}: it would be left unread")
    for field, (least, most) in BOUNDS.items():
        value = asked.get(field, least)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            bounds = f"of at least {least}" if most == inf else f"from {least} to {most}"
            raise RequestRefused(field, f"expected a number {bounds}, found {_shown(value)}")
    asked |= {**_stop(asked.pop("stop", [])), **_bias(asked.pop("logit_bias", {}))}
    messages = asked.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RequestRefused("messages", f"expected a list of messages, found {_shown(messages)}")
    return {**asked, "messages": [_message(f"messages[{number}]", one) for number, one in enumerate(messages)]}


def _stop(stop: Any) -> dict[str, Any]:
    """``stop`` as transformers takes it, which stumbles over none."""
    texts = [stop] if isinstance(stop, str) else stop
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise RequestRefused("stop", f"expected a text or a list of texts, found {_shown(stop)}")
    texts = [text for text in texts if text]
    return {"stop": texts} if texts else {}


def _bias(bias: Any) -> dict[str, Any]:
    """``logit_bias`` as transformers takes it: no whole numbers, and not none."""
    try:
        weights = {str(int(token)): float(weight) for token, weight in bias.items()}
    except (AttributeError, TypeError, ValueError):
        raise RequestRefused("logit_bias", f"expected a number by token number, found {_shown(bias)}") from None
    return {"logit_bias": weights} if weights else {}


def _message(place: str, message: Any) -> dict[str, Any]:
    """A message of text. One with an empty list of tool calls would lose its text on the way."""
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        raise RequestRefused(place, f"expected a role and a content, found {_shown(message)}")
    if message["role"] not in ROLES:
        found = _shown(message["role"])
        raise RequestRefused(f"{place}.role", f"expected system, developer, user or assistant, found {found}")
    for field in TOOLS:
        if message.get(field):
            raise RequestRefused(f"{place}.{field}", "expected none: there are no tools here")
    content = message.get("content")
    for number, part in enumerate(content if isinstance(content, list) else ()):
        kind = part.get("type") if isinstance(part, dict) else part
        if kind != "text" or not isinstance(part.get("text"), str):
            raise RequestRefused(f"{place}.content[{number}]", f"expected text, found {_shown(kind)}")
    if not isinstance(content, str | list | None):
        raise RequestRefused(f"{place}.content", f"expected text, found {_shown(content)}")
    if _SURROGATE.search(json.dumps(content, ensure_ascii=False)):
        raise RequestRefused(f"{place}.content", "expected Unicode text, found one half of a surrogate pair")
    kept = {name: value for name, value in message.items() if value is not None and name not in TOOLS}
    return {**kept, "role": ROLES[message["role"]]}


def leave_room(positions: int | None, prompt: int, longest: int) -> int:
    """How many tokens an answer of at most ``longest`` may have behind a prompt of so many.

    Raises RequestRefused if none.
    """
    if positions is None:
        return longest
    if prompt >= positions:
        raise RequestRefused("messages", f"expected fewer tokens than the model's {positions:,}, found {prompt:,}")
    return min(longest, positions - prompt)


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)[:100]
