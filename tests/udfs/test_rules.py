import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conf.settings import Edits
from tests.udfs.test_text import pieces
from udfs import rules, text

ALL = tuple(edit.name for edit in rules.EDITS)
encodable = pieces.map(lambda written: written.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def test_the_recipe_has_a_key_for_every_edit_and_no_other():
    assert tuple(Edits.model_fields) == ALL


def test_each_text_names_the_edits_that_changed_it():
    texts = pa.array(["fine", " It’s\r\n\n\n\nme ", None, ""])
    edited, masks = rules.edit(texts, ALL)
    assert edited.to_pylist() == ["fine", "It's\n\nme", "", ""]
    assert rules.labels(masks, 4).to_pylist() == [[], list(ALL), [], []]


def test_an_edit_that_is_off_changes_nothing():
    edited, masks = rules.edit(pa.array([" It’s "]), ("straighten_quotes",))
    assert edited.to_pylist() == [" It's "]
    assert list(masks) == ["straighten_quotes"]
    assert rules.edit(pa.array([" It’s "]), ())[0].to_pylist() == [" It’s "]


def test_an_unknown_edit_is_refused_by_name():
    with pytest.raises(ValueError, match=r"no edit is called fix_unicorn; expected some of collapse_newlines"):
        rules.edit(pa.array(["a"]), ("fix_unicorn",))


def test_labels_of_no_text_and_of_no_edit_are_empty_lists():
    assert rules.labels({}, 0).to_pylist() == []
    assert rules.labels({}, 2).to_pylist() == [[], []]
    assert rules.labels({"a": np.array([True, False]), "b": np.array([True, True])}, 2).to_pylist() == [
        ["a", "b"],
        ["b"],
    ]


@settings(max_examples=200, deadline=None)
@given(st.lists(encodable, max_size=5))
def test_editing_an_edited_text_changes_nothing(written):
    once, _ = rules.edit(pa.array(written, pa.string()), ALL)
    twice, masks = rules.edit(once, ALL)
    assert twice.equals(once)
    assert not any(mask.any() for mask in masks.values())


@settings(max_examples=100, deadline=None)
@given(st.lists(encodable, max_size=5))
def test_a_batch_is_edited_as_its_texts_are_one_by_one(written):
    edited, masks = rules.edit(pa.array(written, pa.string()), ("fix_unicode",))
    assert edited.to_pylist() == [text.fix_unicode(each) for each in written]
    assert masks["fix_unicode"].tolist() == [text.fix_unicode(each) != each for each in written]
