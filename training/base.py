"""The frozen base model: can it be used, and how is it loaded?"""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel
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
        raise RunRefused(f"base.model: expected a folder with config.json, found none in {folder}")
    for name in ("config.json", "tokenizer_config.json"):
        refuse_code(folder, name)
    if not list(path.glob("*.safetensors")):
        others = sorted(file.name for file in path.glob("*.bin")) or ["no weights at all"]
        raise RunRefused(
            f"base.model: expected *.safetensors in {folder}, found {', '.join(others[:3])}. Pickled weights can run "
            "code when they are read: convert them first, with save_pretrained of a machine you trust."
        )


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
