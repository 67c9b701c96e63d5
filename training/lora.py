"""Which parameters are trained? The base model from safetensors, frozen, and peft's LoRA layers in it."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from peft.utils.integrations import gather_params_ctx
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel
from transformers.utils import logging

from conf.training import Lora, Training
from training.chat import refuse_code
from training.errors import RunRefused, TrainingError

SMALL = {"default": 0.0, "pissa": 2e-2}
"""Largest relative difference of logits to the base before the first step; PiSSA splits W in two and rounds twice."""


AMPERE = (8, 0)
"""CUDA capability of the oldest GPUs that flash attention 2 has kernels for."""


class Trainable(NamedTuple):
    """Parameters that are trained, and all of them."""

    trained: int
    total: int

    def __str__(self) -> str:
        return f"{self.trained:,} of {self.total:,} parameters are trained ({self.trained / self.total:.4%})"


def check_base(folder: str) -> None:
    """Raises RunRefused unless ``folder`` is a model that can be read without running code of others."""
    path = Path(folder)
    if not (path / "config.json").is_file():
        raise RunRefused(f"base.model: expected a folder with config.json, found none in {folder}")
    for name in ("config.json", "tokenizer_config.json"):
        refuse_code(folder, name)
    if not list(path.glob("*.safetensors")):
        others = sorted(file.name for file in path.glob("*.bin")) or ["no weights at all"]
        raise RunRefused(
            f"base.model: expected *.safetensors in {folder}, found {', '.join(others[:3])}. Pickled weights can run "
            "code when they are read: convert them first, with save_pretrained of a machine you trust."
        )


def check_lora(settings: Training, use_cpu: bool) -> None:
    """Raises RunRefused for a kind of LoRA that this device or this ZeRO stage cannot train."""
    lora, stage = settings.lora, settings.zero.stage
    if lora.quantize == "4bit" and use_cpu:
        raise RunRefused("lora.quantize: 4bit needs a GPU (bitsandbytes), and this run is on the CPU; write none")
    if lora.quantize == "4bit" and stage == 3:
        raise RunRefused("lora.quantize: 4bit weights cannot be partitioned by ZeRO 3; write zero.stage: 2")
    if lora.init == "pissa" and (lora.quantize == "4bit" or stage == 3):
        raise RunRefused("lora.init: pissa needs whole, unquantized weights; use zero.stage 0, 1 or 2 and no quantize")
    if lora.init == "pissa" and lora.dora:
        raise RunRefused("lora.init: pissa and lora.dora cannot be used together; choose one")
    if settings.base.new_tokens and use_cpu and stage == 3:
        raise RunRefused("base.new_tokens needs a GPU in ZeRO 3, and this run is on the CPU; write zero.stage: 2")


def check_targets(folder: str, lora: Lora, new_tokens: list[int] | None = None) -> None:
    """Raises RunRefused if transformers does not know the model's architecture, it has no such modules, or they cannot
    be trained beside the rows of ``new_tokens``.

    Built without weights, in a second, whatever the model's size.
    """
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        with torch.device("meta"):
            empty = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise RunRefused(
            f"base.model: {folder} is no model transformers knows: {str(error).splitlines()[0]}"
        ) from error
    plain = lora.model_copy(update={"init": "default", "dora": False, "quantize": "none"})
    with torch.device("meta"):
        add_lora(empty, plain, new_tokens)


def load_base(folder: str, settings: Training, use_cpu: bool) -> PreTrainedModel:
    """The frozen base, in ``base.dtype``; with 4-bit weights if asked. Under ZeRO 3 each rank holds only its part."""
    check_base(folder)
    logging.disable_progress_bar()
    options: dict[str, Any] = {"dtype": getattr(torch, settings.base.dtype)}
    options["attn_implementation"] = attention(settings, use_cpu)
    if settings.lora.quantize == "4bit":
        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    try:
        model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
            folder, use_safetensors=True, trust_remote_code=False, local_files_only=True, **options
        )
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise RunRefused(f"the base model in {folder} cannot be loaded: {str(error).splitlines()[0]}") from error
    # A cache of keys and values would also switch off the mask that keeps packed conversations apart.
    model.config.use_cache = False
    return model


def attention(settings: Training, use_cpu: bool) -> str:
    """The attention kernels used: flash attention's varlen ones where they are there and run, else PyTorch's sdpa.

    They run in half precision, on GPUs from Ampere on.
    """
    if settings.base.attention != "auto":
        return settings.base.attention
    from transformers.utils import is_flash_attn_2_available

    has_flash = not use_cpu and settings.base.dtype != "float32" and is_flash_attn_2_available()
    return "flash_attention_2" if has_flash and torch.cuda.get_device_capability() >= AMPERE else "sdpa"


def lora_config(lora: Lora, rows: dict[str, list[int]] | None = None) -> LoraConfig:
    """peft's configuration for these settings; ``rows`` are the token ids trained in each table of tokens."""
    targets: str | list[str] = "all-linear" if lora.targets == ["all-linear"] else lora.targets
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.r,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # peft computes with it as a float
        lora_dropout=lora.dropout,
        target_modules=targets,
        use_rslora=lora.rslora,
        use_dora=lora.dora,
        init_lora_weights="pissa" if lora.init == "pissa" else True,
        modules_to_save=lora.modules_to_save or None,
        trainable_token_indices=rows or None,
    )


