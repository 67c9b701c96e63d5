"""The small model is whole, offline, the same every time, and knows every template's tokens."""

import json
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from conf.recipe import load
from conf.training import Training
from tests.versions.lakes import make_lake
from training.chat import SHIPPED, load_tokenizer, shipped_template
from training.corpus import Corpus, open_version
from training.encoding import Encoder
from training.errors import RunRefused
from training.tiny import SPECIAL, base_model


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return open_version(make_lake(tmp_path_factory.mktemp("tiny") / "lake", 60))


def settings_for(cache: Path, *overrides: str) -> Training:
    return load("smoke", [f"data.cache={cache}", *overrides], tree=Training)


@pytest.mark.parametrize("architecture", ["llama", "mistral"])
def test_the_small_model_is_read_by_transformers_as_its_architecture(architecture, corpus, tmp_path):
    folder = base_model(corpus, settings_for(tmp_path, f"base.tiny={architecture}"))
    model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    assert model.config.model_type == architecture
    assert model.get_input_embeddings().num_embeddings == len(tokenizer)
    assert sum(parameter.numel() for parameter in model.parameters()) < 3_000_000
    assert list(Path(folder).glob("*.safetensors"))


@pytest.mark.parametrize("template", SHIPPED)
def test_every_marker_of_the_template_is_one_token(template, corpus, tmp_path):
    folder = base_model(corpus, settings_for(tmp_path, f"base.template={template}"))
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    assert all(len(tokenizer.encode(token, add_special_tokens=False)) == 1 for token in SPECIAL[template])
    assert load_tokenizer(folder, "auto").template.text == shipped_template(template).text


def test_any_text_survives_the_small_tokenizer(corpus, tmp_path):
    text = "Ünïcode 漢字 🙂\x00\x7f\t  \n"
    tokenizer = load_tokenizer(base_model(corpus, settings_for(tmp_path)), "chatml")
    row = Encoder(tokenizer).encode([[{"role": "user", "content": text}, {"role": "assistant", "content": text}]])[0]
    assert not isinstance(row, str)
    assert Encoder(tokenizer).decode(row.ids).count(text) == 2


def test_the_same_dataset_gives_the_same_files(corpus, tmp_path):
    folders = [Path(base_model(corpus, settings_for(tmp_path / name))) for name in ("one", "two")]
    assert folders[0].name == folders[1].name
    for name in ("tokenizer.json", "model.safetensors", "config.json"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()


def test_a_model_that_is_there_is_left_alone(corpus, tmp_path):
    model = tmp_path / "model"
    settings = settings_for(tmp_path, f"base.model={model}")
    assert base_model(corpus, settings) == str(model)
    before = (model / "model.safetensors").stat()
    assert base_model(corpus, settings) == str(model)
    assert (model / "model.safetensors").stat() == before
    assert json.loads((model / "config.json").read_text())["num_hidden_layers"] == 4


def test_without_a_model_and_without_leave_to_build_one_nothing_starts(corpus, tmp_path):
    with pytest.raises(RunRefused, match=r"set base\.model to its folder, or base\.tiny"):
        base_model(corpus, settings_for(tmp_path, "base.tiny=off"))


def test_a_folder_of_something_else_is_not_written_over(corpus, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "thesis.txt").write_text("mine")
    with pytest.raises(RunRefused, match="is there and holds no model"):
        base_model(corpus, settings_for(tmp_path, f"base.model={tmp_path / 'model'}"))
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["thesis.txt"]
