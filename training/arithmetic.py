"""How many steps is a run, and what is in each? The same numbers as transformers' Trainer arrives at."""

import math
from dataclasses import dataclass

from conf.training import Schedule


@dataclass(frozen=True)
class Plan:
    """``batch`` rows at once on each of ``ranks`` GPUs, ``accumulation`` times, are one step of ``per_step`` rows.

    A row is a pack where conversations are packed. The last step of an epoch may be smaller.
    """

    batch: int
    accumulation: int
    ranks: int
    per_epoch: int
    steps: int

    @property
    def per_step(self) -> int:
        """Rows of a full step."""
        return self.batch * self.accumulation * self.ranks


def plan(rows: int, schedule: Schedule, ranks: int) -> Plan:
    """The steps of ``schedule`` over so many rows, divided among so many processes."""
    batches = math.ceil(rows / (schedule.per_device_batch * ranks))  # the sampler repeats rows to fill the last one
    per_epoch = max(1, math.ceil(batches / schedule.accumulation))
    steps = schedule.max_steps or math.ceil(schedule.epochs * per_epoch)
    return Plan(schedule.per_device_batch, schedule.accumulation, ranks, per_epoch, steps)
