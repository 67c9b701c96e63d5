"""Which token ends an answer? The first special one that the chat template writes after it."""

from typing import Any

from conf.training import Base
from training.chat import Rendered, open_tokenizer, render, template_for
from training.errors import RunRefused

_TALK = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "END"}]


def check_end(folder: str, base: Base) -> None:
    """Raises RunRefused if no token would end an answer of what is trained with this template and this tokenizer. Of a
    template that refuses a question with an answer nothing is said: it may ask for more messages."""
    tokenizer, template = open_tokenizer(folder, base.new_tokens), template_for(folder, base.template)
    tail = _tail(tokenizer, template.text)
    if tail is not None and _end_token(tokenizer, tail) is None:
        raise RunRefused(
            f"template {template.name} ends an answer with {tail!r}, in which the tokenizer of {folder} has no special "
            "token: answers would never stop. Add the end marker to base.new_tokens, or set another base.template"
        )


def stop_tokens(tokenizer: Any) -> list[int]:
    """The token that ends an answer by the tokenizer's own template, and the tokenizer's end token, if different."""
    tail = _tail(tokenizer, tokenizer.chat_template)
    found = (_end_token(tokenizer, tail or ""), tokenizer.eos_token_id)
    return list(dict.fromkeys(token for token in found if token is not None))


def _tail(tokenizer: Any, template: str) -> str | None:
    """What the template writes after the last answer; None if it refuses a question with an answer."""
    rendered = render([_TALK], template, tokenizer.special_tokens_map)[0]
    return rendered.text.rpartition(_TALK[-1]["content"])[2] if isinstance(rendered, Rendered) else None


def _end_token(tokenizer: Any, tail: str) -> int | None:
    special = {*tokenizer.all_special_ids, *tokenizer.added_tokens_decoder}
    return next((token for token in tokenizer(tail, add_special_tokens=False)["input_ids"] if token in special), None)
