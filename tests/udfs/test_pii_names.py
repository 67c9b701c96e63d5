import shutil

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs import models
from udfs import pii, pii_names


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return pii_names.open_model(models.save(tmp_path_factory.mktemp("names") / "model"))


def _mask(model, *conversations, kinds=("email",)):
    offsets = np.cumsum([0, *map(len, conversations)])
    texts = pa.array([text for each in conversations for text in each], pa.string())
    masked = pii.mask(texts, offsets, kinds, model)
    return masked.contents.to_pylist(), np.flatnonzero(masked.changed["mask_name"]).tolist()


def test_a_person_has_one_pseudonym_in_a_conversation_however_the_name_is_written(model):
    masked = _mask(model, ["I am Ana Silva, not Theo.", "Hello ANA silva!"], ["theo asks", "Acme"], [None])
    assert masked == (["I am NAME_1, not NAME_2.", "Hello NAME_1!", "NAME_1 asks", "Acme", ""], [0, 1, 2])


def test_pseudonyms_that_are_there_stay_and_are_not_given_again(model):
    assert _mask(model, ["NAME_1 met theo and NAME_3", "Ana Silva"]) == (
        ["NAME_1 met NAME_2 and NAME_3", "NAME_4"],
        [0, 1],
    )


def test_a_name_inside_another_value_is_part_of_that(model):
    assert _mask(model, ["Theo: theo@example.org"])[0] == ["NAME_1: EMAIL_1"]


def test_without_a_model_names_stay():
    masked = pii.mask(pa.array(["Ana Silva"]), np.array([0, 1]), ("email",))
    assert (masked.contents.to_pylist(), list(masked.changed)) == (["Ana Silva"], ["mask_email"])


def test_names_are_found_in_long_texts_at_their_place(model):
    text = "word " * 60_000 + "Ana Silva " + "x" * 250_000 + " theo"
    found = list(pii_names.people(text, model))
    assert [(text[start:end], value) for start, end, value in found] == [("Ana Silva", "ana silva"), ("theo", "theo")]


words = st.lists(
    st.sampled_from(["Ana Silva", "theo", "NAME_1", "NAME_12", "a@b.org", "hi", ",", "\n", "日本"]), max_size=8
)


@settings(max_examples=100, deadline=None)
@given(st.lists(words.map(" ".join), max_size=4))
def test_masking_masked_names_changes_nothing_and_restoring_gives_every_byte(model, texts):
    once = pii.mask(pa.array(texts, pa.string()), np.array([0, len(texts)]), ("email",), model)
    twice = pii.mask(once.contents, np.array([0, len(texts)]), ("email",), model)
    assert twice.contents.to_pylist() == once.contents.to_pylist()
    for place, text in enumerate(once.contents.to_pylist()):
        steps = [(one.offset, one.pseudonym, one.original) for one in once.replaced if one.message == place]
        assert pii.restore(text, steps) == texts[place]


def test_a_model_is_known_by_its_files(tmp_path, model):
    assert pii_names.open_model(models.save(tmp_path / "same")).digest == model.digest
    (tmp_path / "same" / "more").write_text("")
    assert pii_names.open_model(str(tmp_path / "same")).digest != model.digest


def test_a_model_that_takes_the_place_of_another_is_the_one_that_is_asked(tmp_path):
    before = pii_names.open_model(models.save(tmp_path / "model"))
    assert [found.value for found in pii_names.people("theo", before)] == ["theo"]
    shutil.rmtree(tmp_path / "model")
    with pytest.raises(ValueError, match="finds no names"):
        pii_names.open_model(models.save(tmp_path / "model", people=False))


def test_what_is_no_model_of_names_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"there is no folder .*nowhere: expected a spaCy pipeline"):
        pii_names.open_model(str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match=r"cannot load .*meta.json"):
        pii_names.open_model(str(tmp_path))
    with pytest.raises(ValueError, match="finds no names: expected ner or entity_ruler in it, found sentencizer"):
        pii_names.open_model(models.save(tmp_path / "cutter", people=False))
