"""Does a run fit on its GPUs and its disk, and if not, which settings would make it fit?"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from conf.training import Training
from training import memory
from training.base import empty_model
from training.chat import new_token_ids
from training.lora import add_lora, tables
from training.memory import GB, Load, Shape

BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0}
FOUR_BITS = 0.53
"""Bytes of a weight in NF4 with doubly quantised scales. Tables of tokens have none: peft makes them float32."""


def shape(folder: str, settings: Training) -> Shape:
    """The model's shape with the adapter that the settings ask for, built without weights in about a second."""
    model = empty_model(folder)
    rows = sum(weight.numel() for weight in {table.weight for table in tables(model).values()})
    text: Any = model.config.get_text_config()
    plain = settings.lora.model_copy(update={"init": "default", "dora": False, "quantize": "none"})
    with torch.device("meta"):
        adapted = add_lora(model, plain, new_token_ids(folder, settings.base.new_tokens))
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    return Shape(
        parameters=sum(weight.numel() for weight in adapted.parameters() if not weight.requires_grad),
        trained=_trained(adapted, settings),
        hidden=text.hidden_size,
        keys=heads * width,
        mlp=getattr(text, "intermediate_size", None) or 4 * text.hidden_size,
        layers=text.num_hidden_layers,
        vocabulary=text.vocab_size,
        tables=rows,
    )


def load(settings: Training, ranks: int) -> Load:
    """What one GPU computes at once."""
    is_bf16 = settings.speed.bf16 or settings.base.dtype != "float32"
    plain, quantized = BYTES[settings.base.dtype], settings.lora.quantize == "4bit"
    return Load(
        tokens=settings.schedule.per_device_batch * settings.data.max_tokens,
        gpus=ranks,
        weight=FOUR_BITS if quantized else plain,
        table=(2.0 if settings.speed.bf16 and settings.zero.stage else 4.0) if quantized else plain,
        compute=2 if is_bf16 else 4,
        checkpointing=settings.speed.activation_checkpointing,
        liger=settings.speed.liger == "on",
    )


def needed(model: Shape, settings: Training, ranks: int) -> dict[str, float]:
    """Bytes of one GPU by component, as these settings have it."""
    return memory.per_gpu(model, load(settings, ranks), settings.zero.stage, settings.zero.offload == "cpu")


def advice(model: Shape, settings: Training, ranks: int) -> list[str]:
    """Overrides that make the run fit into ``launch.gpu_memory_gb``, the mildest found; empty if none does."""
    for changes in _milder(settings, ranks):
        values = settings.model_dump()
        for key, value in changes.items():
            section, _, name = key.partition(".")
            values[section][name] = value
        changed = Training.model_validate(values)
        if sum(needed(model, changed, ranks).values()) <= settings.launch.gpu_memory_gb * GB:
            return [f"--set {key}={str(value).lower()}" for key, value in changes.items()]
    return []


def _milder(settings: Training, ranks: int) -> Iterator[dict[str, Any]]:
    """Changes to try: what costs little speed first, then more of them together; each keeps the rows of a step."""
    schedule = settings.schedule
    one_by_one = {
        "schedule.per_device_batch": 1,
        "schedule.accumulation": schedule.accumulation * schedule.per_device_batch,
    }
    steps: list[dict[str, Any]] = []
    if not settings.speed.activation_checkpointing:
        steps.append({"speed.activation_checkpointing": True})
    if schedule.per_device_batch > 1:
        steps.append(one_by_one)
    if ranks > 1 and settings.zero.stage < 3 and settings.lora.quantize == "none":
        steps.append({"zero.stage": 3})
    if settings.zero.offload == "none" and settings.lora.quantize == "none":
        steps.append({"zero.stage": 3, "zero.offload": "cpu"})
    yield from steps
    together: dict[str, Any] = {}
    for step in steps:
        together |= step
        yield dict(together)
    if settings.lora.quantize == "none":
        yield {key: value for key, value in together.items() if not key.startswith("zero.")} | {
            "lora.quantize": "4bit",
            "zero.stage": min(settings.zero.stage, 2),
        }
    tokens = settings.data.max_tokens
    while (tokens := tokens // 2) >= 256:
        yield {**together, "data.max_tokens": tokens}


def checkpoint_bytes(model: Shape) -> float:
    """Bytes of one checkpoint, at most: the adapter, once more in DeepSpeed's own file (each float32 at most), and its
    float32 copy and two moments over all ranks.
    """
    return model.trained * (4.0 + 4.0 + 12.0)


def free_bytes(folder: Path) -> float:
    """Free space where ``folder`` is or will be."""
    while not folder.exists():
        folder = folder.parent
    return float(shutil.disk_usage(folder).free)


def _trained(adapted: torch.nn.Module, settings: Training) -> int:
    """Trained parameters, with DoRA's magnitudes."""
    trained = sum(weight.numel() for weight in adapted.parameters() if weight.requires_grad)
    if settings.lora.dora:
        trained += sum(w.shape[0] for name, w in adapted.named_parameters() if ".lora_B." in name)
    return trained
