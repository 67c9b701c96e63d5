"""Before the first step: is the adapter all that is trained, and does it start as nothing?"""

from typing import NamedTuple

import torch
from peft import PeftModel

from conf.training import Lora
from training.errors import TrainingError

SMALL = {"default": 0.0, "dora": 1e-5, "pissa": 2e-2}
"""Largest relative difference of logits to the base before the first step. DoRA divides by norms that were summed where
the base was loaded, on a GPU in another order; PiSSA splits W in two and rounds twice."""


class Trainable(NamedTuple):
    """Parameters that are trained, and all of them."""

    trained: int
    total: int

    def __str__(self) -> str:
        return f"{self.trained:,} of {self.total:,} parameters are trained ({self.trained / self.total:.4%})"


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

    On ``device``, where the model is from then on: kernels such as flash attention's are for GPUs only, and with ZeRO 1
    and 2 DeepSpeed would move it only when training begins. ``partitioned`` (ZeRO 3): only B itself is looked at, as a
    forward pass belongs to DeepSpeed there.
    """
    if partitioned:
        return _largest_b(model)
    model.to(device)
    ids = torch.arange(3, 19, device=device).unsqueeze(0) % model.config.vocab_size
    was_training = model.training
    model.eval()
    with torch.no_grad():
        adapted = model(input_ids=ids).logits.float()
        base = _base_logits(model, ids, lora)
    model.train(was_training)
    difference = (adapted - base).abs().max().item()
    small = SMALL["dora" if lora.dora else lora.init]
    if not difference <= small * max(1.0, base.abs().max().item()):
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
