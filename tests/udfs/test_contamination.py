"""A conversation's user turns against benchmark questions, in many scripts: what overlaps, how far, and where."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.shingling import split
from udfs.contamination import Searched, scan
from udfs.questions import Part, Shape, features

SHAPE = Shape(ngram=13, min_run=8, common=10)
HAWAII = (
    "Compose an engaging travel blog post about a recent trip to Hawaii, highlighting cultural experiences and "
    "must-see attractions."
)
QUESTIONS = {
    "en": HAWAII,
    "zh": "撰写一篇关于最近夏威夷之旅的引人入胜的旅游博客文章，重点介绍文化体验和必看景点。",
    "ja": "最近のハワイ旅行について、文化的な体験と必見の観光スポットを強調した魅力的な旅行ブログを書いてください。",
    "th": "เขียนบล็อกท่องเที่ยวเกี่ยวกับทริปฮาวายล่าสุดของคุณ โดยเน้นประสบการณ์ทางวัฒนธรรมและสถานที่ที่ต้องไปชม",
    "hi": "हाल ही में हवाई की यात्रा के बारे में एक आकर्षक यात्रा ब्लॉग लिखें जिसमें सांस्कृतिक अनुभव और देखने योग्य स्थान हों।",
    "ar": "اكتب مقالة سفر جذابة عن رحلة حديثة إلى هاواي مع إبراز التجارب الثقافية والمعالم السياحية التي يجب مشاهدتها.",
    "ru": "Напишите увлекательный пост в блоге о недавней поездке на Гавайи, подчеркнув культурные впечатления и виды.",
    "ko": "최근 하와이 여행에 대해 문화적 경험과 꼭 가봐야 할 명소를 강조하는 매력적인 블로그 글을 써 주세요.",
}
OTHERS = {
    "en": "Write an appealing article on a holiday you spent in Hawaii not long ago; culture and sights matter most.",
    "zh": "请写一篇你前不久去夏威夷度假的文章，文化和风景是最重要的内容，语言要生动有趣。",
    "ja": "先日ハワイで過ごした休暇の記事を、文化と景色を中心に、面白く書いてもらえますか。",
    "th": "ช่วยแต่งบทความสนุก ๆ เรื่องวันหยุดที่ฮาวายซึ่งให้ความสำคัญกับวัฒนธรรมและทิวทัศน์เป็นหลัก",
    "hi": "हवाई में बिताई गई छुट्टियों पर एक रोचक लेख लिखिए जिसमें संस्कृति और दृश्य सबसे ज़रूरी हों और भाषा सरल हो।",
    "ar": "من فضلك حرر نصا ممتعا حول عطلة قضيتها في هاواي منذ وقت قريب على أن تكون الثقافة والمناظر أهم ما فيه.",
    "ru": "Сочините интересную статью об отпуске, который вы провели на Гавайях; важнее всего культура и природа.",
    "ko": "얼마 전 하와이에서 보낸 휴가에 관한 재미있는 기사를 써 주십시오. 문화와 풍경이 가장 중요합니다.",
}
AROUND = {"zh": "你好，请帮我。{}谢谢你！", "ja": "すみません。{}よろしく。", "th": "สวัสดี {} ขอบคุณ"}


def searched(parts: list[Part], shape: Shape = SHAPE) -> Searched:
    names = [str(part.item) for part in parts]
    labels = {"benchmark": ["b"] * len(parts), "item": names, "question": [part.text for part in parts]}
    return Searched(features(parts, shape), pa.RecordBatch.from_pydict(labels), "rule")


def found(conversations: list[list[str]], wanted: Searched) -> list[dict[str, Any]]:
    lists = pa.list_(pa.string())
    columns = {
        "conversation_id": [str(number) for number in range(len(conversations))],
        "contents": pa.array(conversations, lists),
        "places": pa.array([[2 * turn for turn in range(len(one))] for one in conversations], pa.list_(pa.int32())),
    }
    return [row for batch in scan([pa.RecordBatch.from_pydict(columns)], wanted) for row in batch.to_pylist()]


def overlap(turns: list[str], question: str, shape: Shape = SHAPE) -> float:
    rows = found([turns], searched([Part(0, question, True)], shape))
    assert len(rows) <= 1
    return len(rows[0]["grams"]) / rows[0]["features"] if rows else 0.0


@pytest.mark.parametrize("language", QUESTIONS)
def test_a_question_is_found_whole_in_every_script(language: str) -> None:
    assert overlap([QUESTIONS[language]], QUESTIONS[language]) == 1.0


@pytest.mark.parametrize("language", QUESTIONS)
def test_text_around_a_question_hides_nothing_of_it(language: str) -> None:
    around = AROUND.get(language, "Hello! 1) {} Thank you, 2 pages please.")
    assert overlap(["hi", around.format(QUESTIONS[language])], QUESTIONS[language]) == 1.0


@pytest.mark.parametrize("language", QUESTIONS)
def test_another_question_about_the_same_is_not_the_question(language: str) -> None:
    assert overlap([OTHERS[language]], QUESTIONS[language]) == 0.0


@pytest.mark.parametrize("language", [name for name in QUESTIONS if name not in AROUND])
def test_a_question_cut_in_two_turns_is_found_whole(language: str) -> None:
    words = QUESTIONS[language].split(" ")
    half = len(words) // 2
    assert overlap([" ".join(words[:half]), " ".join(words[half:])], QUESTIONS[language]) == 1.0


@pytest.mark.parametrize(
    "turn",
    [
        HAWAII.upper(),
        HAWAII.lower(),
        HAWAII.replace(",", " -- ").replace(".", "!!!"),
        HAWAII.replace(" ", "\n\t"),
        f"**{HAWAII}**",
        HAWAII.replace("Hawaii", "Ha\u200dwaii"),
    ],
)
def test_case_punctuation_and_spaces_do_not_hide_a_question(turn: str) -> None:
    assert overlap([turn], HAWAII) == 1.0


@pytest.mark.parametrize(
    ("question", "turn", "is_found"),
    [
        ("what is 37+48?", "What is 37 + 48", True),
        ("what is 37+48?", "what is 12+5?", False),
        ("what is 37+48?", "tell me: what is 37+48?", False),
        ("か", "か", True),
        ("か", "が", False),
        ("กิน", "กัน", False),
        ("मैं", "मे", False),
        ("🙂🙂", "🙂🙂", True),
        ("🙂🙂", "🙂", False),
        ("how many r are there in the word strawberry", "Well, how many R are there in the word strawberry, eh?", True),
        ("how many r are there in the word strawberry", "how many r are there in the word blueberry", False),
        ("水的沸点在高原上是多少度", "老师，水的沸点在高原上是多少度？谢谢", True),
        ("水的沸点", "请问水的沸点", False),
        ("水的沸点", "水的沸点？", True),
    ],
)
def test_short_questions_are_found_only_whole(question: str, turn: str, is_found: bool) -> None:
    assert overlap([turn], question) == float(is_found)


def test_the_turn_named_is_the_one_that_has_most_of_the_question() -> None:
    [row] = found([["hello", HAWAII[:80], HAWAII]], searched([Part(0, HAWAII, True)]))
    assert (row["message"], row["text"]) == (4, HAWAII)
    [row] = found([["hello", HAWAII, HAWAII]], searched([Part(0, HAWAII, True)]))
    assert row["message"] == 2


def test_a_short_later_turn_is_no_feature_and_a_long_one_is() -> None:
    parts = [Part(0, HAWAII, True), Part(0, "Make it shorter.", False), Part(0, QUESTIONS["ru"], False)]
    wanted = searched(parts)
    assert wanted.features.totals.tolist()[1] == 0
    assert [row["part"] for row in found([["make it shorter"], [QUESTIONS["ru"]]], wanted)] == [2]


def test_runs_that_more_items_have_than_common_are_no_features() -> None:
    preamble = "You are an expert in many fields. Read the question with care and answer it with one letter alone."
    parts = [Part(number, f"{preamble} Number {number}?", True) for number in range(4)]
    assert overlap([preamble], parts[0].text) > 0.5
    assert found([[preamble]], searched(parts, SHAPE._replace(common=4))) != []
    assert found([[preamble]], searched(parts, SHAPE._replace(common=3))) == []
    [row] = found([[parts[2].text]], searched(parts, SHAPE._replace(common=3)))
    assert (row["item"], len(row["grams"])) == ("2", row["features"])


def test_many_parts_of_one_item_are_one_item_to_common() -> None:
    parts = [Part(0, HAWAII, True)] * 3
    assert set(features(parts, SHAPE._replace(common=1)).totals.tolist()) == {7}


TEXTS = st.lists(st.text(st.sampled_from("ab c.是กี"), max_size=30), max_size=4)


def slow(turns: list[str], question: str, shape: Shape) -> float:
    """The overlap by Python's own strings."""
    wanted = split([question])
    each = [split([turn]) for turn in turns]
    if len(wanted) < shape.min_run:
        return float(bool(wanted) and wanted in each)
    size = min(shape.ngram, len(wanted))
    runs = {tuple(wanted[at : at + size]) for at in range(len(wanted) - size + 1)}
    joined = [token for tokens in each for token in tokens]
    present = {tuple(joined[at : at + size]) for at in range(len(joined) - size + 1)}
    return len(runs & present) / len(runs)


