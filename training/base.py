"""The frozen base model: can it be used, and how is it loaded?"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel
from transformers.utils import logging

from conf.training import Training
from training.chat import refuse_code
from training.errors import RunRefused

AMPERE = (8, 0)
"""CUDA capability of the oldest GPUs that flash attention 2 has kernels for."""


def check_base(folder: str) -> None:
    """Raises RunRefused unless ``folder`` is a model that can be read without running code of others."""
    path = Path(folder)
    if not (path / "config.json").is_file():
        raise RunRefused(
            f"base.model: expected a folder with config.json, found none in {folder}: put the model there, or name its "
            "folder; nothing is downloaded"
        )
    for name in ("config.json", "tokenizer_config.json"):
        refuse_code(folder, name)
    files = sorted(_named(path) or [file.name for file in path.glob("*.safetensors")])
    if not files:
        others = sorted(file.name for file in path.glob("*.bin")) or ["no weights at all"]
        raise RunRefused(
            f"base.model: expected *.safetensors in {folder}, found {', '.join(others[:3])}. Pickled weights can run "
            "code when they are read: convert them first, with save_pretrained of a machine you trust."
        )
    for name in files:
        try:
            with safe_open(path / name, "pt"):  # its header says how long it has to be
                pass
        except (OSError, SafetensorError) as error:
            raise RunRefused(
                f"base.model: {path / name} is missing or damaged ({error}): copy the model again"
            ) from None


def _named(path: Path) -> set[str]:
    """The files of weights that a model of several has to have."""
    try:
        return set(json.loads((path / "model.safetensors.index.json").read_bytes())["weight_map"].values())
    except FileNotFoundError:
        return set()
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise RunRefused(f"base.model: {path}/model.safetensors.index.json cannot be read: {error}") from None


def positions(config: Any) -> int | None:
    """For how many positions a model was made, by its configuration; None where it says none, or scales them."""
    text = config.get_text_config()
    rope = getattr(text, "rope_parameters", None) or {}
    kinds = {one.get("rope_type", "default") for one in (rope, *rope.values()) if isinstance(one, dict)}
    is_open = kinds - {"default"} or getattr(text, "alibi", False)
    return None if is_open else getattr(text, "max_position_embeddings", None)


def check_positions(folder: str, longest: int) -> None:
    """Raises RunRefused if a row of so many tokens has more than the model has positions; rows of a pack share none."""
    most = positions(read_config(folder))
    if most and longest > most:
        raise RunRefused(
            f"the longest row has {longest:,} tokens, and the base model was made for {most:,} "
            f"(max_position_embeddings in {folder}/config.json): set data.max_tokens={most}, or another base.model"
        )


def read_config(folder: str) -> Any:
    """The model's configuration. Raises RunRefused if transformers does not know the architecture."""
    try:
        return AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise _unknown(folder, error) from error


def empty_model(folder: str) -> PreTrainedModel:
    """The model without weights, in a second, whatever its size. Raises RunRefused as ``read_config`` does."""
    config = read_config(folder)
    try:
        with torch.device("meta"):
            model: PreTrainedModel = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
            return model
    except (OSError, ValueError, KeyError) as error:
        raise _unknown(folder, error) from error


def _unknown(folder: str, error: Exception) -> RunRefused:
    line = str(error).splitlines()[0][:200]
    return RunRefused(f"base.model: {folder} is no model transformers knows: {line}")


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
