"""Are the texts whole, in their languages, and different from one another?"""

import re
import unicodedata
from collections import Counter
from dataclasses import replace
from itertools import chain
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.sample.conversations import compose, new_draw, open_topic
from jobs.sample.figures import sums
from jobs.sample.grammar import Language, fill
from jobs.sample.languages import SHARES
from jobs.sample.similarity import grams, jaccard

SCRIPTS = {
    "English": "LATIN",
    "Spanish": "LATIN",
    "German": "LATIN",
    "French": "LATIN",
    "Russian": "CYRILLIC",
    "Chinese": "CJK",
    "Arabic": "ARABIC",
    "Hindi": "DEVANAGARI",
}


def _letters(text: str) -> Counter[str]:
    return Counter(unicodedata.name(letter).split()[0] for letter in text if letter.isalpha())


def _phrases(language: Language) -> list[str]:
    """Every template outside the topics."""
    return [
        *language.follow_ups,
        *language.personas,
        *language.disclaimers,
        *language.risky,
        *language.refusals,
        *language.boilerplate,
    ]


@pytest.mark.parametrize("name", SHARES)
def test_every_template_can_be_filled_to_the_last_slot(name: str):
    language, rng = SHARES[name][0], Random(1)
    texts = [fill(template, new_draw(language, rng)) for template in _phrases(language)]
    for topic in language.topics:
        for case in topic.cases:
            draw = open_topic(topic._replace(cases=(case,)), language, rng)
            texts += [fill(t, draw) for t in (*topic.prompts, *topic.body, *topic.openers, *topic.closers)]
    assert not [text for text in texts if re.search(r"\{\w+\}", text)]
    assert all(texts)


@pytest.mark.parametrize("name", SHARES)
def test_a_language_is_written_in_its_script(name: str):
    language = SHARES[name][0]
    letters = _letters(" ".join(fill(template, new_draw(language, Random(2))) for template in _phrases(language)))
    assert letters[SCRIPTS[name]] / letters.total() > 0.97


def test_shares_sum_to_one_and_english_has_sixty_percent():
    assert sum(share for _, share in SHARES.values()) == pytest.approx(1.0)
    assert SHARES["English"][1] == 0.60


def test_all_languages_and_all_lengths_occur():
    rng = Random(4)
    chats = [compose("lmsys", rng) for _ in range(1_000)]
    assert {chat.language for chat in chats} == set(SHARES)
    assert {1, 2, 8} <= {sum(role == "user" for role, _ in chat.messages) for chat in chats}
    words = sorted(len(chat.messages[1][1].split()) for chat in chats if chat.language == "English")
    assert words[0] == 1
    assert 60 < words[len(words) // 2] < 150


@given(st.integers(0, 2**32))
def test_sums_come_out_right(seed: int):
    numbers = {name: int(number) for name, number in sums(Random(seed)).items()}
    assert numbers["COUNT"] * numbers["PRICE"] == numbers["TOTAL"]
    assert numbers["PAID"] - numbers["TOTAL"] == numbers["CHANGE"] > 0
    assert numbers["A"] + numbers["B"] == numbers["SUM"]
    assert numbers["A"] - numbers["B"] == numbers["DIFF"] > 0


def test_no_two_independent_conversations_are_half_alike():
    rng = Random(5)
    texts = [compose("lmsys", rng).text for _ in range(1_500)]
    sets = [grams(text) for text in texts]
    found = Counter(chain.from_iterable(sets))
    shared = [frozenset(gram for gram in one if found[gram] > 1) for one in sets]
    # Half alike means that a third of both texts' grams are shared, so at least a third of each also occurs elsewhere.
    suspects = [i for i, one in enumerate(sets) if len(shared[i]) >= len(one) / 3]
    pairs = ((i, j) for n, i in enumerate(suspects) for j in suspects[:n] if not shared[i].isdisjoint(shared[j]))
    alike = [(texts[i], texts[j]) for i, j in pairs if len(sets[i] & sets[j]) >= 0.5 * len(sets[i] | sets[j])]
    assert not alike


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("one two three four five six", "One two, three four FIVE six!", 1.0),
        ("one two three four five", "one two three four six", 0.0),
        ("one two three four five six", "one two three four five seven", 1 / 3),
        ("two words", "two words", 1.0),
        ("", "", 1.0),
        ("", "word", 0.0),
        ("今天天气好吗", "今天天气好呀", 1 / 3),
        ("मैं {} के बारे में", "मैं के बारे में", 1.0),
        ("cafe\u0301 a b c d", "caf\u00e9 a b c d", 1.0),
    ],
)
def test_jaccard_is_of_five_tokens_in_a_row(a: str, b: str, expected: float):
    assert jaccard(a, b) == pytest.approx(expected)


def test_a_chat_composed_twice_from_one_seed_is_the_same():
    first, second = (compose("messages", Random(6)) for _ in range(2))
    assert replace(first) == second
