import sys
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.shingling import set_of, sets_of, shingles_of, split
from udfs.shingles import shingle_sets
from udfs.tokens import table, tokenise

HARD = (
    "aB zZ ßẞİıſKÅéÉﬁ e\u0301\u0307 ЯёйЁ σςΣ ΐ मैंमे्क\u0947 กินกัน่้าเๆ ລາວ ខ្មែរ ៛ မြန်မာ "
    "བོད་ཡིག བ\u0f71\u0f72 かがか\u3099ガｶﾞー々〇ゝ 中文字𠀀㐀\uf900 한글\u1112\u1161\u11ab ꦗꦮ ꀀ "
    "٣1²①๑Ⅷ \u200c\u200d\ufe0f\u200b\u00ad 👨👩🏽❤️☎ ?!+-_'।。་・ \t\n\u00a0\u3000\x85\x00 "
    "\u0623\u0647\u0644\u0627 \u05e9\u05dc"
)
LONG = st.text(st.sampled_from("abyzABYZ0189éſK一 .@[`{/:\u007f"), max_size=60)
texts = st.one_of(st.text(st.sampled_from(HARD), max_size=40), st.text(max_size=10), LONG, st.just("a b c d e f g"))
conversations = st.lists(texts, max_size=4)


@given(st.lists(conversations, max_size=6))
@settings(max_examples=400, deadline=None)
def test_tokens_are_those_of_the_slow_reference(batch):
    offsets = np.cumsum([0] + [len(messages) for messages in batch])
    hashes, ends = tokenise(pa.array([text for messages in batch for text in messages], pa.string()), offsets)
    expected = [split(messages) for messages in batch]
    assert np.diff(ends).tolist() == [len(found) for found in expected]
    pairs = set(zip(hashes.tolist(), [token for found in expected for token in found], strict=True))
    assert len(pairs) == len({number for number, _ in pairs}) == len({token for _, token in pairs})


@given(conversations, conversations, st.integers(1, 6))
@settings(max_examples=300, deadline=None)
def test_sets_overlap_as_those_of_the_slow_reference(a, b, size):
    ours, theirs = (set_of(*a, size=size), set_of(*b, size=size)), (shingles_of(a, size), shingles_of(b, size))
    assert [len(found) for found in ours] == [len(found) for found in theirs]
    assert len(ours[0] & ours[1]) == len(theirs[0] & theirs[1])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("What is 37+48?", ["what", "is", "37", "48"]),
        ("don't re-use snake_case", ["don", "t", "re", "use", "snake", "case"]),
        ("用Python写hello，好吗", ["用", "python", "写", "hello", "好", "吗"]),
        ("กินข้าว", ["กิ", "น", "ข้", "า", "ว"]),
        ("かがガ", ["か", "が", "ガ"]),
        ("मैं हिन्दी", ["मैं", "हिन्दी"]),
        ("می\u200cخواهم", ["میخواهم"]),
        ("བོད་ཡིག", ["བོད", "ཡིག"]),
        ("안녕 세상 8월", ["안", "녕", "세", "상", "8", "월"]),
        ("ปี๒๕๖๗", ["ปี", "๒๕๖๗"]),
        ("i\u2764\ufe0fu", ["i", "u"]),
        ("?!  👍🏽", ["?!👍🏽"]),
    ],
)
def test_a_text_has_these_tokens(text, tokens):
    assert split([text]) == [unicodedata.normalize("NFC", token) for token in tokens]
    assert sets_of([[text]]).tokens.tolist() == [len(tokens)]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("what is 37+48?", "what is 12+5?"),
        ("か", "が"),
        ("กิน", "กัน"),
        ("मैं", "मे"),
        ("मैं घर जा रहा हूँ", "मे घर जा रहा हूँ"),
        ("1", "2"),
        ("a", "b"),
        ("👍", "👎"),
        ("???", "????"),
        ("??????", "???????"),
        ("🙂🙂🙂🙂🙂🙂", "🙂🙂🙂🙂🙂🙂🙂"),
        ("ß", "ss"),
        ("\u200d", "\ufeff"),
    ],
)
def test_short_texts_that_differ_share_no_shingle(a, b):
    assert set_of(a) and set_of(b)
    assert not set_of(a) & set_of(b)


SENTENCES = [
    "我今天去了北京的一家书店买书。",
    "他昨天在上海的公园里看见一只猫。",
    "请给我写一首关于秋天的诗。",
    "请给我写一个关于冬天的故事。",
    "Я сегодня ходил в книжный магазин.",
    "Вчера она видела кошку в парке.",
    "Напиши мне стихотворение об осени.",
    "Расскажи мне историю о зиме и снеге.",
]