def add_lora(model: PreTrainedModel, lora: Lora, new_tokens: list[int] | None = None) -> PeftModel:
    """The model with LoRA layers; only they (and what the settings name) have gradients."""
    if new_tokens:
        make_room(model, max(new_tokens) + 1)
    rows = _trained_rows(model, lora, new_tokens) if new_tokens else None
    if lora.quantize == "4bit":
        from peft import prepare_model_for_kbit_training

        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    try:
        adapted = get_peft_model(model, lora_config(lora, rows))
    except ValueError as error:
        names = sorted({name.rpartition(".")[2] for name, part in model.named_modules() if hasattr(part, "weight")})
        raise RunRefused(
            f"lora.targets {lora.targets}: {str(error).splitlines()[0]} Names in this model: {', '.join(names)}"
        ) from error
    if lora.dora:
        _measure_magnitudes(adapted)
    # Activation checkpointing drops gradients unless the first checkpointed input has one.
    adapted.enable_input_require_grads()
    return adapted


def _trained_rows(model: PreTrainedModel, lora: Lora, new_tokens: list[int]) -> dict[str, list[int]]:
    """The new tokens for each table that ``lora.modules_to_save`` does not train whole."""
    targets = [target for target in lora.targets if any(f".{name}".endswith(f".{target}") for name in tables(model))]
    if targets:
        raise RunRefused(
            f"base.new_tokens: their rows are trained in every table of tokens, and lora.targets has {targets} too: "
            "leave it out there"
        )
    rows = [name for name in tables(model) if name.rpartition(".")[2] not in lora.modules_to_save]
    if not rows:
        raise RunRefused(
            f"base.new_tokens: expected a table of tokens that is not trained whole, found all in lora.modules_to_save "
            f"{lora.modules_to_save}: leave one out there, its rows of new tokens are trained anyway"
        )
    return dict.fromkeys(rows, new_tokens)


def make_room(model: PreTrainedModel, size: int) -> None:
    """At least ``size`` rows in the tables of tokens; each new one is the mean of those before, so the same every time.

    Without it a row that an adapter does not hold would be another one whenever the base is loaded.
    """
    before = int(model.get_input_embeddings().num_embeddings)  # type: ignore[arg-type]  # no tensor, as torch has it
    if size <= before:
        return
    model.resize_token_embeddings(size, mean_resizing=False)
    for table in tables(model).values():
        with gather_params_ctx([table.weight]), torch.no_grad():
            table.weight[before:] = table.weight[:before].mean(0, dtype=torch.float32).to(table.weight.dtype)