@given(TEXTS, st.text(st.sampled_from("ab c.是กี"), max_size=20))
def test_the_overlap_is_that_of_comparing_strings(turns: list[str], question: str) -> None:
    shape = Shape(ngram=4, min_run=2, common=10)
    assert overlap(turns, question, shape) == pytest.approx(slow(turns, question, shape))


@given(st.lists(TEXTS, max_size=6), st.permutations(range(6)))
def test_a_conversation_overlaps_alike_in_any_company(conversations: list[list[str]], order: list[int]) -> None:
    wanted = searched([Part(0, "a b 是 c", True), Part(1, "ab", True)], Shape(2, 2, 10))
    alone = {n: found([one], wanted) for n, one in enumerate(conversations)}
    chosen = [number for number in order if number < len(conversations)]
    together = found([conversations[number] for number in chosen], wanted)
    for row in together:
        number = chosen[int(row["conversation_id"])]
        assert {**row, "conversation_id": "0"} in alone[number]
    assert len(together) == sum(map(len, alone.values()))


def test_empty_and_missing_turns_overlap_with_nothing() -> None:
    assert found([[], [""], [" "], ["", ""]], searched([Part(0, "hi", True), Part(1, HAWAII, True)])) == []
    assert np.array_equal(searched([]).features.totals, [])
