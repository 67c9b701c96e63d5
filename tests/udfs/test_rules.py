import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conf.rules import Edits
from tests.udfs.test_text import pieces
from udfs import rules, text
from udfs.annotation import Plan, annotate
from udfs.repair import Options, SystemPrompt

ALL = tuple(edit.name for edit in rules.EDITS)
REPAIRS = ("fix_unicode", "straighten_quotes", "collapse_newlines", "trim_whitespace")
TOLD = Options(
    newlines=2, names=(("Samantha", ""), ("Theodore", "Sam")), system=SystemPrompt("replace", " Be “kind”.\r\n</s>")
)
roles = st.sampled_from(["system", "user", "assistant", "tool", None])
encodable = pieces.map(lambda written: written.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def test_the_recipe_has_a_key_for_every_edit_and_no_other():
    assert tuple(Edits.model_fields) == ALL


def _edit(texts, enabled, roles=None, options=None):
    roles = pa.array(roles or ["user"] * len(texts), pa.string())
    edited, masks = rules.edit(pa.array(texts, pa.string()), roles, enabled, options or Options())
    return edited.to_pylist(), masks


def test_each_text_names_the_edits_that_changed_it():
    edited, masks = _edit(["fine", " It’s\r\n\n\n\nme ", None, ""], ALL)
    assert edited == ["fine", "It's\n\nme", "", ""]
    assert rules.labels(masks, 4).to_pylist() == [[], list(REPAIRS), [], []]


def test_an_edit_that_is_off_changes_nothing():
    edited, masks = _edit([" It’s "], ("straighten_quotes",))
    assert edited == [" It's "]
    assert list(masks) == ["straighten_quotes"]
    assert _edit([" It’s "], ())[0] == [" It’s "]


def test_an_edit_for_some_roles_leaves_the_messages_of_others():
    texts, speakers = ["done</s>"] * 4, ["user", "assistant", None, "system"]
    edited, masks = _edit(texts, ("trim_special_tokens",), speakers)
    assert edited == ["done</s>", "done", "done</s>", "done</s>"]
    assert masks["trim_special_tokens"].tolist() == [False, True, False, False]
    second_round = _edit(["a <s>"] * 2, ("trim_special_tokens", "trim_whitespace"), ["user", "assistant"])[0]
    assert second_round == ["a <s>", "a"]


def test_a_text_that_an_edit_empties_is_named_and_its_conversation_is_blank():
    texts = pa.array(["hello", "<s></s>", "😀", "Regenerate response"])
    found = annotate(
        pa.array(["user", "assistant", "user", "assistant"]),
        texts,
        np.array([0, 2, 4]),
        Plan(edits=ALL, facts=("blank_message",)),
    )
    assert found.messages.content.to_pylist() == ["hello", "", "", ""]
    assert found.messages.edits.to_pylist() == [[], ["trim_special_tokens"], ["strip_emoji"], ["ui_junk"]]
    assert found.conversations.reasons.to_pylist() == [["blank_message"], ["blank_message"]]


def test_the_text_of_system_messages_is_settled_with_the_other_edits():
    edited, masks = _edit(["You are X.", "Be kind"], ALL, ["system", "user"], TOLD)
    assert edited == ['Be "kind".\n</s >', "Be kind"]
    assert masks["system_prompt"].tolist() == [True, False]
    again, masks = _edit(edited, ALL, ["system", "user"], TOLD)
    assert again == edited
    assert not any(mask.any() for mask in masks.values())


def test_an_unknown_edit_is_refused_by_name():
    with pytest.raises(ValueError, match=r"no edit is called fix_unicorn; expected some of and_or, collapse_newlines"):
        _edit(["a"], ("fix_unicorn",))


def test_labels_of_no_text_and_of_no_edit_are_empty_lists():
    assert rules.labels({}, 0).to_pylist() == []
    assert rules.labels({}, 2).to_pylist() == [[], []]
    assert rules.labels({"a": np.array([True, False]), "b": np.array([True, True])}, 2).to_pylist() == [
        ["a", "b"],
        ["b"],
    ]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(encodable, roles), max_size=50))
def test_editing_an_edited_text_changes_nothing(written):
    texts, speakers = [text for text, _ in written], [role for _, role in written]
    once, _ = _edit(texts, ALL, speakers, TOLD)
    twice, masks = _edit(once, ALL, speakers, TOLD)
    assert twice == once
    assert not any(mask.any() for mask in masks.values())


@settings(max_examples=100, deadline=None)
@given(st.lists(encodable, max_size=5))
def test_a_batch_is_edited_as_its_texts_are_one_by_one(written):
    edited, masks = _edit(written, ("fix_unicode",))
    assert edited == [text.fix_unicode(each) for each in written]
    assert masks["fix_unicode"].tolist() == [text.fix_unicode(each) != each for each in written]