def tables(model: PreTrainedModel) -> dict[str, Any]:
    """The layers with a row for each token, input's and output's, by name. peft knows when both are one table."""
    both = (model.get_input_embeddings(), model.get_output_embeddings())
    return {name: part for name, part in model.named_modules() if part in both}


def _measure_magnitudes(model: PeftModel) -> None:
    """DoRA's magnitudes as the float32 norms that its layers divide by.

    peft takes them in the base's dtype before it makes the adapter float32: rounded to bfloat16 they scale the base.
    """
    layers: list[Any] = [part for part in model.modules() if isinstance(part, LoraLayer)]
    for part in layers:
        for name, magnitude in part.lora_magnitude_vector.items():
            if name in part.lora_A:
                pair = part.lora_A[name].weight, part.lora_B[name].weight
            else:
                pair = part.lora_embedding_A[name], part.lora_embedding_B[name]
            layer, scale = part.get_base_layer(), part.scaling[name]
            magnitude.update_layer(base_layer=layer, lora_A=pair[0], lora_B=pair[1], scaling=scale)


def count(model: torch.nn.Module) -> Trainable:
    """Parameters trained and in all, of the whole model also where ZeRO 3 left this rank only a part."""
    sizes = [(getattr(part, "ds_numel", part.numel()), part.requires_grad, part) for part in model.parameters()]
    # A 4-bit weight packs two values into one byte.
    doubled = [(size * 2 if type(part).__name__ == "Params4bit" else size, grad) for size, grad, part in sizes]
    return Trainable(sum(size for size, grad in doubled if grad), sum(size for size, _ in doubled))


def check_trained(model: torch.nn.Module, lora: Lora) -> None:
    """Raises TrainingError if a parameter that is not the adapter's has a gradient, or none has."""
    allowed = ("lora_", "trainable_tokens_", *(f"{name}.modules_to_save" for name in lora.modules_to_save))
    trained = [name for name, part in model.named_parameters() if part.requires_grad]
    strangers = [name for name in trained if not any(mark in name for mark in allowed)]
    if strangers or not trained:
        raise TrainingError(f"expected only LoRA parameters to be trained, found {strangers[:3] or 'none trained'}")


def check_start(model: PeftModel, lora: Lora, device: torch.device, partitioned: bool) -> float:
    """Largest difference of the logits to the base's before the first step: 0 as B = 0. Raises TrainingError if not.

    ``partitioned`` (ZeRO 3): only B itself is looked at, as a forward pass belongs to DeepSpeed there.
    """
    if partitioned:
        return _largest_b(model)
    ids = torch.arange(3, 19, device=device).unsqueeze(0) % model.config.vocab_size
    was_training = model.training
    model.eval()
    with torch.no_grad():
        adapted = model(input_ids=ids).logits.float()
        base = _base_logits(model, ids, lora)
    model.train(was_training)
    difference = (adapted - base).abs().max().item()
    if not difference <= SMALL[lora.init] * max(1.0, base.abs().max().item()):
        raise TrainingError(
            f"before the first step the logits differ from the base model's by {difference:.3g}; expected 0: the LoRA "
            "layers do not start as nothing. Check lora.init and the versions of peft and torch."
        )
    return difference


def _base_logits(model: PeftModel, ids: torch.Tensor, lora: Lora) -> torch.Tensor:
    """The base's logits. PiSSA took the adapter's part out of the base's weights; merging puts it back."""
    if lora.init == "pissa":
        model.merge_adapter()
        logits: torch.Tensor = model(input_ids=ids).logits.float()
        model.unmerge_adapter()
        return logits
    with model.disable_adapter():
        return model(input_ids=ids).logits.float()


def _largest_b(model: PeftModel) -> float:
    import deepspeed

    largest = 0.0
    for name, part in model.named_parameters():
        if "lora_B" in name:
            with deepspeed.zero.GatheredParameters([part]):
                largest = max(largest, part.detach().abs().max().item())
    if largest:
        raise TrainingError(f"before the first step a lora_B has a value of {largest:.3g}; expected only zeros")
    return largest
