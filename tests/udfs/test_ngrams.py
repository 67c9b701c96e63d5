"""Known runs of tokens are found wherever they stand, and nothing else is."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs import ngrams

Texts = list[list[int]]
WORDS = st.lists(st.integers(1, 4), max_size=12)
SIZES = st.sampled_from([-1, 0, 1, 2, 3, 5])


def flat(texts: Texts) -> tuple[np.ndarray, np.ndarray]:
    ends = np.cumsum([0] + [len(text) for text in texts])
    return np.array([token for text in texts for token in text], np.uint64), ends


def runs_of(text: list[int], size: int) -> set[tuple]:
    if size < 0:
        return {("whole", *text)} if text else set()
    return {tuple(text[at : at + size]) for at in range(len(text) - size + 1)} if size else set()


def slow(known: set[tuple], groups: list[Texts], whole: int) -> list[tuple[int, tuple]]:
    """The same by Python's own tuples: (token, run) of everything known."""
    found, first = [], 0
    for texts in groups:
        joined = [token for text in texts for token in text]
        for run in known:
            if run[0] != "whole":
                spots = range(len(joined) - len(run) + 1)
                found += [(first + at, run) for at in spots if tuple(joined[at : at + len(run)]) == run]
        for text in texts:
            if text and len(text) <= whole and ("whole", *text) in known:
                found.append((first, ("whole", *text)))
            first += len(text)
    return sorted(found, key=repr)


@given(st.lists(st.tuples(WORDS, SIZES), max_size=6), st.lists(st.lists(WORDS, max_size=4), max_size=5))
def test_find_gives_what_comparing_tuples_gives(known: list[tuple[list[int], int]], groups: list[Texts]) -> None:
    sizes = np.array([size for _, size in known], np.int64)
    values, owners = ngrams.runs(*flat([text for text, _ in known]), sizes)
    named: dict[int, tuple] = {}
    for text, size in known:
        one, _ = ngrams.runs(*flat([text]), np.array([size]))
        ordered = [("whole", *text)] if size < 0 else [tuple(text[at : at + size]) for at in range(len(one))]
        named.update(zip(one.tolist(), ordered, strict=False))
    keys = ngrams.index(values, sizes[sizes > 0], whole=5)
    tokens, ends = flat([text for texts in groups for text in texts])
    offsets = np.cumsum([0] + [len(texts) for texts in groups])
    places, slots = ngrams.find(tokens, ends, offsets, keys)
    found = [
        (place, named[int(keys.values[slot])]) for place, slot in zip(places.tolist(), slots.tolist(), strict=True)
    ]
    wanted = {run for text, size in known for run in runs_of(text, size)}
    assert sorted(found, key=repr) == slow(wanted, groups, whole=5)
    assert len(values) == len(owners)


def test_a_run_and_a_whole_text_of_the_same_tokens_have_different_hashes() -> None:
    tokens, ends = flat([[1, 2, 3], [1, 2, 3]])
    values, owners = ngrams.runs(tokens, ends, np.array([3, -1]))
    assert owners.tolist() == [0, 1] and values[0] != values[1]


def test_more_matches_than_any_first_guess_of_room_are_all_found() -> None:
    tokens, ends = flat([[7] * 5_000])
    keys = ngrams.index(*ngrams.runs(*flat([[7, 7]]), np.array([2]))[:1], np.array([2]), whole=0)
    places, _ = ngrams.find(tokens, ends, np.array([0, 1]), keys)
    assert places.tolist() == list(range(4_999))


def test_an_index_of_nothing_finds_nothing() -> None:
    keys = ngrams.index(np.empty(0, np.uint64), np.empty(0, np.int64), whole=7)
    places, slots = ngrams.find(*flat([[1, 2], [3]]), np.array([0, 2]), keys)
    assert len(places) == len(slots) == 0


@given(st.integers(0, 300))
def test_every_key_of_an_index_of_any_size_is_found(count: int) -> None:
    tokens = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    values, _ = ngrams.runs(tokens, np.arange(count + 1), np.ones(count, np.int64))
    keys = ngrams.index(values, np.array([1]), whole=0)
    places, slots = ngrams.find(tokens, np.arange(count + 1), np.arange(count + 1), keys)
    assert places.tolist() == list(range(count)) and sorted(slots.tolist()) == list(range(count))
