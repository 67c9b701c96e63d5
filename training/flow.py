"""When does a run log, evaluate, save and stop? Always at the end of a step, and on all ranks at the same one."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from conf.training import Schedule
from training import checkpoints
from training.errors import TrainingError


class Ranks:
    """What the ranks tell each other beside the gradients: a few numbers over gloo, which never waits for a GPU.

    A rank that does not answer within ``timeout`` seconds is a TrainingError, not a wait.
    """

    def __init__(self, timeout: float):
        self.timeout = timeout
        self.world = dist.get_world_size() if dist.is_initialized() else 1
        self.is_first = not dist.is_initialized() or dist.get_rank() == 0
        self.group: Any = dist.new_group(backend="gloo", timeout=timedelta(seconds=timeout)) if self.world > 1 else None

    def sums(self, values: list[float]) -> list[float]:
        """Each value summed over the ranks."""
        return self._reduce(values, dist.ReduceOp.SUM)

    def largest(self, values: list[float]) -> list[float]:
        """The largest of each value over the ranks."""
        return self._reduce(values, dist.ReduceOp.MAX)

    def wait(self) -> None:
        """Return when every rank is here."""
        self.sums([0.0])

    def _reduce(self, values: list[float], operation: Any) -> list[float]:
        if self.group is None:
            return values
        tensor = torch.tensor(values, dtype=torch.float64)
        try:
            dist.all_reduce(tensor, operation, group=self.group)
        except RuntimeError as error:
            raise TrainingError(
                f"another rank is gone, or did not answer within {self.timeout:.0f} s: {str(error).splitlines()[0]}"
            ) from error
        found: list[float] = tensor.tolist()
        return found


class Flow(TrainerCallback):
    """Evaluates and saves when the settings say so, at the end and when a signal asks; marks and prunes checkpoints.

    ``is_asked`` tells whether this rank got a signal to stop; ``stopped``, after training, whether one ended the run.
    The last step is always evaluated and saved, so that the last checkpoint is enough to write the adapter. A step that
    is saved is logged, so that a checkpoint holds everything up to it.
    """

    def __init__(self, out: Path, schedule: Schedule, ranks: Ranks, has_eval: bool, is_asked: Callable[[], bool]):
        self.out, self.schedule, self.ranks, self.has_eval = out, schedule, ranks, has_eval
        self.is_asked = is_asked
        self.stopped = False

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> TrainerControl:
        step, epoch_ends = state.global_step, float(state.epoch or 0).is_integer()
        is_last = step >= state.max_steps
        self.stopped = bool(self.ranks.largest([float(self.is_asked())])[0]) and not is_last
        ends = is_last or self.stopped
        control.should_evaluate = self.has_eval and (is_last or _due(step, self.schedule.eval_steps, epoch_ends))
        control.should_save = ends or _due(step, self.schedule.save_steps, epoch_ends)
        # Totals grow when a step is logged: a checkpoint at another step would lose those since the last log.
        control.should_log |= control.should_save
        control.should_training_stop |= ends
        return control

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.ranks.wait()
        if self.ranks.is_first:
            begun = time.monotonic()
            folder = self.out / f"checkpoint-{state.global_step}"
            checkpoints.mark(folder, state.global_step, self.ranks.world)
            checkpoints.prune(folder, self.schedule.keep_checkpoints)
            print(f"saved {folder.name}, whole after {time.monotonic() - begun:.1f} s", flush=True)
        # No rank leaves a run whose last checkpoint could not be marked as if all were well.
        self.ranks.wait()


def _due(step: int, every: int, epoch_ends: bool) -> bool:
    return step % every == 0 if every else epoch_ends
