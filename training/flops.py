"""How much arithmetic does a LoRA step cost, and how much could the device have done?"""

from dataclasses import astuple, dataclass
from typing import Any

import torch

PEAK_TFLOPS = {
    "B200": 2250.0,
    "H200": 989.0,
    "H100 PCIe": 756.0,
    "H100 NVL": 835.0,
    "H100": 989.0,
    "H800": 989.0,
    "GH200": 989.0,
    "H20": 148.0,
    "A100": 312.0,
    "A800": 312.0,
    "L40S": 362.0,
    "A40": 150.0,
    "A10": 125.0,
    "V100": 125.0,
    "4090": 165.0,
    "3090": 71.0,
}
"""Dense bf16 (V100: fp16) peak of a device by a part of its name, from the makers' data sheets; first match counts."""


@dataclass
class Counts:
    """Packs and tokens the model was given (padding left out), tokens with loss, keys attended; of a rank or summed."""

    packs: float = 0.0
    tokens: float = 0.0
    trained: float = 0.0
    attended: float = 0.0

    def __add__(self, more: "Counts") -> "Counts":
        return Counts(*map(sum, zip(astuple(self), astuple(more), strict=True)))


@dataclass(frozen=True)
class Cost:
    """FLOPs of training: per token 4 for each frozen weight and 6 for each trained one, and attention by keys seen.

    A frozen weight needs no gradient of its own: 2 FLOPs forward, 2 backward. Embedding tables are looked up, not
    multiplied; the output head is multiplied. Recomputation (activation checkpointing) is not useful work: not counted.
    """

    frozen: int
    trained: int
    attention: int

    def flops(self, counts: Counts) -> float:
        """FLOPs that these tokens cost."""
        return (4 * self.frozen + 6 * self.trained) * counts.tokens + 12 * self.attention * counts.attended


def cost(model: torch.nn.Module, config: Any) -> Cost:
    """The cost of a model with adapters, counted from its linear layers; ``config`` is the base model's."""
    frozen = trained = 0
    for name, part in model.named_modules():
        if name.endswith("original_module"):  # what a copy that is trained stands in for
            continue
        if isinstance(part, torch.nn.Linear) or type(part).__name__ == "Linear4bit":
            weight: Any = part.weight
            size = int(part.in_features) * int(part.out_features)  # type: ignore[arg-type]
            frozen, trained = (frozen, trained + size) if weight.requires_grad else (frozen + size, trained)
    heads = config.num_attention_heads
    width = heads * (getattr(config, "head_dim", None) or config.hidden_size // heads)
    return Cost(frozen, trained, config.num_hidden_layers * width)


def peak_flops(device: torch.device) -> float | None:
    """Peak FLOP/s of one device, None where it is not known (a CPU has no number worth comparing with)."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak * 1e12 for part, peak in PEAK_TFLOPS.items() if part in name), None)
