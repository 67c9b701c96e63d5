"""What was the model given? Packs, tokens and keys, counted where they go in."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import torch

from training.flops import Counts
from training.packing import collate

SIZES = "pack_sizes"
"""Key of a batch that never reaches the model: see ``sized``."""


def sized(batch: Sequence[dict[str, Any]], flatten: bool = False) -> dict[str, Any]:
    """``packing.collate``, and under ``SIZES`` the tokens of each pack, as padding cannot be told from tokens after."""
    return {**collate(batch, flatten), SIZES: torch.tensor([len(pack["input_ids"]) for pack in batch])}


class Meter:
    """Counts what goes into the model, on its device, without waiting for it. Hooked before every forward pass."""

    def __init__(self, device: torch.device, window: int | None):
        self.window = window
        self.counts = torch.zeros(len(fields(Counts)), dtype=torch.float64, device=device)

    def hook(self, model: torch.nn.Module, args: Any, inputs: dict[str, Any]) -> None:
        """A forward pre-hook: takes the sizes that ``sized`` put into a batch out again, and counts in training."""
        sizes = inputs.pop(SIZES, None)
        if sizes is None or not model.training:
            return
        positions, labels = inputs["position_ids"], inputs["labels"]
        seen = (positions + 1) if self.window is None else (positions + 1).clamp(max=self.window)
        if len(sizes) == len(positions):  # else packs after each other in one row, without padding
            seen = seen * (torch.arange(positions.shape[1], device=positions.device) < sizes.unsqueeze(1))
        found = [sizes.new_full((), len(sizes)), sizes.sum(), (labels[..., 1:] != -100).sum(), seen.sum()]
        self.counts += torch.stack(found).to(torch.float64)

    def take(self) -> list[float]:
        """The counts since the last call."""
        found: list[float] = self.counts.tolist()
        self.counts.zero_()
        return found
