"""What does one conversation say? A language, a topic, turns of question and answer, all drawn from one generator."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from jobs.sample.figures import sums
from jobs.sample.grammar import Draw, Language, Topic, fill, pick
from jobs.sample.languages import SHARES

MODELS = (
    *("heron-7b", "heron-13b-chat", "basalt-13b", "basalt-33b", "juniper-12b-chat", "kestrel-6b", "tamarind-7b"),
    *("lantern-3b", "quillon-40b", "orchard-1", "saltmarsh-13b", "windrose-30b", "ember-v2", "larkspur-11b"),
)
"""Invented names."""

TURNS = (1,) * 62 + (2,) * 16 + (3,) * 9 + (4,) * 5 + (5,) * 3 + (6,) * 2 + (7, 8)
REDACTED = "NAME_1"
"""Stands for a person's name in redacted conversations, as in LMSYS-Chat-1M."""

Message = tuple[str, str]
"""Role (system, user or assistant) and content."""


@dataclass(slots=True)
class Chat:
    """One conversation. ``home`` is the part of the sample it is written to; ``fault`` is '' when none was planted."""

    id: str
    home: str
    model: str
    language: str
    topic: str
    messages: list[Message]
    fault: str = ""

    @property
    def text(self) -> str:
        """All contents, one after the other."""
        return "\n".join(content for _, content in self.messages)


def new_id(rng: Random) -> str:
    """32 hexadecimal digits."""
    return f"{rng.getrandbits(128):032x}"


def language_of(chat: Chat) -> Language:
    """The words of the chat's language."""
    return SHARES[chat.language][0]


def new_draw(language: Language, rng: Random) -> Draw:
    """A fresh source of words, its sums already worked out."""
    return Draw(language.banks, sums(rng), rng)


def open_topic(topic: Topic, language: Language, rng: Random) -> Draw:
    """A source of words in which one case of the topic is the only word of its banks."""
    case = {slot.lower(): (value,) for slot, value in pick(rng, topic.cases).items()}
    return Draw(language.banks | case, sums(rng), rng)


def compose(home: str, rng: Random) -> Chat:
    """A conversation for one part of the sample: one turn in pairs, a persona first in ``messages``."""
    language = SHARES["English"][0] if home == "samantha" else draw_language(rng)
    topic = pick(rng, [topic for topic in language.topics if home != "messages" or topic.style != "short"])
    turns = 1 if home in ("alpaca", "csv") or topic.style == "short" else pick(rng, TURNS)
    draw = open_topic(topic, language, rng)
    if home == "lmsys" and rng.random() < 0.03:
        draw.bound["PERSON"] = REDACTED
    opening = [("system", fill(pick(rng, language.personas), draw))] if home == "messages" else []
    prompt = fill(pick(rng, topic.prompts), draw)
    messages = opening + _exchange(prompt, turns, topic, language, draw)
    return Chat(new_id(rng), home, pick(rng, MODELS), language.name, topic.name, messages)


def compose_group(size: int, rng: Random) -> Iterator[Chat]:
    """``size`` models that answer the same first message, each in its own words."""
    language = draw_language(rng)
    topic = pick(rng, [topic for topic in language.topics if topic.style == "free"])
    draw = open_topic(topic, language, rng)
    prompt = fill(pick(rng, topic.prompts), draw)
    for model in rng.sample(MODELS, size):
        own = Draw(draw.banks, dict(draw.bound), rng)
        turns = pick(rng, (1, 1, 1, 2))
        messages = _exchange(prompt, turns, topic, language, own)
        yield Chat(new_id(rng), "lmsys", model, language.name, topic.name, messages)


def answer(topic: Topic, language: Language, draw: Draw, count: int) -> str:
    """A whole answer of about ``count`` sentences, in the topic's style."""
    if topic.style == "short":
        return fill(pick(draw.rng, topic.body), draw)
    sentences = sentences_of(topic, draw, count)
    if topic.style == "framed":
        opener, closer = (fill(pick(draw.rng, templates), draw) for templates in (topic.openers, topic.closers))
        return "\n\n".join((opener, language.gap.join(sentences), closer))
    if draw.rng.random() < 0.4:
        sentences.append(fill(pick(draw.rng, topic.closers), draw))
    text = _arranged(sentences, language.gap, draw.rng)
    return f"{fill(pick(draw.rng, topic.openers), draw)}\n\n{text}" if draw.rng.random() < 0.6 else text


def sentences_of(topic: Topic, draw: Draw, count: int) -> list[str]:
    """Up to ``count`` sentences of the body, each template once; framed topics keep their order."""
    order = draw.rng.sample(range(len(topic.body)), min(count, len(topic.body)))
    return [fill(topic.body[i], draw) for i in (sorted(order) if topic.style == "framed" else order)]


def draw_language(rng: Random) -> Language:
    """A language, as often as its share says."""
    at = rng.random()
    for language, share in SHARES.values():
        at -= share
        if at < 0:
            return language
    return SHARES["English"][0]


def _exchange(prompt: str, turns: int, topic: Topic, language: Language, draw: Draw) -> list[Message]:
    count = 3 + int(draw.rng.random() ** 1.5 * 11)
    messages = [("user", prompt), ("assistant", answer(topic, language, draw, count))]
    for _ in range(turns - 1):
        messages.append(("user", fill(pick(draw.rng, language.follow_ups), draw)))
        sentences = sentences_of(topic, draw, 1 + int(draw.rng.random() * 5))
        messages.append(("assistant", _arranged(sentences, language.gap, draw.rng)))
    return messages


def _arranged(sentences: list[str], gap: str, rng: Random) -> str:
    """Prose, paragraphs, a numbered list or bullets."""
    at = rng.random()
    if at < 0.5 or len(sentences) < 3:
        return gap.join(sentences)
    if at < 0.7:
        return "\n\n".join(gap.join(sentences[i : i + 3]) for i in range(0, len(sentences), 3))
    if at < 0.9:
        return "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, 1))
    return "\n".join(f"- {sentence}" for sentence in sentences)
