import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs import facts
from udfs.batch import Limits, batch_of
from udfs.facts import disclaimers, vendors
from udfs.facts.phrases import say

NAMES = ("ai_disclaimer", "knowledge_cutoff", "vendor_name", "company_reference", "claims_human", "needs_context")


def judge(name, *talks):
    offsets = np.cumsum([0, *map(len, talks)])
    roles, contents = (pa.array([message[part] for talk in talks for message in talk], pa.string()) for part in (0, 1))
    batch = batch_of(roles, contents, offsets, pa.array(["und"] * len(roles), pa.string()))
    return facts.judge(batch, [name], Limits())[name].tolist()


def said(name, text):
    return judge(name, [("user", "Hello?"), ("assistant", text)])[0]


SAYINGS = [
    ("ai_disclaimer", "As an AI language model, I can't."), ("ai_disclaimer", "I’M JUST AN AI"),
    ("ai_disclaimer", "Well, I'm just a computer program"), ("ai_disclaimer", "As a language model, I cannot"),
    ("ai_disclaimer", "I'm a computer, so I can only do what I was told; just that."),
    ("ai_disclaimer", "I do not have personal opinions."), ("ai_disclaimer", "作为一个AI，我没有感情。"),
    ("ai_disclaimer", "作為一個人工智慧，我"), ("ai_disclaimer", "Como modelo de lenguaje, no puedo opinar."),
    ("ai_disclaimer", "Soy una inteligencia artificial."), ("ai_disclaimer", "en tant que modèle de langage, je"),
    ("ai_disclaimer", "Je suis une intelligence artificielle."),
    ("ai_disclaimer", "Ich bin nur ein Computerprogramm."),
    ("ai_disclaimer", "Als KI-Sprachmodell kann ich das Wetter nicht sehen."),
    ("ai_disclaimer", "Como um modelo de linguagem, não tenho opinião"),
    ("ai_disclaimer", "Sou apenas um programa de computador."), ("ai_disclaimer", "Как языковая модель, я не могу"),
    ("ai_disclaimer", "Я всего лишь программа."), ("ai_disclaimer", "AIとして、私は"),
    ("ai_disclaimer", "私はAIです。"),
    ("ai_disclaimer", "AI로서 저는"), ("ai_disclaimer", "저는 인공지능입니다."),
    ("knowledge_cutoff", "My knowledge cutoff is in 2021."), ("knowledge_cutoff", "As of my last update in 2023"),
    ("knowledge_cutoff", "I don't have real-time access"), ("knowledge_cutoff", "I am unable to access the internet."),
    ("knowledge_cutoff", "I don't have access to current news."),
    ("knowledge_cutoff", "I may not know about anything after September 2021."),
    ("knowledge_cutoff", "我的知识截止到2021年9月"),
    ("vendor_name", "I am ChatGPT, a model."), ("vendor_name", "I was created by Anthropic."),
    ("vendor_name", "As an AI developed by OpenAI, I must"), ("vendor_name", "My name is Vicuna, and I'm"),
    ("vendor_name", "我是由OpenAI开发的语言模型"), ("vendor_name", "[ChatGPT]: no"),
    ("vendor_name", "I am LLaMA-2."), ("vendor_name", "I'm Llama 2, a model"),
    ("vendor_name", "OpenAI's content policy forbids it"), ("vendor_name", "저는 OpenAI에서 개발한 모델"),
    ("vendor_name", "私はOpenAIによって開発された"),
    ("company_reference", "as my developers chose"), ("company_reference", "the people behind me"),
    ("company_reference", "the company that trained me"),
    ("company_reference", "I was developed by researchers from LMSYS."),
    ("claims_human", "I am a human."), ("claims_human", "I'm a real person, not a bot"),
    ("claims_human", "我是人类。"),
    ("ai_disclaimer", "I'm just a bunch of code."), ("ai_disclaimer", "I am not a person but I try"),
    ("ai_disclaimer", "chatbots like me"),
    ("knowledge_cutoff", "My data only goes up to 2021."), ("knowledge_cutoff", "I was trained up to September 2021"),
    ("knowledge_cutoff", "我的数据更新到2021年"), ("knowledge_cutoff", "我无法访问最新的新闻"),
    ("knowledge_cutoff", "No tengo acceso a información en tiempo real."),
    ("knowledge_cutoff", "Mi entrenamiento llega hasta 2021"), ("knowledge_cutoff", "Mes données s'arrêtent en 2021"),
    ("knowledge_cutoff", "Meine Daten reichen bis 2021"), ("knowledge_cutoff", "keinen Zugriff auf aktuelle"),
    ("knowledge_cutoff", "Meu treinamento vai até 2021"), ("knowledge_cutoff", "Мои данные ограничены 2021 годом"),
    ("knowledge_cutoff", "私の情報は2021年まで"), ("knowledge_cutoff", "제 정보는 2021년까지입니다"),
    ("vendor_name", "I was created by Mistral AI."), ("vendor_name", "I am PaLM2."),
    ("vendor_name", "Je suis Tongyi Qianwen."),
    ("company_reference", "I was trained by a research group."), ("company_reference", "私の開発チーム"),
    ("claims_human", "I'm not a language model."), ("claims_human", "我是活人。"), ("claims_human", "我不是AI"),
    ("claims_human", "No soy un programa."), ("claims_human", "Je suis humain."),
    ("claims_human", "Je ne suis pas un programme"), ("claims_human", "Ich bin kein Computer."),
    ("claims_human", "Não sou um programa"), ("claims_human", "Soy una persona real"),
    ("claims_human", "Sou uma pessoa real"), ("claims_human", "Je suis une vraie personne"),
    ("claims_human", "Я не бот"), ("claims_human", "私はAIではありません"), ("claims_human", "저는 로봇이 아닙니다"),
    ("claims_human", "Ich bin ein Mensch."), ("claims_human", "I'm not a robot."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text"), SAYINGS)
def test_the_assistant_says_what_it_is(name, text):
    assert said(name, text)
    assert judge(name, [("user", text), ("assistant", "I see.")]) == [False]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ai_disclaimer", "I am an AI researcher at a university."), ("ai_disclaimer", "AI is just a tool."),
        ("ai_disclaimer", "Just open the program on your computer."), ("ai_disclaimer", "I'm just a program manager"),
        ("ai_disclaimer", "作为人工智能领域的专家，他"), ("ai_disclaimer", "Die KI ist ein Werkzeug."),
        ("ai_disclaimer", "La inteligencia artificial es útil"), ("ai_disclaimer", "AIは便利です"),
        ("knowledge_cutoff", "The data is updated in real-time."),
        ("knowledge_cutoff", "As of March 2023, sales rose."),
        ("vendor_name", "OpenAI released ChatGPT in 2022."), ("vendor_name", "Google에서 개발한 언어"),
        ("vendor_name", "ChatGPT is a model developed by OpenAI"), ("vendor_name", "the Bard of Avon"),
        ("company_reference", "Thank you for choosing our company."), ("company_reference", "The developers met."),
        ("claims_human", "I am not a human."), ("claims_human", "if I were a human"), ("claims_human", "human rights"),
    ],
)  # fmt: skip
def test_talk_about_the_same_things_is_not_about_itself(name, text):
    assert not said(name, text)


