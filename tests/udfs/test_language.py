import json
import os
from collections import Counter
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conf.rules import LanguageCode
from udfs import language, prose, scripts, spelling


def _detect(*texts, min_confidence=0.5):
    return language.detect(pa.array(texts, pa.string()), min_confidence).codes.to_pylist()


def test_a_recipe_may_name_every_code_that_can_be_given_and_no_other():
    assert set(get_args(LanguageCode)) == {*language.OWNERS.values(), *language.PHRASES, *spelling.model().codes}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("How do I train a puppy not to bark at strangers?", "en"),
        ("Wie bringe ich meinem Hund bei, nicht zu bellen?", "de"),
        ("¿Cómo puedo enseñar a mi perro a no ladrar?", "es"),
        ("Как научить щенка не лаять на прохожих?", "ru"),
        ("请用中文回答这个问题", "zh"),
        ("請用中文回答這個問題", "zh"),
        ("この質問に日本語で答えてください", "ja"),
        ("こんにちは", "ja"),
        ("안녕하세요, 오늘 날씨가 어때요?", "ko"),
        ("สวัสดีครับ", "th"),
        ("Γεια σου", "el"),
        ("שלום", "he"),
        ("வணக்கம்", "ta"),
        ("გამარჯობა", "ka"),
        ("Բարեւ", "hy"),
        ("hi", "en"),
        ("Thanks!!", "en"),
        ("merci 😀", "fr"),
        ("我希望你使用 Create React App、yarn 和 Ant Design 编写这个项目的代码", "zh"),
        ("Спасибо, но почему этот код не работает?\n```py\nimport os\nprint('hello world, this is code')\n```", "ru"),
        ("Prosím o pomoc s touto chybou https://github.com/a/b/issues/the-long-english-name", "cs"),
        ("NAME_1, kannst du mir bitte kurz bei den Hausaufgaben helfen NAME_2?", "de"),
    ],
)
def test_prose_is_named_by_its_language(text, code):
    assert _detect(text) == [code]


@pytest.mark.parametrize(
    "text",
    ["", None, "   ", "123 + 456 = 579", "😀🚀", "https://example.com/an/english/path", "```py\nprint('hello')\n```",
     "ok", "haha", "x", "¯\\_(ツ)_/¯ !!", "$$ \\frac{a}{b} $$", "someone@example.com", "NAME_1"],
)  # fmt: skip
def test_what_is_no_prose_has_no_language(text):
    verdict = language.detect(pa.array([text], pa.string()), 0.5)
    assert verdict.codes.to_pylist() == ["und"]
    assert verdict.confidences[0] < 0.5


@pytest.mark.parametrize(
    "text",
    ["public transport in Berlin is late", "for the following text:", "return to sender",
     "from my house to the station", "import taxes are high here", "- Apfel\n- Birne\n- Kirsche",
     "what does f(x) = 2x mean (really)?", "let me know"],
)  # fmt: skip
def test_prose_that_uses_words_of_code_is_kept(text):
    assert prose.keep(pa.array([text])).to_pylist() == [text]


@pytest.mark.parametrize(
    "code",
    ["import os", "from os import path", "def f(x):", "x = f(1)", "for a, b in c:", "return x", "}", "foo(bar);",
     "const a = 1;", "    if not x:\n        y = 2", '<div class="a">', "print('hello world')", "key: value"],
)  # fmt: skip
def test_lines_of_code_are_no_prose(code):
    assert prose.keep(pa.array([code])).to_pylist()[0].strip() == ""


def test_a_guess_below_the_confidence_asked_for_is_und_and_keeps_its_confidence():
    low, high = (language.detect(pa.array(["Prompt responsa"]), asked) for asked in (0.0, 1.0))
    assert low.codes.to_pylist() != ["und"] == high.codes.to_pylist()
    assert low.confidences[0] == high.confidences[0] < 1.0


def test_a_text_gets_the_same_answer_alone_and_in_a_batch():
    texts = ["Hello there, how are you?", "", "你好", "Bonjour à tous", "42", "Привет всем"] * 3
    batch = language.detect(pa.array(texts), 0.5)
    alone = [language.detect(pa.array([text]), 0.5) for text in texts]
    assert batch.codes.to_pylist() == [each.codes[0].as_py() for each in alone]
    assert batch.confidences.tolist() == [each.confidences[0] for each in alone]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=60)), max_size=4))
def test_any_text_has_a_code_and_a_confidence(texts):
    verdict = language.detect(pa.array(texts, pa.string()), 0.5)
    assert len(verdict.codes) == len(verdict.confidences) == len(texts)
    assert all(verdict.codes.is_valid().to_pylist())
    assert ((verdict.confidences >= 0) & (verdict.confidences <= 1)).all()


