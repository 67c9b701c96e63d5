"""Which conversations are near copies of another, and how near? Planted, with the exact similarity as truth."""

import re
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import NamedTuple

from jobs.sample.conversations import MODELS, Chat, language_of, new_draw, new_id, open_topic, sentences_of
from jobs.sample.grammar import fill, pick
from jobs.sample.similarity import jaccard, tokens

NEAR = (0.7, 1.0)
"""Similarity of every planted copy."""
FAR = (0.4, 0.6)
"""Similarity of every decoy: alike, but no copy."""
_SENTENCE = re.compile(r"(?<=[.!?。！？।؟])\s*")
_TRIES = 12
Edit = Callable[[Chat, Random], str]
"""Gives the new last message."""


class Planted(NamedTuple):
    """One row of the truth: ``conversation_id`` was made from ``source_id`` by ``kind``; ``jaccard`` is exact."""

    conversation_id: str
    source_id: str
    kind: str
    jaccard: float


def plant(sources: list[Chat], count: int, is_decoy: bool, rng: Random) -> tuple[list[Chat], list[Planted]]:
    """``count`` copies (or decoys) of sources drawn with repetition. Raises ``ValueError`` if the sources are too
    short to make any."""
    copies: list[Chat] = []
    truth: list[Planted] = []
    for _ in range(count * 100):
        if len(copies) == count:
            return copies, truth
        source = pick(rng, sources)
        edit = decoy if is_decoy else pick(rng, EDITS)
        found = _within(source, edit, FAR if is_decoy else NEAR, rng)
        if found is not None:
            copies.append(found[0])
            truth.append(Planted(found[0].id, source.id, edit.__name__, found[1]))
    raise ValueError(f"made {len(copies)} of {count} near copies from {len(sources)} conversations: give longer ones")


def _within(source: Chat, edit: Edit, bounds: tuple[float, float], rng: Random) -> tuple[Chat, float] | None:
    """An edited copy whose similarity is within the bounds; an edit that changes no word is tried again."""
    for _ in range(_TRIES):
        copy = _edited(source, edit, rng)
        similarity = jaccard(source.text, copy.text)
        if bounds[0] <= similarity <= bounds[1] and (similarity < 1 or edit in SAME_WORDS):
            return copy, similarity
    return None


def _edited(source: Chat, edit: Edit, rng: Random) -> Chat:
    """The source under another id and model, its last answer edited."""
    role, _ = source.messages[-1]
    messages = [*source.messages[:-1], (role, edit(source, rng))]
    if edit is case_and_spaces:
        messages[0] = (messages[0][0], messages[0][1].upper())
    return replace(source, id=new_id(rng), model=pick(rng, MODELS), messages=messages)


def exact_copy(chat: Chat, rng: Random) -> str:
    """The same text."""
    return chat.messages[-1][1]


def case_and_spaces(chat: Chat, rng: Random) -> str:
    """Other case, doubled spaces, a space at the end."""
    text = chat.messages[-1][1]
    return (text.lower() if rng.random() < 0.5 else text.upper()).replace(". ", ".  ") + " "


def typos(chat: Chat, rng: Random) -> str:
    """One to four letters doubled, lost or swapped with the next."""
    letters = list(chat.messages[-1][1])
    for _ in range(1 + int(rng.random() * 4)):
        at = int(rng.random() * (len(letters) - 1))
        if letters[at].isalpha() and letters[at + 1].isalpha():
            pair = letters[at] + letters[at + 1]
            letters[at : at + 2] = pick(rng, (pair[::-1], pair[0] + pair, pair[1]))
    return "".join(letters)


def cut_short(chat: Chat, rng: Random) -> str:
    """The last 3 to 25 percent of the answer are missing, wherever that cuts it."""
    text = chat.messages[-1][1]
    return text[: int(len(text) * (0.75 + 0.22 * rng.random()))]


def boilerplate(chat: Chat, rng: Random) -> str:
    """A stock phrase is added after the answer."""
    language = language_of(chat)
    return f"{chat.messages[-1][1]}\n\n{fill(pick(rng, language.boilerplate), new_draw(language, rng))}"


def sentence_replaced(chat: Chat, rng: Random) -> str:
    """One sentence of the answer is another one."""
    sentences = _SENTENCE.split(chat.messages[-1][1])
    sentences[int(rng.random() * len(sentences))] = _new_sentences(chat, 1, rng)[0]
    return language_of(chat).gap.join(sentences)


EDITS = (exact_copy, case_and_spaces, typos, cut_short, boilerplate, sentence_replaced)
"""The kinds of near copy, named in the truth by these functions' names."""
SAME_WORDS = (exact_copy, case_and_spaces)


def decoy(chat: Chat, rng: Random) -> str:
    """The answer begins alike and goes on differently: as many new tokens as old ones were cut."""
    text, language = chat.messages[-1][1], language_of(chat)
    kept = text[: int(len(text) * (0.4 + 0.4 * rng.random()))]
    missing = len(tokens(text)) - len(tokens(kept))
    new = _new_sentences(chat, 8, rng)
    end = next((i for i in range(1, 8) if len(tokens(language.gap.join(new[:i]))) >= missing), 8)
    return language.gap.join([kept, *new[:end]])


def _new_sentences(chat: Chat, count: int, rng: Random) -> list[str]:
    language = language_of(chat)
    topic = next(topic for topic in language.topics if topic.name == chat.topic)
    return sentences_of(topic, open_topic(topic, language, rng), count)
