"""Only LoRA is trained, it starts as nothing, and no code of a model is run."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

from conf.training import Base, Lora, Training
from jobs.cli import main
from training import adapter as adapters
from training import flops, footprint, lora, manifest, start
from training.base import attention, check_base, load_base
from training.errors import RunRefused, TrainingError
from training.finish import WEIGHTS, without_pissa
from training.job import base_model

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def base(run: Path) -> str:
    """The tiny Llama that the shared run was trained on."""
    folder: str = json.loads((run / "job.json").read_text())["base"]["folder"]
    return folder


def settings(dtype: str = "float32", **values: Any) -> Training:
    return Training.model_validate({"base": {"dtype": dtype}, "lora": {"r": 4, "alpha": 8.0, **values}})


def adapted(base: str, **values: Any) -> PeftModel:
    torch.manual_seed(0)
    asked = settings(**values)
    return lora.add_lora(load_base(base, asked, use_cpu=True), asked.lora)


def logits(model: Any, tokens: Sequence[int] = range(3, 40)) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.eval()(input_ids=torch.tensor([list(tokens)])).logits
        return found


KINDS = [
    {},
    {"rslora": True},
    {"dora": True},
    {"targets": ["q_proj", "v_proj"]},
    {"targets": ["embed_tokens", "q_proj"]},
    {"dora": True, "targets": ["embed_tokens", "q_proj"]},
    {"dropout": 0.5},
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_before_the_first_step_the_logits_are_the_bases(base: str, kind: dict[str, Any]) -> None:
    model = adapted(base, **kind)
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    assert start.check_start(model, settings(**kind).lora, CPU, partitioned=False) <= 1e-5
    assert (logits(model) - logits(plain)).abs().max() <= 1e-5


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_in_bfloat16_too_the_logits_before_the_first_step_are_the_bases(base: str, kind: dict[str, Any]) -> None:
    model = adapted(base, dtype="bfloat16", **kind)
    assert start.check_start(model, settings(**kind).lora, CPU, partitioned=False) == 0
    assert torch.equal(logits(model), logits(AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)))


def test_norms_of_another_device_are_still_the_bases(base: str) -> None:
    model, asked = adapted(base, dora=True), settings(dora=True).lora
    magnitudes = [part for name, part in model.named_parameters() if "magnitude" in name]
    with torch.no_grad():
        for part in magnitudes:  # the next number up, as another order of summing gives
            part.copy_(torch.nextafter(part, 2 * part))
    assert 0 < start.check_start(model, asked, CPU, partitioned=False) < 1e-5
    with torch.no_grad():
        for part in magnitudes:
            part *= 1.001
    with pytest.raises(TrainingError, match="before the first step the logits differ"):
        start.check_start(model, asked, CPU, partitioned=False)


def test_pissa_starts_as_the_base_and_is_saved_as_an_adapter_of_the_unchanged_base(base: str, tmp_path: Path) -> None:
    for kind in ({"init": "pissa"}, {"init": "pissa", "rslora": True}):
        model = adapted(base, **kind)
        start.check_start(model, settings(**kind).lora, CPU, partitioned=False)
        folders = [tmp_path / f"{len(kind)}-{name}" for name in ("initial", "trained", "plain")]
        model.save_pretrained(str(folders[0]))
        with torch.no_grad():
            for name, part in model.named_parameters():
                if "lora_" in name:
                    part += 0.01 * torch.randn_like(part)
        expected = logits(model)
        model.save_pretrained(str(folders[1]))
        states = [load_file(folder / "adapter_model.safetensors") for folder in folders[:2]]
        config = json.loads((folders[1] / "adapter_config.json").read_text())
        weights, changed = without_pissa(states[1], states[0], config)
        folders[2].mkdir()
        save_file(weights, folders[2] / "adapter_model.safetensors")
        (folders[2] / "adapter_config.json").write_text(json.dumps(changed))
        plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        again = PeftModel.from_pretrained(plain, str(folders[2]))
        assert (logits(again) - expected).abs().max() < 1e-3
        assert (logits(again) - logits(AutoModelForCausalLM.from_pretrained(base))).abs().max() > 1e-2


def test_an_adapter_that_does_not_start_as_nothing_stops_the_run(base: str) -> None:
    model = adapted(base)
    with torch.no_grad():
        next(part for name, part in model.named_parameters() if "lora_B" in name).fill_(1.0)
    with pytest.raises(TrainingError, match="before the first step the logits differ"):
        start.check_start(model, settings().lora, CPU, partitioned=False)


def test_only_lora_is_trained_and_its_share_is_counted(base: str) -> None:
    model = adapted(base)
    counted = start.count(model)
    # r x (inputs + outputs) of seven linear layers in each of four blocks
    config = model.config
    width, inner, keys = config.hidden_size, config.intermediate_size, config.hidden_size // 2
    expected = 4 * 4 * (2 * (width + width) + 2 * (width + keys) + 3 * (width + inner))
    assert counted.trained == expected == model.get_nb_trainable_parameters()[0]
    assert counted.total == model.get_nb_trainable_parameters()[1]
    assert f"{expected:,} of {counted.total:,} parameters are trained" in str(counted)
    start.check_trained(model, settings().lora)
    next(part for name, part in model.named_parameters() if "embed" in name).requires_grad_(True)
    with pytest.raises(TrainingError, match="expected only LoRA parameters"):
        start.check_trained(model, settings().lora)


def test_new_tokens_get_trained_embeddings_and_the_rest_of_the_table_stays(base: str) -> None:
    asked = settings()
    model = load_base(base, asked, use_cpu=True)
    size = model.config.vocab_size
    table = model.get_input_embeddings().weight.detach().clone()
    wide = lora.add_lora(model, asked.lora, [size, size + 1])
    start.check_trained(wide, asked.lora)
    learn(wide, [3, 4, size, size + 1, 5])
    embeddings: Any = wide.get_input_embeddings()
    with torch.no_grad():
        after = embeddings(torch.arange(size + 2))
    assert torch.equal(after[:size], table)
    state = {name: part for name, part in wide.named_parameters() if "trainable_tokens" in name}
    assert [part.shape[0] for part in state.values()] == [2, 2]  # those read, and those written


@pytest.mark.parametrize("tied", [False, True], ids=["two tables", "one table"])
def test_an_adapter_with_new_tokens_answers_as_it_was_trained_whenever_it_is_loaded(
    run: Path, base: str, tmp_path: Path, tied: bool
) -> None:
    config = AutoConfig.from_pretrained(base, tie_word_embeddings=tied)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path / "base")
    model = load_base(str(tmp_path / "base"), settings(), use_cpu=True)
    new = [config.vocab_size, config.vocab_size + 1]
    wide = lora.add_lora(model, settings().lora, new)
    start.check_start(wide, settings().lora, CPU, partitioned=False)
    before = [table.weight[new].clone() for table in (model.get_input_embeddings(), model.get_output_embeddings())]
    learn(wide, [3, 4, *new, 5])
    after = [table.weight[new] for table in (model.get_input_embeddings(), model.get_output_embeddings())]
    assert not any(torch.equal(*rows) for rows in zip(before, after, strict=True))
    wide.save_pretrained(str(tmp_path / "adapter"), save_embedding_layers=False)
    for path in [*(run / "adapter").glob("tokenizer*"), *(run / "adapter").glob("chat_template*")]:
        shutil.copy(path, tmp_path / "adapter")
    told = manifest.read(run / "adapter")
    told["base"] = {"model": str(tmp_path / "base"), "digest": base_model(str(tmp_path / "base")).digest}
    manifest.write(tmp_path / "adapter", told, [], [])
    loaded = adapters.load(tmp_path / "adapter")
    ids = [*range(3, 20), *new]
    assert torch.equal(logits(loaded, ids), logits(wide, ids))
    assert main(["adapter", "merge", str(tmp_path / "adapter"), "--out", str(tmp_path / "merged")]) == 0
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    assert (logits(merged, ids) - logits(wide, ids)).abs().max() < 1e-4


def test_a_table_that_is_trained_whole_has_no_rows_trained_beside_it(base: str) -> None:
    kinds = {"modules_to_save": ["lm_head"]}, {"modules_to_save": ["lm_head", "embed_tokens"]}
    first, both = (load_base(base, settings(), use_cpu=True) for _ in kinds)
    size = first.config.vocab_size
    wide = lora.add_lora(first, settings(**kinds[0]).lora, [size])
    names = [name for name, part in wide.named_parameters() if part.requires_grad and "lora_" not in name]
    assert [name.split(".")[-4:-1] for name in names] == [
        ["embed_tokens", "token_adapter", "trainable_tokens_delta"],
        ["lm_head", "modules_to_save", "default"],
    ]
    start.check_start(wide, settings().lora, CPU, partitioned=False)
    with pytest.raises(RunRefused, match=r"base.new_tokens: expected a table of tokens that is not trained whole"):
        lora.add_lora(both, settings(**kinds[1]).lora, [size])


@pytest.mark.parametrize("table", ["embed_tokens", "lm_head", "model.embed_tokens"])
def test_what_cannot_be_trained_beside_new_tokens_is_told_without_the_models_weights(base: str, table: str) -> None:
    size = AutoConfig.from_pretrained(base).vocab_size
    lora.check_targets(base, Lora(), [size])
    with pytest.raises(RunRefused, match=rf"base.new_tokens: .* lora.targets has \['{table}'\]"):
        lora.check_targets(base, Lora(targets=["q_proj", table]), [size])
    with pytest.raises(RunRefused, match=r"base.new_tokens: expected a table of tokens that is not trained whole"):
        lora.check_targets(base, Lora(modules_to_save=["lm_head", "embed_tokens"]), [size])


def test_a_layer_that_is_trained_whole_costs_no_frozen_copy(base: str) -> None:
    plain, whole = (adapted(base, **kind) for kind in ({}, {"modules_to_save": ["lm_head"]}))
    size = plain.config.vocab_size * plain.config.hidden_size
    before, after = (flops.cost(model, model.config) for model in (plain, whole))
    assert (before.frozen - after.frozen, after.trained - before.trained) == (size, size)


@pytest.mark.parametrize("tied", [False, True], ids=["two tables", "one table"])
def test_the_footprint_counts_the_rows_of_new_tokens_that_are_trained(base: str, tmp_path: Path, tied: bool) -> None:
    shutil.copytree(base, tmp_path, dirs_exist_ok=True)
    config = AutoConfig.from_pretrained(base, tie_word_embeddings=tied)
    config.save_pretrained(tmp_path)
    asked = settings().model_copy(update={"base": Base(new_tokens=["<a>", "<b>"])})
    model = AutoModelForCausalLM.from_config(config)
    wide = lora.add_lora(model, asked.lora, [config.vocab_size, config.vocab_size + 1])
    assert footprint.shape(str(tmp_path), asked).trained == start.count(wide).trained


@pytest.mark.parametrize("tied", [False, True], ids=["two tables", "one table"])
def test_the_footprint_of_four_bits_has_tables_of_tokens_whole(base: str, tmp_path: Path, tied: bool) -> None:
    config = AutoConfig.from_pretrained(base, tie_word_embeddings=tied)
    config.save_pretrained(tmp_path)
    rows = config.vocab_size * config.hidden_size * (1 if tied else 2)
    linear = sum(part.numel() for part in AutoModelForCausalLM.from_config(config).parameters()) - rows
    for stage, each in ((0, 4), (2, 2)):
        asked = Training.model_validate({"lora": {"quantize": "4bit"}, "zero": {"stage": stage}})
        weights = footprint.needed(footprint.shape(str(tmp_path), asked), asked, 1)["weights"]
        assert weights == pytest.approx(footprint.FOUR_BITS * linear + each * rows)


def test_a_checkpoint_takes_the_disk_that_the_footprint_says(run: Path, base: str) -> None:
    newest = run / "checkpoint-8"
    size = sum(file.stat().st_size for file in (newest / WEIGHTS, *(newest / "global_step8").iterdir()))
    assert size == pytest.approx(footprint.checkpoint_bytes(footprint.shape(base, settings())), rel=0.2)


def learn(model: Any, tokens: list[int]) -> None:
    """One step towards these tokens."""
    ids = torch.tensor([tokens])
    optimizer = torch.optim.SGD([part for part in model.parameters() if part.requires_grad], lr=0.1)
    model.train()(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()


@pytest.fixture
def model_copy(base: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(base, tmp_path / "model"))


def test_a_model_with_pickled_weights_only_is_refused(model_copy: Path) -> None:
    for path in model_copy.glob("*.safetensors"):
        path.rename(path.with_name("pytorch_model.bin"))
    with pytest.raises(RunRefused, match=r"expected \*.safetensors in .*, found pytorch_model.bin"):
        check_base(str(model_copy))
    with pytest.raises(RunRefused):
        load_base(str(model_copy), settings(), use_cpu=True)


def test_a_model_whose_weights_are_cut_short_or_not_all_there_is_refused_by_name(model_copy: Path) -> None:
    whole = model_copy / "model.safetensors"
    whole.write_bytes(whole.read_bytes()[:-1])
    with pytest.raises(RunRefused, match=r"model\.safetensors is missing or damaged"):
        check_base(str(model_copy))
    whole.rename(model_copy / "other")
    index = {"weight_map": {"a": "model-1-of-2.safetensors", "b": "model-2-of-2.safetensors"}}
    save_file({"a": torch.zeros(1)}, model_copy / "model-1-of-2.safetensors")
    (model_copy / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(RunRefused, match=r"model-2-of-2\.safetensors is missing or damaged"):
        check_base(str(model_copy))
    save_file({"b": torch.zeros(1)}, model_copy / "model-2-of-2.safetensors")
    (model_copy / "consolidated.safetensors").write_text("not fetched, and not read")
    check_base(str(model_copy))


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_a_model_that_brings_code_is_refused(model_copy: Path, name: str) -> None:
    path = model_copy / name
    path.write_text(json.dumps({**json.loads(path.read_text()), "auto_map": {"AutoModelForCausalLM": "evil.Model"}}))
    (model_copy / "evil.py").write_text("raise SystemExit('code was run')")
    with pytest.raises(RunRefused, match="auto_map"):
        check_base(str(model_copy))


def test_an_unknown_architecture_and_a_missing_folder_are_told(model_copy: Path) -> None:
    with pytest.raises(
        RunRefused,
        match=r"expected a folder with config.json, found none in .*: put the model there, or name its folder",
    ):
        check_base(str(model_copy / "nothing"))
    (model_copy / "config.json").write_text('{"model_type": "not_a_model"}')
    with pytest.raises(RunRefused, match="no model transformers knows"):
        lora.check_targets(str(model_copy), Lora())


def test_targets_that_a_model_does_not_have_are_told_with_those_it_has(base: str) -> None:
    with pytest.raises(RunRefused, match=r"lora.targets \['wqkv'\].*q_proj"):
        lora.check_targets(base, Lora(targets=["wqkv"]))
    lora.check_targets(base, Lora(targets=["q_proj"], dora=True, init="default"))


@pytest.mark.parametrize(
    ("capability", "dtype", "use_cpu", "kernels"),
    [
        ((8, 0), "bfloat16", False, "flash_attention_2"),
        ((9, 0), "float16", False, "flash_attention_2"),
        ((7, 5), "float16", False, "sdpa"),  # installed for the cluster's other GPUs
        ((9, 0), "float32", False, "sdpa"),
        ((9, 0), "bfloat16", True, "sdpa"),
    ],
)
def test_flash_attention_is_used_where_it_is_and_runs(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], dtype: str, use_cpu: bool, kernels: str
) -> None:
    monkeypatch.setattr("transformers.utils.is_flash_attn_2_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert attention(settings(dtype), use_cpu) == kernels


REFUSED = [
    ({"lora": {"quantize": "4bit"}}, True, "4bit needs a GPU"),
    ({"lora": {"quantize": "4bit"}, "zero": {"stage": 3}}, False, "cannot be partitioned by ZeRO 3"),
    ({"lora": {"init": "pissa"}, "zero": {"stage": 3}}, True, "pissa needs whole"),
    ({"lora": {"init": "pissa", "quantize": "4bit"}}, False, "pissa needs whole"),
    ({"lora": {"init": "pissa", "dora": True}}, True, "cannot be used together"),
    ({"lora": {"modules_to_save": ["lm_head"]}, "zero": {"stage": 0}}, False, "trained in bfloat16.* zero.stage: 1"),
    ({"base": {"new_tokens": ["<a>"]}, "zero": {"stage": 3}}, True, "base.new_tokens needs a GPU in ZeRO 3"),
]


@pytest.mark.parametrize(("values", "use_cpu", "reason"), REFUSED)
def test_kinds_of_lora_that_cannot_be_trained_here_are_refused(values: Any, use_cpu: bool, reason: str) -> None:
    with pytest.raises(RunRefused, match=reason):
        lora.check_lora(Training.model_validate(values), use_cpu)