@pytest.mark.parametrize("unit", ["a", "中", "```", "`a", "<a", "\\(", " ", "\x00", "\uffff", "1", "\n", "a@b.", "a="])
def test_a_megabyte_is_no_obstacle(unit):
    assert len(_detect(unit * 1_000_000)) == 1


def _of_conversations(codes, lengths, offsets, guesses=None, is_user=None):
    verdict = language.Verdict(pa.array(codes, pa.string()), np.zeros(0), pa.array(guesses or codes, pa.string()))
    spoken = np.ones(len(codes), dtype=bool) if is_user is None else np.array(is_user, dtype=bool)
    return language.of_conversations(verdict, np.array(lengths, dtype=int), spoken, np.array(offsets)).to_pylist()


def test_the_language_of_a_conversation_is_that_of_most_characters():
    codes, lengths = ["en", "de", "de", "und", "und", "fr", "en"], [10, 6, 6, 99, 5, 3, 3]
    assert _of_conversations(codes, lengths, [0, 4, 4, 5, 7]) == ["de", "und", "und", "en"]
    assert _of_conversations([], [], [0]) == []


def test_the_language_of_a_conversation_is_the_users_before_the_answers():
    codes, lengths, is_user = ["ko", "en", "und", "de", "und", "und"], [9, 900, 9, 900, 9, 9], [1, 0, 1, 0, 1, 0]
    assert _of_conversations(codes, lengths, [0, 2, 4, 6], is_user=is_user) == ["ko", "de", "und"]


def test_a_conversation_of_unsure_messages_goes_by_what_they_are_likely_in():
    codes, guesses = ["und", "und", "und", "fr"], ["en", "en", "es", "fr"]
    assert _of_conversations(codes, [9, 9, 15, 1], [0, 3, 4], guesses) == ["en", "fr"]
    assert _of_conversations(codes, [9, 9, 15, 1], [0, 4], guesses) == ["fr"], "what is sure comes first"
    assert _of_conversations(codes[:2], [0, 0], [0, 2], guesses[:2]) == ["und"], "what does not count has no say"


def test_a_guess_is_at_least_half_as_sure_as_a_label():
    text = pa.array(["Prompt responsa"])
    sure = language.detect(text, 0.0).confidences[0]
    label, guess = (language.detect(text, bar) for bar in (sure * 1.5, sure * 2.5))
    assert label.codes.to_pylist() == guess.codes.to_pylist() == guess.guesses.to_pylist() == ["und"]
    assert label.guesses.to_pylist() != ["und"]


def test_letters_are_counted_by_script():
    counts = scripts.count(pa.array(["abé 12", "", None, "日本のテスト", "Привет!"]))
    seen = [{name: int(n) for name, n in zip(scripts.NAMES, row, strict=True) if n} for row in counts]
    assert seen == [{"": 3, "Latin": 3}, {}, {}, {"Han": 2, "Kana": 4}, {"": 1, "Cyrillic": 6}]


def test_a_letter_is_of_a_script_and_nothing_else_is():
    table = scripts.table()
    for character, name in [("a", "Latin"), ("ß", "Latin"), ("7", ""), ("Ω", "Greek"), ("ا", "Arabic"), ("ก", "Thai"),
                            ("ក", "Khmer"), ("한", "Hangul"), ("ー", "Kana"), ("々", "Han"), ("😀", ""), (" ", ""),
                            ("ㄅ", "Other"), ("。", ""), ("।", ""), ("𠀀", "Han"), ("×", "")]:  # fmt: skip
        assert scripts.NAMES[table[ord(character)]] == name, character


@pytest.mark.skipif("WINNOW_REAL_DATA" not in os.environ, reason="WINNOW_REAL_DATA is not set (.ci/run sets it)")
def test_labelled_texts_are_named_right():
    lines = (Path(os.environ["WINNOW_REAL_DATA"]) / "langid_bench.jsonl").read_text("utf-8").splitlines()
    bench = [json.loads(line) for line in lines]
    codes = language.detect(pa.array([each["text"] for each in bench]), 0.5).codes.to_pylist()
    asked = Counter(each["kind"] for each in bench)
    right = Counter(each["kind"] for each, code in zip(bench, codes, strict=True) if each["lang"] == code)
    wrong = sum(code not in ("und", each["lang"]) for each, code in zip(bench, codes, strict=True))
    floors = {"chat": 0.98, "sentence": 0.95, "len_160": 0.98, "len_40": 0.94, "tiny": 0.95, "nl+fenced_code": 0.94,
              "nl+url": 0.97, "nl+raw_code": 0.85, "emoji_only": 1.0, "url_only": 1.0, "tiny_ambig": 0.9}  # fmt: skip
    assert {
        kind: right[kind] / asked[kind] for kind, floor in floors.items() if right[kind] < floor * asked[kind]
    } == {}
    assert wrong < 0.04 * len(bench)
