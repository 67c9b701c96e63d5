"""How many steps is a run, and what is in each? The same numbers as transformers' Trainer arrives at."""

import math
from dataclasses import dataclass

from conf.training import Schedule, Training


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


def shortage(rows: int, settings: Training, ranks: int) -> str:
    """Why so few rows cannot be divided among the processes; empty if they can. ``trainable`` tells of no rows."""
    batch, what = settings.schedule.per_device_batch, "packs" if settings.data.packing else "rows"
    if not 0 < rows < ranks * batch:
        return ""
    return (
        f"{rows:,} {what} for {ranks} processes x {batch}: some would see the same {what} again in one step; use fewer "
        "processes or a smaller schedule.per_device_batch"
    )


def unwarmed(steps: int, schedule: Schedule) -> str:
    """One line where a run of so many steps ends before it has warmed up; else empty."""
    warmup = schedule.warmup if schedule.warmup >= 1 else math.ceil(steps * schedule.warmup)
    if schedule.scheduler == "constant" or warmup < steps:
        return ""
    return (
        f"schedule.warmup takes {warmup:,.0f} steps and the run has {steps:,}: it never trains at the whole "
        "optimizer.lr; set schedule.warmup lower"
    )
