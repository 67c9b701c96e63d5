"""Which parameters are trained? peft's LoRA layers in a frozen model, and rows of new tokens."""

from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from peft.utils.integrations import gather_params_ctx
from transformers import PreTrainedModel

from conf.training import Lora, Training
from training.base import empty_model
from training.errors import RunRefused


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
    if lora.modules_to_save and lora.quantize == "none" and stage == 0 and settings.base.dtype != "float32":
        raise RunRefused(
            f"lora.modules_to_save would be trained in {settings.base.dtype}, where small steps are lost: write "
            "zero.stage: 1, which keeps them in float32 too, or base.dtype: float32"
        )
    if settings.base.new_tokens and use_cpu and stage == 3:
        raise RunRefused("base.new_tokens needs a GPU in ZeRO 3, and this run is on the CPU; write zero.stage: 2")


def check_targets(folder: str, lora: Lora, new_tokens: list[int] | None = None) -> None:
    """Raises RunRefused if transformers does not know the model's architecture, it has no such modules, or they cannot
    be trained beside the rows of ``new_tokens``.

    Built without weights, in a second, whatever the model's size.
    """
    empty = empty_model(folder)
    plain = lora.model_copy(update={"init": "default", "dora": False, "quantize": "none"})
    with torch.device("meta"):
        add_lora(empty, plain, new_tokens)


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
