"""What happens to a chat on its way to being a near copy? Edits to plant, so that finding them can be measured.

Each takes the messages of a conversation, those of another one, and a random number generator, and gives new messages.
They know no language: words are what stands between spaces, and characters where there are hardly any spaces.
"""

from collections.abc import Callable, Sequence
from functools import partial
from random import Random

Messages = list[str]
Edit = Callable[[Messages, Messages, Random], Messages]

_WORD = 12
"""More characters a piece than this between spaces: the text has no words, its characters are taken."""


def case_and_space(messages: Messages, _other: Messages, _random: Random) -> Messages:
    """Upper and lower case exchanged, spaces doubled."""
    return [text.swapcase().replace(" ", "  ") for text in messages]


def characters(messages: Messages, _other: Messages, random: Random, share: float) -> Messages:
    """This share of the letters replaced by other letters of the same message."""
    return [_replaced(list(text), share, random, "", str.isalpha) for text in messages]


def tokens(messages: Messages, _other: Messages, random: Random, share: float) -> Messages:
    """This share of the words replaced by other words of the same message."""
    return [_replaced(*_pieces(text, share, random)) for text in messages]


def truncated(messages: Messages, _other: Messages, _random: Random, share: float) -> Messages:
    """The last message without this share of it, cut off at the end."""
    return [*messages[:-1], messages[-1][: int(len(messages[-1]) * (1 - share))]]


def appended(messages: Messages, other: Messages, _random: Random, share: float) -> Messages:
    """The last message with the beginning of another conversation's behind it, as much as this share of the whole."""
    extra = other[-1][: int(sum(map(len, messages)) * share)]
    return [*messages[:-1], f"{messages[-1]} {extra}"]


def continued(messages: Messages, other: Messages, _random: Random) -> Messages:
    """The conversation goes on with the first two messages of another."""
    return [*messages, *other[:2]]


EDITS: dict[str, Edit] = {
    "case and space": case_and_space,
    "characters 1 %": partial(characters, share=0.01),
    "tokens 3 %": partial(tokens, share=0.03),
    "tokens 6 %": partial(tokens, share=0.06),
    "last message cut by half": partial(truncated, share=0.5),
    "text appended, 20 %": partial(appended, share=0.2),
    "continued": continued,
}
"""The edits by the names they are reported under."""


def _pieces(text: str, share: float, random: Random) -> tuple[list[str], float, Random, str]:
    words = text.split(" ")
    return (words, share, random, " ") if len(text) <= _WORD * len(words) else (list(text), share, random, "")


def _replaced(
    pieces: Sequence[str], share: float, random: Random, space: str, is_wanted: Callable[[str], bool] = bool
) -> str:
    places = [place for place, piece in enumerate(pieces) if is_wanted(piece)]
    chosen = random.sample(places, round(len(places) * share))
    changed = list(pieces)
    for place in chosen:
        changed[place] = pieces[random.choice(places)]
    return space.join(changed)