@pytest.mark.parametrize(
    "text",
    ["continue", "Go on, please!", "Translate it into French", "make it shorter", "why?", "Summarize the above text",
     "继续", "weiter", "продолжай", "続けて", "계속", "as above", "give me 10 more", "the second one",
     "Rewrite your previous answer", "上面的代码有什么问题", "what about the second one?", "más", "mais",
     "translate it", "Please summarize that!", "rewrite this?"],
)  # fmt: skip
def test_a_question_that_goes_on_from_something_needs_context_when_nothing_is_before_it(text):
    answer = ("assistant", "Sure.")
    assert judge("needs_context", [("user", text), answer], [("user", "Hi"), answer, ("user", text), answer]) == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    "text",
    ["Translate it: 'hello'", "Write a story", "hello", "18岁以上的人", "上面的球以速度上升", "make a cake",
     "explain this\ncode", "How about going to dinner?", "What's the next big thing?", "rain in the last decade", ""],
)  # fmt: skip
def test_a_question_that_stands_alone_needs_no_context(text):
    assert judge("needs_context", [("user", text), ("assistant", "Sure.")]) == [False]


def test_an_answer_that_goes_on_from_something_needs_context():
    asked = ("user", "Act as a name generator")
    assert judge("needs_context", [asked, ("assistant", "Understood. Here are 100 names")]) == [True]
    assert judge("needs_context", [asked, ("assistant", "Here are 100 names")], [], [asked]) == [False, False, False]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.sampled_from(["user", "assistant"]), st.text(max_size=30)), max_size=3), max_size=3)
)
def test_any_text_is_judged_as_it_is_alone(talks):
    for name in NAMES:
        assert judge(name, *talks) == [judge(name, talk)[0] for talk in talks]


@pytest.mark.parametrize("unit", ["i am an ai", "as a ", "我", "\0", " \n", "I'm just "])
def test_a_megabyte_is_judged(unit):
    talk = [("user", "continue"), ("assistant", unit * (1_000_000 // len(unit)))]
    assert all(len(judge(name, talk)) == 1 for name in NAMES)


@pytest.mark.skipif("WINNOW_REAL_DATA" not in os.environ, reason="WINNOW_REAL_DATA is not set (.ci/run sets it)")
def test_characters_that_say_they_are_programs_are_found():
    import json

    lines = (Path(os.environ["WINNOW_REAL_DATA"]) / "character_records.jsonl").read_text("utf-8").splitlines()
    talks = [[(m["role"], m.get("content") or "") for m in json.loads(line)["messages"]] for line in lines]
    assert sum(judge("ai_disclaimer", *talks)) >= 3


TABLES = [
    *(disclaimers.DISCLAIMER, disclaimers.CUTOFF, disclaimers.HUMAN),
    *(vendors.MODELS, vendors.MAKERS, vendors.MAKERS_UNNAMED),
]


def meanings(one):
    return [one] if isinstance(one, str) else [meaning for inner in one.meanings for meaning in meanings(inner)]


def assert_screens_hide_nothing(texts):
    for table in TABLES:
        unscreened = [meaning for one in table for meaning in meanings(one)]
        assert say(texts, *table).tolist() == say(texts, *unscreened).tolist()


def test_screens_hide_nothing_that_is_meant():
    assert_screens_hide_nothing(pa.array([text for _, text in SAYINGS]))


@pytest.mark.skipif("WINNOW_REAL_DATA" not in os.environ, reason="WINNOW_REAL_DATA is not set (.ci/run sets it)")
def test_screens_hide_nothing_in_real_answers():
    files = sorted(Path(os.environ["WINNOW_REAL_DATA"]).glob("corpus_10k/data/*.parquet"))
    talks = ds.dataset(list(map(str, files))).to_table(columns=["conversation"])["conversation"].to_pylist()
    answers = [message["content"] for talk in talks for message in talk if message["role"] == "assistant"]
    assert_screens_hide_nothing(pa.array(answers))
