"""What is wrong with a conversation that can be read all the same? One function a fault, named in the truth by it.

Each takes a chat and gives its messages with the fault in them, or None when this chat cannot have it.
"""

import re
from collections.abc import Callable
from random import Random

from jobs.sample import companies
from jobs.sample.conversations import Chat, Message, language_of, new_draw
from jobs.sample.grammar import fill, pick

EMOJI = ("😀", "🎉", "👍🏽", "🔥", "❤️", "🤔", "🙏", "✨", "👩‍🍳", "🇵🇹", "🚀", "😂")
_AFTER_SENTENCE = re.compile(r"(?<=[.!?。！？।؟])(?=\s|$)|(?<=[。！？])")
Messages = list[Message] | None


def blank_prompt(chat: Chat, rng: Random) -> Messages:
    """The first question is empty, or nothing but spaces."""
    return [("user", pick(rng, ("", " ", "\n\n", "\t ", "\u00a0\u00a0"))), *_without_system(chat)[1:]]


def same_role_twice(chat: Chat, rng: Random) -> Messages:
    """A second question before the answer, or the answer given in two messages."""
    first, second, *rest = _without_system(chat)
    if rng.random() < 0.5:
        return [first, ("user", _say("follow_ups", chat, rng)), second, *rest]
    return [first, second, ("assistant", _say("boilerplate", chat, rng)), *rest]


def ends_with_user(chat: Chat, rng: Random) -> Messages:
    """The last question has no answer."""
    return [*chat.messages, ("user", _say("follow_ups", chat, rng))]


def disclaimer(chat: Chat, rng: Random) -> Messages:
    """The answer begins with what it is that answers."""
    return _answers(chat, f"{_say('disclaimers', chat, rng)} {chat.messages[-1][1]}")


def refusal(chat: Chat, rng: Random) -> Messages:
    """At the end, a question that should not be answered, and is not."""
    draw = new_draw(language_of(chat), rng)
    prompt = fill(pick(rng, language_of(chat).risky), draw)
    return [*chat.messages, ("user", prompt), ("assistant", fill(pick(rng, language_of(chat).refusals), draw))]


def template_prompt(chat: Chat, rng: Random) -> Messages:
    """One prompt with a new company every time."""
    return companies.introduction(rng) if chat.language == "English" else None


def mojibake(chat: Chat, rng: Random) -> Messages:
    """UTF-8 read as Windows-1252, where every byte has a meaning there."""
    try:
        broken = [(role, _curly(text).encode().decode("cp1252")) for role, text in chat.messages]
    except UnicodeDecodeError:
        return None
    return broken if broken != chat.messages else None


def curly_quotes(chat: Chat, rng: Random) -> Messages:
    """Typographic apostrophes and quotation marks."""
    curly = [(role, _curly(text)) for role, text in chat.messages]
    return curly if curly != chat.messages else None


def literal_escape(chat: Chat, rng: Random) -> Messages:
    """An apostrophe as the six characters of its JSON escape."""
    escaped = [(role, text.replace("'", "\\u2019")) for role, text in chat.messages]
    return escaped if escaped != chat.messages else None


def emoji(chat: Chat, rng: Random) -> Messages:
    """An emoji or two after most sentences."""
    text = _AFTER_SENTENCE.sub(lambda _: f" {pick(rng, EMOJI)}" * int(rng.random() * 3), chat.messages[-1][1])
    return _answers(chat, f"{text} {pick(rng, EMOJI)}")


def newline_runs(chat: Chat, rng: Random) -> Messages:
    """Four to twelve line breaks in a row."""
    run = "\n" * (4 + int(rng.random() * 9))
    return _answers(chat, _AFTER_SENTENCE.sub(lambda _: run if rng.random() < 0.3 else "", chat.messages[-1][1]) + run)


def contact_details(chat: Chat, rng: Random) -> Messages:
    """An e-mail address, telephone number or IP address, all from the ranges reserved for examples."""
    draw = new_draw(language_of(chat), rng)
    name = pick(rng, ("ana.reyes", "t.holm", "marek77", "li_wen", "info", "j.okafor", "dina-h", "sam.w"))
    draw.bound["EMAIL"] = f"{name}{int(rng.random() * 900)}@example.org"
    draw.bound["PHONE"] = f"+1-{pick(rng, ('202', '312', '415', '617'))}-555-01{int(rng.random() * 100):02d}"
    draw.bound["IP"] = f"192.0.2.{1 + int(rng.random() * 254)}"
    sentence = fill(pick(rng, language_of(chat).contacts), draw)
    messages = list(chat.messages)
    at = int(rng.random() * len(messages))
    messages[at] = (messages[at][0], f"{messages[at][1]} {sentence}")
    return messages


SHARES = {
    disclaimer: 0.010,
    template_prompt: 0.010,
    contact_details: 0.006,
    refusal: 0.006,
    mojibake: 0.005,
    curly_quotes: 0.005,
    emoji: 0.005,
    blank_prompt: 0.003,
    newline_runs: 0.003,
    literal_escape: 0.003,
    same_role_twice: 0.003,
    ends_with_user: 0.003,
}
"""Share of all conversations that get each fault."""
NEEDS_MESSAGES = (blank_prompt, refusal, same_role_twice, ends_with_user)
"""Faults that a prompt with one answer cannot show."""
TERSE = ("quick", "sums")
"""Topics left sound: a stock phrase in them would make strangers alike."""


def plant(chats: list[Chat], total: int, rng: Random) -> int:
    """Puts faults into the chats, in place, in order, until each has its share of ``total``. Returns how many."""
    waiting = [fault for fault, share in SHARES.items() for _ in range(max(1, round(share * total)))]
    rng.shuffle(waiting)
    planted = 0
    for chat in (chat for chat in chats if chat.topic not in TERSE):
        for i, fault in enumerate(waiting[:8]):
            messages = _tried(fault, chat, rng)
            if messages is not None:
                chat.messages, chat.fault = messages, fault.__name__
                del waiting[i]
                planted += 1
                break
    return planted


def _tried(fault: Callable[[Chat, Random], Messages], chat: Chat, rng: Random) -> Messages:
    if fault in NEEDS_MESSAGES and chat.home not in ("lmsys", "sharegpt", "messages"):
        return None
    return fault(chat, rng)


def _without_system(chat: Chat) -> list[Message]:
    return [message for message in chat.messages if message[0] != "system"]


def _answers(chat: Chat, last: str) -> list[Message]:
    return [*chat.messages[:-1], ("assistant", last)]


def _say(what: str, chat: Chat, rng: Random) -> str:
    language = language_of(chat)
    return fill(pick(rng, getattr(language, what)), new_draw(language, rng))


def _curly(text: str) -> str:
    text = re.sub(r'"([^"\n]*)"', "\u201c\\1\u201d", text)
    return text.replace("'", "\u2019")
