"""Which prompts are one text but for a slot: the hashes that are counted, the pairs that are tried, the form told."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.dedup import blocks, templates
from udfs.dedup.templates import LENGTHS, Shape

SHAPE = Shape(min_fixed=4, min_coverage=0.65)


def ends(*texts: str | None) -> templates.Ends:
    return templates.ends(pa.array(texts, pa.string()))


def pairs(texts: list[str], least: int = 2, shape: Shape = SHAPE) -> dict[str, list[tuple[int, int, int, float]]]:
    """The pairs of each text when those beginnings and ends are frequent that ``least`` of the texts have."""
    batch = pa.record_batch({"key": pa.array([text.encode() for text in texts]), "prompt": pa.array(texts)})
    (counted,) = blocks.totals(templates.count([batch], 1), least)
    hashes = counted["key"].to_numpy().view(np.uint64)
    order = np.argsort(hashes)
    frequent = hashes[order], counted["count"].to_numpy()[order]
    found: dict[str, list[tuple[int, int, int, float]]] = {}
    for row in next(templates.pair([batch], frequent, shape)).to_pylist():
        kept = tuple(row[name] for name in ("prefix", "suffix", "fixed", "coverage"))
        found.setdefault(row["key"].decode(), []).append(kept)
    return found


def shared(*texts: str, shape: Shape = SHAPE) -> set[tuple[int, int]]:
    """The templates that all the texts have."""
    found = pairs(list(texts), len(texts), shape)
    return set.intersection(*({pair[:2] for pair in found.get(text, [])} for text in texts))


@pytest.mark.parametrize(
    "texts",
    [
        ("what is 37+48?", "what is 12+5?"),
        ("Write an introduction of 200 words for Acme", "write an introduction of 200 words for: Gold Mines Ltd"),
        ("请为公司写一篇两百字的介绍：青山矿业", "请为公司写一篇两百字的介绍：大海航运"),
        ("ช่วยเขียนบทความเกี่ยวกับแมว", "ช่วยเขียนบทความเกี่ยวกับหมา"),
        ("Wie heißt die Hauptstadt von Polen", "wie heißt die Hauptstadt von Ungarn?"),
        ("Translate cat into the French language please", "Translate house into the French language, please!"),
    ],
)
def test_prompts_that_differ_in_a_slot_or_in_numbers_share_a_template(texts: tuple[str, str]):
    assert shared(*texts)


@pytest.mark.parametrize(
    "texts",
    [
        ("か", "が"),
        ("กิน", "กัน"),
        ("मैं", "मे"),
        ("", ""),
        (" ", ""),
        ("🙂", "🙂"),
        ("hi", "hi"),
        ("tell me a story about the sea", "tell me a joke, the one about Peter and the wolf"),
    ],
)
def test_short_prompts_and_common_openings_share_no_template(texts: tuple[str, str]):
    assert not shared(*texts)


def test_a_pair_says_how_much_of_the_prompt_is_fixed():
    found = pairs(["one two three four cat nine ten", "one two three four dog house nine ten"])
    assert {pair[2:] for pair in found["one two three four cat nine ten"]} == {(6, 6 / 7)}
    assert {pair[2:] for pair in found["one two three four dog house nine ten"]} == {(6, 6 / 8)}


def test_a_beginning_that_always_goes_on_alike_is_tried_at_full_length_only():
    texts = [f"one two three four five {name}" for name in ("ant", "bee", "cow")]
    assert [pair[2] for pair in pairs(texts)[texts[0]]] == [5]


@given(st.lists(st.sampled_from("abcdefg"), max_size=60), st.lists(st.sampled_from("abcdefg"), max_size=60))
def test_ends_are_equal_exactly_where_the_tokens_are(one: list[str], other: list[str]):
    found = ends(" ".join(one), " ".join(other))
    first, second = (slice(found.offsets[row], found.offsets[row + 1]) for row in range(2))
    for length, a, b in zip(LENGTHS, found.prefixes[first], found.prefixes[second], strict=False):
        assert (a == b) == (one[:length] == other[:length])
    for length, a, b in zip(LENGTHS, found.suffixes[first], found.suffixes[second], strict=False):
        assert (a == b) == (one[-length:] == other[-length:])
    assert len(found.prefixes[first]) == sum(length <= len(one) for length in LENGTHS)


@given(st.lists(st.text("ab 1?é", max_size=20), min_size=1, max_size=6))
def test_ends_depend_on_the_prompt_alone(texts: list[str]):
    whole = ends(*texts)
    alone = [ends(text) for text in texts]
    assert whole.prefixes.tolist() == [value for part in alone for value in part.prefixes.tolist()]
    assert whole.suffixes.tolist() == [value for part in alone for value in part.suffixes.tolist()]


def test_no_prompt_is_tried_for_more_than_so_many_templates():
    rng = np.random.default_rng(1)
    base = np.array([f"w{chr(97 + place % 26)}{chr(97 + place // 26)}" for place in range(80)])
    texts = []
    for _ in range(200):
        words = base.copy()
        words[rng.integers(80, size=2)] = "other"
        texts.append(" ".join(words))
    texts = sorted(set(texts))
    assert max(map(len, pairs(texts).values())) == templates.MAX_PAIRS


def family(prefix: int, suffix: int) -> str:
    return f"{prefix % 2**64:016x}{suffix % 2**64:016x}"


@pytest.mark.parametrize(
    ("one", "other", "form"),
    [
        (
            "Write an introduction of 200 words for Acme",
            "write an introduction of 200 words for: Gold Mines Ltd",
            "Write an introduction of 200 words for …",
        ),
        ("what is 37+48?", "what is 12+5?", "what is #+#?"),
        (
            "Translate cat into the French language, please!",
            "translate house into the French language please",
            "Translate … into the French language, please!",
        ),
        (
            "请为公司写一篇两百字的介绍：青山矿业",
            "请为公司写一篇两百字的介绍：大海航运",
            "请为公司写一篇两百字的介绍： …",
        ),
        ("ช่วยเขียนบทความเกี่ยวกับแมว", "ช่วยเขียนบทความเกี่ยวกับหมา", "ช่วยเขียนบทความเกี่ยวกับ …"),
    ],
)
def test_a_family_is_told_as_its_text_with_the_slot_marked(one: str, other: str, form: str):
    longest = max(pairs([one, other])[one], key=lambda pair: pair[2])
    assert templates.form(family(*longest[:2]), one, other) == form


def test_a_family_that_is_no_template_is_told_by_its_prompt():
    assert templates.form("0123456789abcdef" * 2, "hello there", "Hello, there") == "hello there"
