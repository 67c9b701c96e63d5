"""How does a conversation look as tokens, and which of them are trained?"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ChatTemplate:
    """A Jinja chat template with ``{% generation %}`` markers. ``digest`` is 16 hex digits of SHA-256 of ``text``."""

    name: str
    text: str
    digest: str


class ChatError(Exception):
    """Conversations cannot be rendered as asked: what was found, what to do. ``exit_code`` is the command's."""

    exit_code = 2


def template_for(tokenizer_folder: str, name: str = "auto") -> ChatTemplate:
    """The template called ``name``: one we ship, or with ``auto`` the tokenizer's own.

    Raises ChatError if the tokenizer has none, or if it has no generation markers: nothing would be trained.
    """
    raise NotImplementedError
