"""Which chat template turns a conversation into text, and which of that text does the assistant say?

A template needs ``{% generation %}`` markers around what the assistant says, its end token included: they are where
the mask of trained tokens comes from. Winnow ships templates with markers for five families.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, cast

from jinja2 import TemplateError
from transformers.utils.chat_template_utils import render_jinja_template

from training.errors import RunRefused

Messages = Sequence[Mapping[str, str]]
"""One conversation: ``role`` and ``content`` of each message."""

SHIPPED = ("zephyr", "chatml", "llama-3", "mistral", "vicuna")
GENERATION = re.compile(r"\{%-?\+?\s*generation\s*-?%\}")

_PROBES: tuple[Messages, ...] = (
    ({"role": "user", "content": " a "}, {"role": "assistant", "content": "b"}),
    (
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b\n"},
        {"role": "user", "content": "c"},
        {"role": "assistant", "content": "d"},
    ),
    (
        {"role": "system", "content": "s"},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
    ),
)
"""What two templates must render alike to be the same template."""


@dataclass(frozen=True)
class ChatTemplate:
    """A Jinja chat template with ``{% generation %}`` markers. ``digest`` is 16 hex digits of SHA-256 of ``text``."""

    name: str
    text: str = field(repr=False)
    digest: str


@dataclass(frozen=True)
class ChatTokenizer:
    """A tokenizer and its template as plain values, so that every process has the same one.

    ``vocabulary`` is the JSON of a ``tokenizers.Tokenizer``, new tokens included; ``special`` are the texts of its
    ``bos_token``, ``eos_token`` and so on; ``digest`` covers both.
    """

    vocabulary: str = field(repr=False)
    special: dict[str, str]
    template: ChatTemplate
    digest: str


@dataclass(frozen=True)
class Rendered:
    """One conversation as text; ``spans`` are the character ranges that the assistant says, in order."""

    text: str
    spans: list[tuple[int, int]]


def load_tokenizer(folder: str, template: str = "auto", new_tokens: Sequence[str] = ()) -> ChatTokenizer:
    """The tokenizer of a model's folder with ``new_tokens`` added, and the template it is used with.

    No code that comes with the tokenizer is run. Raises RunRefused if it cannot be read or has no template.
    """
    tokenizer = open_tokenizer(folder, new_tokens)
    special = {name: str(token) for name, token in tokenizer.special_tokens_map.items() if isinstance(token, str)}
    vocabulary = tokenizer.backend_tokenizer.to_str()
    digest = _digest(vocabulary + json.dumps(special, sort_keys=True))
    return ChatTokenizer(vocabulary, special, _chosen(tokenizer.chat_template, special, template), digest)


def open_tokenizer(folder: str, new_tokens: Sequence[str] = ()) -> Any:
    """transformers' own fast tokenizer of a model's folder, ``new_tokens`` added as special tokens.

    Raises RunRefused if the folder brings code of its own or has no tokenizer that runs without it.
    """
    refuse_code(folder, "tokenizer_config.json")
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # transformers raises many kinds for a folder that is no tokenizer
        line = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise RunRefused(f"no tokenizer can be read from {folder}: {line}. Expected a tokenizer.json there.") from error
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise RunRefused(f"the tokenizer in {folder} is not a fast one; save it with a tokenizer.json.")
    if new_tokens:
        tokenizer.add_tokens(list(new_tokens), special_tokens=True)
    return tokenizer


def new_token_ids(folder: str, tokens: list[str]) -> list[int]:
    """The ids that tokens to be added to the tokenizer in ``folder`` get; those it has already are left out."""
    if not tokens:
        return []
    known = open_tokenizer(folder).get_vocab()
    tokenizer = open_tokenizer(folder, tokens)
    return [int(tokenizer.convert_tokens_to_ids(token)) for token in tokens if token not in known]


def refuse_code(folder: str, name: str) -> None:
    """Raises RunRefused if this JSON file of a model's folder asks for Python code of its own (``auto_map``)."""
    try:
        config = json.loads((Path(folder) / name).read_bytes())
    except FileNotFoundError:
        return
    except ValueError as error:
        raise RunRefused(f"{folder}/{name} is not JSON: {error}.") from None
    if isinstance(config, dict) and config.get("auto_map"):
        found = json.dumps(config["auto_map"])[:120]
        raise RunRefused(
            f"{folder}/{name} has auto_map {found}: it asks to run Python code that came with the model, which Winnow "
            "never does. Use a model whose architecture transformers knows, without auto_map."
        )


def template_for(tokenizer_folder: str, name: str = "auto") -> ChatTemplate:
    """The template called ``name``: one we ship, or with ``auto`` the tokenizer's own.

    A tokenizer's own template without markers is replaced by the one we ship that renders the same text, if any does.
    Raises RunRefused if there is no template, or none with markers: nothing would be trained.
    """
    return load_tokenizer(tokenizer_folder, name).template


def shipped_template(name: str) -> ChatTemplate:
    """One of the templates in ``SHIPPED``."""
    text = resources.files("training").joinpath("templates", f"{name}.jinja").read_text(encoding="utf-8")
    return ChatTemplate(name, text, _digest(text))


def render(conversations: Sequence[Messages], template: str, special: Mapping[str, str]) -> list[Rendered | str]:
    """Each conversation as text, or as the reason why the template refuses it."""
    try:
        options: Any = {"chat_template": template, "return_assistant_tokens_mask": True, **special}
        made: Any = render_jinja_template(cast(Any, conversations), **options)
        return [Rendered(*pair) for pair in zip(*made, strict=True)]
    except (TemplateError, TypeError, ValueError) as error:  # what Jinja code raises on a shape it does not know
        if len(conversations) == 1:
            return [(str(error).strip() or type(error).__name__).splitlines()[0][:200]]
        return [one for conversation in conversations for one in render([conversation], template, special)]


def _chosen(own: Any, special: Mapping[str, str], name: str) -> ChatTemplate:
    if name != "auto":
        chosen = shipped_template(name)
    elif not own:
        raise RunRefused(f"the tokenizer has no chat template. Set base.template to one of {', '.join(SHIPPED)}.")
    else:
        own = own if isinstance(own, str) else own.get("default", "")
        chosen = ChatTemplate("tokenizer", own, _digest(own)) if GENERATION.search(own) else _like(own, special)
    for token in ("bos_token", "eos_token"):
        if re.search(rf"\b{token}\b", chosen.text) and not special.get(token):
            raise RunRefused(f"template {chosen.name} writes {token}, which the tokenizer lacks. Set another template.")
    return chosen


def _like(own: str, special: Mapping[str, str]) -> ChatTemplate:
    """The shipped template that renders every probe as ``own`` does, or refuses it where ``own`` refuses."""
    texts = _probe(own, special)
    for template in map(shipped_template, SHIPPED):
        if any(texts) and texts == _probe(template.text, special):
            return template
    raise RunRefused(
        "the tokenizer's chat template has no {% generation %} markers, so no token would be trained, and it renders "
        f"unlike the templates that have them. Set base.template to one of {', '.join(SHIPPED)}, or add the markers."
    )


def _probe(template: str, special: Mapping[str, str]) -> list[str | None]:
    logging.getLogger("transformers.utils.chat_template_utils").setLevel(logging.ERROR)  # says that markers are missing
    rendered = render(_PROBES, template, special)
    return [one.text if isinstance(one, Rendered) else None for one in rendered]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
