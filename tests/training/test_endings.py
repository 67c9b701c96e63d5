"""An answer ends with the token its template writes after it, and a template without one is refused before training."""

import re
from pathlib import Path

import pytest

from conf.training import Base
from tests.training.chats import EVERY, saved, tokenizer
from training.chat import shipped_template
from training.endings import check_end, stop_tokens
from training.errors import RunRefused
from training.tiny import SPECIAL

TALK = "{% for message in messages %}{% generation %}{{ message.content }}END{% endgeneration %}{% endfor %}"


@pytest.mark.parametrize(("kind", "template"), EVERY)
def test_an_answer_ends_with_the_token_of_its_template(kind: str, template: str, tmp_path: Path) -> None:
    made = tokenizer(kind, template)
    made.chat_template = shipped_template(template).text
    assert made.convert_ids_to_tokens(stop_tokens(made)) == [SPECIAL[template][1]]
    made.chat_template = None
    check_end(saved(tmp_path, kind, template), Base(template=template))


@pytest.mark.parametrize("end", ["<|im_end|>", " <|im_end|>", "\n<|im_end|>\n", "<|im_end|><|im_start|>"])
def test_the_end_token_may_stand_behind_blanks(end: str, tmp_path: Path) -> None:
    folder = saved(tmp_path, "byte_level", "chatml", chat_template=TALK.replace("END", end))
    check_end(folder, Base())


@pytest.mark.parametrize("end", ["", "\n", "</s>"])
def test_a_template_without_an_end_token_is_refused(end: str, tmp_path: Path) -> None:
    folder = saved(tmp_path, "byte_level", "chatml", chat_template=TALK.replace("END", end))
    with pytest.raises(RunRefused, match=re.escape(f"template tokenizer ends an answer with {end!r}")):
        check_end(folder, Base())


def test_of_a_template_that_asks_for_more_than_a_question_and_an_answer_nothing_is_said(tmp_path: Path) -> None:
    asking = "{% if messages[0].role != 'system' %}{{ raise_exception('no system message') }}{% endif %}" + TALK
    check_end(saved(tmp_path, "byte_level", "chatml", chat_template=asking), Base())


def test_a_template_whose_end_marker_the_tokenizer_lacks_is_refused_until_it_is_added(tmp_path: Path) -> None:
    folder = saved(tmp_path, "byte_level", "zephyr")
    with pytest.raises(RunRefused, match=r"template chatml ends an answer with '<\|im_end\|>.*base.new_tokens"):
        check_end(folder, Base(template="chatml"))
    check_end(folder, Base(template="chatml", new_tokens=["<|im_start|>", "<|im_end|>"]))
