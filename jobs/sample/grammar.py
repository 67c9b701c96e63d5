"""How does a template become a text?

A template is a sentence with slots in braces. ``{dish}`` draws anew from the bank ``dish`` at every use, never the
same word twice in a row; ``{DISH}`` is drawn once a conversation and then stays, so that an answer speaks of what the
question asked. A digit makes another slot of the same bank (``{PERSON}``, ``{PERSON2}``). Words of a bank may hold
slots themselves. Any other brace is text.
"""

import re
from collections.abc import Sequence
from functools import cache
from random import Random
from typing import NamedTuple, TypeVar

Banks = dict[str, tuple[str, ...]]
T = TypeVar("T")

_SLOT = re.compile(r"\{([A-Za-z_]+\d?)\}")


class Topic(NamedTuple):
    """What people ask about one thing, and sentences that answer it in any number and order.

    ``style``: ``free`` (prose or a list, opening and closing sentence optional), ``framed`` (an opening, prose and a
    closing: letters, code), or ``short`` (one sentence of the body and nothing else). ``cases`` bind several slots
    together, so that a task meets its own solution.
    """

    name: str
    prompts: tuple[str, ...]
    body: tuple[str, ...]
    openers: tuple[str, ...] = ()
    closers: tuple[str, ...] = ()
    style: str = "free"
    cases: tuple[dict[str, str], ...] = ({},)


class Language(NamedTuple):
    """Everything said in one language. ``gap`` stands between sentences; the rest are templates by their use."""

    name: str
    gap: str
    banks: Banks
    topics: tuple[Topic, ...]
    follow_ups: tuple[str, ...]
    personas: tuple[str, ...]
    disclaimers: tuple[str, ...]
    risky: tuple[str, ...]
    refusals: tuple[str, ...]
    contacts: tuple[str, ...]
    boilerplate: tuple[str, ...]


class Draw(NamedTuple):
    """One conversation's source of words: its banks, the slots bound so far, and the one random generator."""

    banks: Banks
    bound: dict[str, str]
    rng: Random


def words(block: str) -> tuple[str, ...]:
    """The words of a bank, written with ``|`` between them, on as many lines as needed."""
    return tuple(word.strip() for word in block.split("|"))


def lines(block: str) -> tuple[str, ...]:
    """The templates of a block, one a line; empty lines are left out."""
    return tuple(line.strip() for line in block.splitlines() if line.strip())


def pick(rng: Random, items: Sequence[T]) -> T:
    """One of the items, each as likely as the next."""
    return items[int(rng.random() * len(items))]


def fill(template: str, draw: Draw) -> str:
    """The template with every slot filled and a capital first. Raises ``KeyError`` for a slot without a bank."""
    text = _filled(template, draw)
    return text[:1].upper() + text[1:]


def _filled(template: str, draw: Draw) -> str:
    pieces = _pieces(template)
    if len(pieces) == 1:
        return template
    filled = list(pieces)
    for i in range(1, len(pieces), 2):
        filled[i] = _value(pieces[i], draw)
    return "".join(filled)


@cache
def _pieces(template: str) -> tuple[str, ...]:
    """Text, slot, text, slot, ..., text."""
    return tuple(_SLOT.split(template))


def _value(slot: str, draw: Draw) -> str:
    fixed = slot[0].isupper()
    if fixed and slot in draw.bound:
        return draw.bound[slot]
    bank = slot.lower().rstrip("0123456789")
    choices = draw.banks[bank]
    word = pick(draw.rng, choices)
    while word == draw.bound.get(bank) and len(choices) > 1:
        word = pick(draw.rng, choices)
    draw.bound[bank] = word
    text = _filled(word, draw)
    if fixed:
        draw.bound[slot] = text
    return text