def test_different_chinese_and_russian_sentences_share_no_shingle_unless_they_share_five_tokens():
    for a in SENTENCES:
        for b in SENTENCES:
            shared = shingles_of([a], 5) & shingles_of([b], 5)
            assert len(set_of(a) & set_of(b)) == len(shared)
            assert a == b or len(shared) <= 3


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (["Wie spät ist es in Köln heute?"], ["WIE SPÄT IST ES IN KÖLN, HEUTE!"]),
        (["ΣΊΣΥΦΟΣ και ΟΔΥΣΣΕΎΣ"], ["σίσυφος ΚΑΙ οδυσσεύς"]),
        (["one two three four", "five six"], ["one two", "three four five six"]),
        (["می\u200cخواهم"], ["میخواهم"]),
        (["I \u2764\ufe0f you"], ["I \u2764 you"]),
        (["한글"], ["\u1112\u1161\u11ab\u1100\u1173\u11af"]),
        (["👍", "👍"], ["👍 👍"]),
    ],
)
def test_texts_that_say_the_same_have_the_same_shingles(a, b):
    assert set_of(*a) == set_of(*b)


@given(st.text(st.sampled_from(HARD), max_size=60))
@settings(deadline=None)
def test_normal_forms_have_the_same_shingles(text):
    assert set_of(unicodedata.normalize("NFD", text)) == set_of(unicodedata.normalize("NFC", text))


CASED = "".join(c for c in map(chr, range(0x590)) if len(c.upper()) == 1 and c.upper().casefold() == c.casefold())


@given(st.text(st.sampled_from(CASED + " "), max_size=60))
@settings(deadline=None)
def test_case_makes_no_difference(text):
    assert set_of(text) == set_of(text.upper())


@pytest.mark.parametrize("messages", [[], [""], [" "], ["\n\t", "\u3000 \x85"]])
def test_a_text_of_white_space_has_no_shingles(messages):
    found = sets_of([messages])
    assert (found.hashes.tolist(), found.offsets.tolist(), found.tokens.tolist()) == ([], [0, 0], [0])


def test_sets_are_ascending_and_distinct_even_where_a_text_repeats_itself():
    found = sets_of([["ha ho " * 5000], [" ".join(str(number % 700) for number in range(3000))]])
    assert np.diff(found.offsets).tolist() == [2, 700]
    for first, last in zip(found.offsets[:-1], found.offsets[1:], strict=True):
        assert (np.diff(found.hashes[first:last].astype(np.int64)) > 0).all()


@given(st.lists(texts, min_size=1, max_size=12), st.data())
@settings(deadline=None)
def test_slices_chunks_nulls_and_large_strings_make_no_difference(contents, data):
    cut = data.draw(st.integers(0, len(contents)))
    with_nulls = [text or None for text in contents]
    expected = sets_of([[text] for text in contents], 2)
    for kind in (pa.string(), pa.large_string()):
        array = pa.array(["x y z", *with_nulls, "tail"], kind).slice(1, len(contents))
        halves = [array.slice(0, cut), array.slice(cut)]
        whole = shingle_sets(array, np.arange(len(contents) + 1, dtype=np.int32), 2)
        parts = [shingle_sets(half, np.arange(len(half) + 1), 2) for half in halves]
        assert whole.hashes.tolist() == expected.hashes.tolist() == [h for part in parts for h in part.hashes.tolist()]
        assert whole.offsets.tolist() == expected.offsets.tolist()


def test_conversations_may_be_any_part_of_the_messages():
    contents = pa.array(["left out", "one two three", "", "four", "left out"])
    found = shingle_sets(contents, np.array([1, 3, 3, 4]), 2)
    expected = sets_of([["one two three", ""], [], ["four"]], 2)
    assert [part.tolist() for part in found] == [part.tolist() for part in expected]


def test_hashes_are_the_same_on_every_machine():
    found = sets_of([["Hello, wörld! How are you today?"], ["你好"], ["👍"]])
    assert found.hashes.tolist() == [935265043, 1249159785, 3332347886, 3097076800]


def test_broken_utf8_is_read_within_bounds():
    buffers = [None, pa.py_buffer(np.array([0, 2, 4], np.int32)), pa.py_buffer(b"a\xe4b\xf0")]
    with pytest.raises(pa.ArrowInvalid):
        pa.Array.from_buffers(pa.string(), 2, buffers).validate(full=True)
    found = shingle_sets(pa.Array.from_buffers(pa.string(), 2, buffers), np.array([0, 1, 2]), 5)
    assert [part.tolist() for part in found] == [part.tolist() for part in sets_of([["a\ufffd"], ["b\ufffd"]])]


def test_what_cannot_be_shingled_is_refused_by_name():
    contents = pa.array(["a", "b"])
    with pytest.raises(TypeError, match="expected a string or large_string array"):
        shingle_sets(pa.array([1]), np.array([0, 1]), 5)
    with pytest.raises(TypeError, match="ChunkedArray"):
        shingle_sets(pa.chunked_array([contents]), np.array([0, 1]), 5)
    for offsets in ([0, 3], [-1, 1], [1, 0], []):
        with pytest.raises(ValueError, match="2 messages"):
            shingle_sets(contents, np.array(offsets), 5)
    with pytest.raises(ValueError, match="at least 1 token"):
        shingle_sets(contents, np.array([0, 2]), 0)


def test_a_text_without_unstable_characters_is_in_nfc():
    unstable = table() >= 1 << 31
    stable = "".join(
        chr(code) for code in range(sys.maxunicode + 1) if not unstable[code] and not 0xD800 <= code < 0xE000
    )
    assert unicodedata.is_normalized("NFC", stable) and unicodedata.is_normalized("NFC", stable[::-1])
