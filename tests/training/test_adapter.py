"""A finished adapter can be looked into, proved, merged and exported; each form gives the same answers."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from jobs.cli import main
from tests.training.runs import chat_lake
from training import adapter as adapters
from training import manifest
from training.finish import WEIGHTS

IDS = torch.arange(40).unsqueeze(0)


@pytest.fixture(scope="module")
def adapter(run: Path) -> Path:
    return run / "adapter"


@pytest.fixture(scope="module")
def expected(adapter: Path) -> torch.Tensor:
    """Logits of the base with the adapter, by peft itself."""
    base = AutoModelForCausalLM.from_pretrained(manifest.read(adapter)["base"]["model"])
    return logits(PeftModel.from_pretrained(base, str(adapter)))


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.eval()(input_ids=IDS).logits
        return found


def other_base(folder: Path, adapter: Path) -> Path:
    """The same architecture with one weight changed."""
    copy = Path(shutil.copytree(manifest.read(adapter)["base"]["model"], folder))
    path = next(copy.glob("*.safetensors"))
    weights = load_file(path)
    weights["lm_head.weight"] += 0.1
    save_file(weights, path, {"format": "pt"})
    return copy


def test_a_merged_model_answers_as_base_and_adapter_do(
    adapter: Path, expected: torch.Tensor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapter", "merge", str(adapter), "--out", str(tmp_path / "merged"), "--shard-gb", "0.001"]) == 0
    assert "max |difference of logits| = " in capsys.readouterr().out
    assert len(list((tmp_path / "merged").glob("model-*.safetensors"))) > 1
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert (logits(merged) - expected).abs().max() < 1e-4
    base = AutoModelForCausalLM.from_pretrained(manifest.read(adapter)["base"]["model"])
    assert (logits(merged) - logits(base)).abs().max() > 1e-2
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    assert "{% generation %}" in tokenizer.chat_template
    assert not list(tmp_path.glob(".*"))


class LoraLinear(torch.nn.Linear):
    """The layer of the loralib library, as its paper and README define it: W x + (alpha / r) B A x."""

    def __init__(self, inputs: int, outputs: int, r: int, lora_alpha: float):
        super().__init__(inputs, outputs, bias=False)
        self.lora_A = torch.nn.Parameter(torch.zeros(r, inputs))
        self.lora_B = torch.nn.Parameter(torch.zeros(outputs, r))
        self.scaling = lora_alpha / r

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + (x @ self.lora_A.T @ self.lora_B.T) * self.scaling


def with_lora_layers(folder: str, told: dict[str, Any]) -> Any:
    """The base's architecture with such layers, its weights at random."""
    config = AutoModelForCausalLM.from_pretrained(folder).config
    model = AutoModelForCausalLM.from_config(config)
    for name, part in list(model.named_modules()):
        if name.rpartition(".")[2] in told["target_modules"]:
            parent = model.get_submodule(name.rpartition(".")[0])
            layer = LoraLinear(part.in_features, part.out_features, told["r"], told["lora_alpha"])
            setattr(parent, name.rpartition(".")[2], layer)
    return model


def test_the_plain_form_loads_after_the_base_without_strictness(
    adapter: Path, expected: torch.Tensor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapter", "export", str(adapter), "--out", str(tmp_path / "plain")]) == 0
    folder = manifest.read(adapter)["base"]["model"]
    model = with_lora_layers(folder, json.loads((tmp_path / "plain" / "lora.json").read_text()))
    for path in Path(folder).glob("*.safetensors"):
        assert not model.load_state_dict(load_file(path), strict=False).unexpected_keys
    lora = torch.load(tmp_path / "plain" / "lora.pt", weights_only=True)
    assert not model.load_state_dict(lora, strict=False).unexpected_keys
    assert (logits(model) - expected).abs().max() < 1e-4
    safe = load_file(tmp_path / "plain" / "lora.safetensors")
    assert all(torch.equal(safe[name], lora[name]) for name in lora)


def test_the_plain_form_is_made_without_a_base_and_takes_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["adapter", "export", "adapter", "--out", "plain", "--base", "model"])
    assert "unrecognized arguments: --base model" in capsys.readouterr().err


