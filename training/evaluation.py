"""What is the loss on the rows held out? The mean over their trained tokens, whatever the ranks and the batches."""

from typing import Any

import torch
from transformers import Trainer
from transformers.trainer_utils import EvalLoopOutput

from training.meter import SIZES
from training.packing import NO_LOSS


class PackTrainer(Trainer):
    """transformers' Trainer, its ``eval_loss`` the mean over every trained token that was held out, each counted once.

    Left to itself it weighs batches, not tokens, and of the last ones, which are filled up with packs that were there
    before, it takes the first ranks' shares of a sum that belongs to all.
    """

    def evaluation_loop(self, *args: Any, **options: Any) -> EvalLoopOutput:
        """As transformers has it, but for the loss."""
        self._sums = torch.zeros(2, dtype=torch.float64, device=self.args.device)
        self._next = self.args.process_index * self.args.eval_batch_size
        found: EvalLoopOutput = super().evaluation_loop(*args, **options)
        loss, tokens = self.accelerator.reduce(self._sums).tolist()
        return found._replace(metrics={**(found.metrics or {}), "eval_loss": loss / tokens})

    def prediction_step(self, model: Any, inputs: dict[str, Any], *args: Any, **options: Any) -> Any:
        """The loss of one batch; ``_next`` is the number of its first pack, as whole batches are dealt in turn."""
        held_out: Any = self.eval_dataset
        fresh = without_repeated(inputs, len(held_out) - self._next)
        self._next += self.args.world_size * self.args.eval_batch_size
        found = super().prediction_step(model, fresh, *args, **options)
        tokens = (fresh["labels"][..., 1:] != NO_LOSS).sum().to(self._sums)
        # transformers divides a rank's sum by the tokens of a rank on average, so that the ranks' mean is that of all.
        each = self.accelerator.reduce(tokens, reduction="mean")
        self._sums += torch.stack([found[0] * each, tokens])
        return found


def without_repeated(inputs: dict[str, Any], new: int) -> dict[str, Any]:
    """The batch without loss on any but its first ``new`` packs."""
    sizes, labels = inputs[SIZES], inputs["labels"].clone()
    new = min(max(new, 0), len(sizes))
    if len(labels) == len(sizes):
        labels[new:] = NO_LOSS
    else:  # packs after each other in one row
        labels[:, int(sizes[:new].sum()) :] = NO_LOSS
    return {**inputs, "labels": labels}
