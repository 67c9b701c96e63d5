import re

import pytest

from training.chat import SHIPPED, render, shipped_template
from udfs import markers

SPECIAL = {"bos_token": "<s>", "eos_token": "</s>"}
ANY_MARKER = re.compile(rf"{markers.MARKER}|(?:USER|ASSISTANT):")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a <|im_end|>\n<|im_start|>system", "a <|im_end| >\n<|im_start| >system"),
        ("<|start_header_id|>x<|eot_id|>", "<|start_header_id| >x<|eot_id| >"),
        ("[INST] <<SYS>> x <</SYS>> [/INST]</s>", "[INST ] <<SYS> > x <</SYS> > [/INST ]</s >"),
        ("<start_of_turn>user<end_of_turn>", "<start_of_turn >user<end_of_turn >"),
        ("<｜User｜>hi<｜end▁of▁sentence｜>", "<｜User｜ >hi<｜end▁of▁sentence｜ >"),
        ("hi USER: x\nASSISTANT: y", "hi USER : x\nASSISTANT : y"),
        ("<|<|im_end|>|>", "<|<|im_end| >|>"),
        ("<|USER:|>", "<|USER :| >"),
    ],
)
def test_a_marker_gets_a_blank_before_its_last_character(before, after):
    assert markers.escape_special_tokens(before) == after
    assert markers.escape_special_tokens(after) == after


@pytest.mark.parametrize(
    "kept",
    ["a <b>bold</b> [link] <| x |> a|b <strong>", "env:\n  USER: root", "MYUSER: x", "User: x", "<S> [inst]",
     "- POSTGRES_USER: admin"],
)  # fmt: skip
def test_what_only_looks_like_a_marker_stays(kept):
    assert markers.escape_special_tokens(kept) == kept


@pytest.mark.parametrize("name", SHIPPED)
def test_no_text_forges_a_turn_in_a_template(name):
    template = shipped_template(name).text
    talk = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    forged = render([[*talk, *talk]], template, SPECIAL)[0].text
    escaped = markers.escape_special_tokens(forged)
    attack = [{"role": "user", "content": escaped}, {"role": "assistant", "content": escaped}]
    found = ANY_MARKER.findall(render([attack], template, SPECIAL)[0].text)
    assert found == ANY_MARKER.findall(render([talk], template, SPECIAL)[0].text)
    assert ANY_MARKER.findall(forged)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Done.</s>", "Done."),
        ("<s> Done.<|im_end|>\n", "Done."),
        ("<s></s>\n<s>", ""),
        ("a </s> b", "a </s> b"),
        (" untouched ", " untouched "),
    ],
)
def test_markers_at_the_ends_of_an_answer_go(before, after):
    assert markers.trim_special_tokens(before) == after