def test_the_plain_form_of_rslora_has_a_scale_of_alpha_by_r() -> None:
    weights = {"base_model.model.x.q_proj.lora_A.weight": torch.ones(4, 2)}
    state, alpha = adapters.plain_state(weights, {"r": 4, "lora_alpha": 8, "use_rslora": True})
    assert state.keys() == {"x.q_proj.lora_A"}
    assert alpha / 4 == 8 / 4**0.5


def test_verify_recomputes_files_base_and_dataset(
    adapter: Path, chats: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapter", "verify", str(adapter), "--lake", chats]) == 0
    said = capsys.readouterr().out
    assert "as written" in said
    assert "none empty, all finite" in said
    assert f"{manifest.read(adapter)['dataset']['digest']} recomputed" in said


def test_another_base_or_another_dataset_is_refused_naming_both(
    adapter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = other_base(tmp_path / "other", adapter)
    for what in (["verify", str(adapter)], ["merge", str(adapter), "--out", str(tmp_path / "merged")]):
        assert main(["adapter", *what, "--base", str(base)]) == 2
        said = capsys.readouterr().err
        assert str(base) in said
        assert manifest.read(adapter)["base"]["model"] in said
    assert not (tmp_path / "merged").exists()
    lake = chat_lake(tmp_path / "lake", 40, seed=2)
    assert main(["adapter", "verify", str(adapter), "--lake", lake]) == 2
    assert "another dataset" in capsys.readouterr().err


def test_a_folder_without_a_model_is_not_taken_for_another_base(
    adapter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["adapter", "verify", str(adapter), "--base", str(tmp_path / "none")]) == 2
    assert f"expected a folder with config.json, found none in {tmp_path / 'none'}" in capsys.readouterr().err


BROKEN = [
    (lambda tensor: tensor[:0], "tensors are empty"),
    (lambda tensor: tensor * float("nan"), "NaN or infinity"),
]


@pytest.mark.parametrize(("breaks", "reason"), BROKEN, ids=["empty", "nan"])
def test_an_adapter_with_empty_or_broken_tensors_does_not_verify(
    adapter: Path, tmp_path: Path, breaks: Any, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(adapter, tmp_path / "copy"))
    weights = load_file(copy / WEIGHTS)
    name = next(iter(weights))
    save_file({**weights, name: breaks(weights[name]).contiguous()}, copy / WEIGHTS)
    assert main(["adapter", "verify", str(copy)]) == 1
    assert f"{WEIGHTS} not as written" in capsys.readouterr().err
    told = manifest.read(copy)
    told["files"] = {path.name: adapters.manifest.digests(copy)[path.name] for path in copy.iterdir()}
    del told["files"][manifest.FILE]
    (copy / manifest.FILE).write_text(json.dumps(told))
    assert main(["adapter", "verify", str(copy)]) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("size", [0, 5, 100, -1])
@pytest.mark.parametrize("what", ["inspect", "verify"])
def test_an_adapter_whose_weights_are_cut_short_is_refused_by_name(
    adapter: Path, tmp_path: Path, what: str, size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(adapter, tmp_path / "copy"))
    (copy / WEIGHTS).write_bytes((copy / WEIGHTS).read_bytes()[:size])
    assert main(["adapter", what, str(copy)]) == 1
    said = capsys.readouterr().err
    assert WEIGHTS in said and said.count("\n") == 1


def test_inspect_tells_what_an_adapter_is(adapter: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adapter", "inspect", str(adapter)]) == 0
    said = capsys.readouterr().out
    for text in ("pin baseline", "LoRA r 4, alpha 8", "chatml", "q_proj", "yes, with --max-lora-rank 4", "train_loss"):
        assert text in said


def test_the_layout_is_the_one_peft_and_vllm_read(adapter: Path) -> None:
    names = load_file(adapter / WEIGHTS).keys()
    assert all(name.startswith("base_model.model.model.layers.") for name in names)
    assert {name.rpartition(".")[0].rpartition(".")[2] for name in names} == {"lora_A", "lora_B"}
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["peft_type"] == "LORA"
    assert not config["modules_to_save"]
    assert (adapter / "tokenizer.json").is_file()


def test_nothing_is_written_over(adapter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "there").mkdir()
    assert main(["adapter", "merge", str(adapter), "--out", str(tmp_path / "there")]) == 2
    assert "exists already" in capsys.readouterr().err
