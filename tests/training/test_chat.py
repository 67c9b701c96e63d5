"""The mask is exactly what the assistant says; a template is found or its absence told."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.chats import ANSWERS, EVERY, byte_level, byte_text, conversation, saved, tokenizer
from training.chat import (
    SHIPPED,
    ChatTokenizer,
    Rendered,
    load_tokenizer,
    render,
    shipped_template,
    template_for,
)
from training.encoding import Encoder, Row, trained_ranges
from training.errors import RunRefused

TALKS = {
    "one_exchange": conversation("Hi", "Hello, how are you?"),
    "three_exchanges": conversation("a", "b", "c", "d e f", "g", "print(1)\n\n```x```"),
    "system": conversation("Hi", "Hello.", system="Be short."),
    "scripts": conversation("Привет 你好", "今日は🙂 é漢\u200bx ñ — ok", "🚀", "🚀🚀 नमस्ते"),
    "inner_blanks": conversation("  a  ", "b   c\t\td \n e"),
    "long_word": conversation("x" * 300, "y" * 300),
}


def encoder(kind: str, template: str) -> Encoder:
    made = tokenizer(kind, template)
    special = {name: str(token) for name, token in made.special_tokens_map.items()}
    return Encoder(ChatTokenizer(made.backend_tokenizer.to_str(), special, shipped_template(template), ""))


def encoded(kind: str, template: str, messages) -> Row:
    row = encoder(kind, template).encode([messages])[0]
    assert isinstance(row, Row)
    return row


def masked_in(kind: str, template: str, row: Row) -> list[bytes]:
    return [byte_text(tokenizer(kind, template), row.ids[start:end]) for start, end in row.turns]


@pytest.mark.parametrize("talk", TALKS.values(), ids=TALKS)
@pytest.mark.parametrize(("kind", "template"), EVERY)
def test_masked_in_is_the_assistants_text_and_its_end_token_byte_for_byte(kind, template, talk):
    said = [message["content"] for message in talk if message["role"] == "assistant"]
    row = encoded(kind, template, talk)
    assert masked_in(kind, template, row) == [ANSWERS[template](text).encode() for text in said]


@pytest.mark.parametrize(("kind", "template"), EVERY)
@settings(max_examples=25)
@given(data=st.data())
def test_masked_in_is_exact_for_any_text(kind, template, data):
    # an answer that starts with a line break may share a token with the template's own: told in the next test
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(lambda t: t == t.strip())
    talk = conversation(*data.draw(st.lists(text, min_size=2, max_size=6).filter(lambda texts: len(texts) % 2 == 0)))
    row = encoded(kind, template, talk)
    assert masked_in(kind, template, row) == [ANSWERS[template](m["content"]).encode() for m in talk[1::2]]
    whole = render([talk], shipped_template(template).text, tokenizer(kind, template).special_tokens_map)[0]
    assert isinstance(whole, Rendered)
    assert byte_text(tokenizer(kind, template), row.ids) == whole.text.encode()


def test_a_token_across_the_edge_of_an_answer_is_trained():
    row = encoded("byte_level", "chatml", conversation("a", "\n\nb"))
    assert masked_in("byte_level", "chatml", row)[0].lstrip(b"\n") == b"b<|im_end|>"


@pytest.mark.parametrize(("kind", "template"), EVERY)
@settings(max_examples=15)
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=2, max_size=5))
def test_ids_and_mask_are_those_of_transformers(kind, template, texts):
    talk = conversation(*texts)
    made, row = tokenizer(kind, template), encoded(kind, template, talk)
    theirs = made.apply_chat_template(
        talk, chat_template=shipped_template(template).text, return_dict=True, return_assistant_tokens_mask=True
    )
    assert row.ids.tolist() == theirs["input_ids"]
    # where an answer starts with a blank that byte-level offsets cut off, transformers trains nothing of it
    if kind == "metaspace" or (template not in ("mistral", "vicuna") and all(t == t.strip() for t in texts)):
        mask = np.zeros(len(row), int)
        for start, end in row.turns:
            mask[start:end] = 1
        assert mask.tolist() == theirs["assistant_masks"]


def test_offsets_cut_by_a_byte_level_post_processor_do_not_move_the_mask():
    row = encoded("byte_level", "vicuna", conversation("a", "b"))  # the answer starts with a blank
    assert masked_in("byte_level", "vicuna", row) == [b" b</s>"]
    assert byte_level(["<s>"]).encode("b b").offsets[-1] == (2, 3), "this tokenizer does cut offsets"


@pytest.mark.parametrize("mode", ["assistant", "last", "all"])
def test_loss_is_on_every_answer_or_on_the_last_or_on_everything(mode):
    row = encoded("byte_level", "chatml", conversation("a", "b", "c", "d"))
    texts = [byte_text(tokenizer("byte_level", "chatml"), row.ids[s:e]) for s, e in trained_ranges(row, mode)]
    expected = {"assistant": [b"b<|im_end|>", b"d<|im_end|>"], "last": [b"d<|im_end|>"]}
    whole = byte_text(tokenizer("byte_level", "chatml"), row.ids)
    assert texts == expected.get(mode, [whole])


TWO_SYSTEMS = [{"role": "system", "content": "Be short."}, *conversation("Hi", "Hello.", system="Be kind.")]


@pytest.mark.parametrize("template", SHIPPED)
def test_every_message_is_in_the_text_or_the_template_refuses(template):
    made = render([TWO_SYSTEMS], shipped_template(template).text, tokenizer("byte_level", template).special_tokens_map)
    text = made[0].text if isinstance(made[0], Rendered) else None
    assert text is None or all(message["content"] in text for message in TWO_SYSTEMS)
    assert (text is None) == (template == "vicuna")  # which has one place for them


@pytest.mark.parametrize("template", SHIPPED)
def test_a_prompt_is_what_comes_before_the_answer_in_training(template):
    answering = tokenizer("byte_level", template)
    text = shipped_template(template).text
    talk = conversation("Hi", "Hello", "Again", "Yes", system="s")
    whole = render([talk], text, answering.special_tokens_map)[0]
    assert isinstance(whole, Rendered)
    asked = {"chat_template": text, "tokenize": False, "add_generation_prompt": True}  # as a server asks
    assert answering.apply_chat_template(talk[:-1], **asked) == whole.text[: whole.spans[-1][0]]


REFERENCES = {
    "zephyr": "{% for message in messages %}\n{% if message['role'] == 'user' %}\n"
    "{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n"
    "{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n"
    "{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
    "chatml": "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "llama-3": "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = "
    "'<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = '<|begin_of_text|>' + content %}{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
}
"""The templates as the models have them on their pages, without markers."""


@pytest.mark.parametrize("name", REFERENCES)
def test_a_models_own_template_without_markers_is_recognised(name, tmp_path):
    folder = saved(tmp_path / "model", "byte_level", name, chat_template=REFERENCES[name])
    assert template_for(folder, "auto") == shipped_template(name)


def test_a_tokenizers_own_template_with_markers_is_used(tmp_path):
    own = "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}"
    found = template_for(saved(tmp_path / "model", "byte_level", "chatml", chat_template=own), "auto")
    assert (found.name, found.text) == ("tokenizer", own)


REFUSED = {
    "no_template": (None, "auto", "the tokenizer has no chat template. Set base.template to one of zephyr"),
    "no_markers": ("{{ messages[0].content }}", "auto", "no {% generation %} markers, so no token would be trained"),
    "no_bos": (None, "mistral", "template mistral writes bos_token, which the tokenizer lacks"),
}


@pytest.mark.parametrize(("own", "name", "reason"), REFUSED.values(), ids=REFUSED)
def test_without_a_usable_template_nothing_starts(own, name, reason, tmp_path):
    folder = Path(saved(tmp_path / "model", "byte_level", "chatml", chat_template=own))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config.pop("bos_token")
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(RunRefused) as error:
        template_for(str(folder), name)
    assert reason in str(error.value)


def test_code_that_comes_with_a_tokenizer_is_refused(tmp_path):
    folder = Path(saved(tmp_path / "model", "byte_level", "chatml"))
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["auto_map"] = {"AutoTokenizer": ["evil.Tokenizer", None]}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(RunRefused, match=r"auto_map .*Python code that came with the model"):
        load_tokenizer(str(folder), "chatml")


@pytest.mark.parametrize("content", [None, "not json"])
def test_a_folder_without_a_tokenizer_is_told(content, tmp_path):
    if content:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(RunRefused, match="no tokenizer can be read from"):
        load_tokenizer(str(tmp_path), "chatml")


def test_new_tokens_are_one_token_each(tmp_path):
    folder = saved(tmp_path / "model", "byte_level", "zephyr")
    before = load_tokenizer(folder, "zephyr")
    after = load_tokenizer(folder, "zephyr", ["<|thought|>"])
    sizes = [len(row) for one in (before, after) for row in Encoder(one).encode([conversation("<|thought|>", "b")])]
    assert sizes[1] < sizes[0]
    assert before.digest != after.digest


def test_a_conversation_the_template_refuses_is_told_and_the_others_stand():
    odd = [{"role": "tool", "content": "x"}]
    rows = encoder("byte_level", "zephyr").encode([conversation("a", "b"), odd, conversation("c", "d")])
    assert [type(row) for row in rows] == [Row, str, Row]
    assert rows[1] == "zephyr knows the roles system, user and assistant, not tool"


def test_a_refusal_without_a_word_is_told_by_its_kind():
    assert render([conversation("a", "b")], "{{ raise_exception('') }}", {}) == ["TemplateError"]
