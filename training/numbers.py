"""What a run measures while it goes, from what the model itself was given: tokens, speed, FLOPs, memory, waiting."""

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training.checkpoints import write_whole
from training.errors import TrainingError
from training.flops import Counts, cost, peak_flops
from training.flow import Ranks
from training.meter import Meter

STATE = "numbers.json"
"""Name, in a checkpoint, of the totals so far: a resumed run's summary covers the whole run."""


@dataclass
class Totals:
    """Sums over the whole run, across restarts."""

    seconds: float = 0.0
    steps: int = 0
    loss: float = 0.0
    flops: float = 0.0
    counts: Counts = field(default_factory=Counts)


def totals(checkpoint: Path) -> Totals:
    """The totals that a checkpoint holds."""
    saved = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    return Totals(**{**saved, "counts": Counts(**saved["counts"])})


class Numbers(TrainerCallback):
    """Adds speed, MFU, memory and data wait to every logged loss; prints a line, appends to ``metrics.jsonl``.

    Must come before the callbacks of TensorBoard and MLflow: they log what it adds. A loss that is not a number stops
    the run.
    """

    def __init__(self, out: Path, ranks: Ranks, device: torch.device, jsonl: bool = True):
        self.out, self.ranks, self.device, self.jsonl = out, ranks, device, jsonl
        self.totals = Totals()
        self.peak = peak_flops(device)
        self.last_step = 0
        self.memory = 0.0

    def watch(self, model: torch.nn.Module, base: Any) -> None:
        """Count what this model is given from now on."""
        self.meter = Meter(self.device, getattr(base.config, "sliding_window", None))
        self.cost = cost(model, base.config)
        model.register_forward_pre_hook(self.meter.hook, with_kwargs=True)

    def resume(self, checkpoint: Path, step: int) -> None:
        """Go on from a checkpoint's totals; lines of ``metrics.jsonl`` from steps that were lost are removed."""
        self.totals = totals(checkpoint)
        self.last_step = step
        path = self.out / "metrics.jsonl"
        if self.ranks.is_first and path.is_file():
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            write_whole(path, "".join(line for line in lines if _step(line) <= step))

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.begun = self.idle = time.monotonic()
        self.paused = self.waited = 0.0

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.waited += time.monotonic() - self.idle

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.idle = time.monotonic()

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._pause()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self.ranks.is_first:
            folder = self.out / f"checkpoint-{state.global_step}"
            write_whole(folder / STATE, json.dumps(asdict(self.totals)))
        self._pause()

    def _pause(self) -> None:
        """Time since the step's end went into evaluating or saving: no training."""
        now = time.monotonic()
        self.paused += now - self.idle
        self.idle = now

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any
    ) -> None:
        if logs is None or not ("loss" in logs or "eval_loss" in logs):
            return
        if "loss" in logs:
            logs.update(self._measure(state.global_step, logs["loss"]))
        line = {"step": state.global_step, "max_steps": state.max_steps, **logs, "time": round(time.time(), 3)}
        if self.ranks.is_first:
            print(console_line(line), flush=True)
            if self.jsonl:
                with open(self.out / "metrics.jsonl", "a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
        if "loss" in logs and not abs(logs["loss"]) < float("inf"):
            raise TrainingError(
                f"the loss of step {state.global_step} is {logs['loss']}: the run stops rather than train on nothing. "
                "Lower optimizer.lr, or use bfloat16 instead of float16."
            )

    def _measure(self, step: int, loss: float) -> dict[str, float]:
        """The numbers since the last log, over all ranks; the clock starts anew."""
        now = time.monotonic()
        seconds = max(now - self.begun - self.paused, 1e-9)
        counts = Counts(*self.ranks.sums(self.meter.take()))
        memory, waited = self.ranks.largest([_memory_gb(self.device), self.waited])
        flops, steps, world = self.cost.flops(counts), step - self.last_step, self.ranks.world
        self._add(seconds, steps, loss, flops, counts)
        self.memory = max(self.memory, memory)
        found = {
            "tokens_per_second": counts.tokens / seconds,
            "tokens_per_second_per_gpu": counts.tokens / seconds / world,
            "trained_tokens_per_second_per_gpu": counts.trained / seconds / world,
            "tokens_seen": self.totals.counts.tokens,
            "seconds_per_step": seconds / max(steps, 1),
            "data_wait_share": min(1.0, waited / seconds),
            "memory_gb": memory,
        }
        if self.peak:
            found["mfu"] = flops / seconds / world / self.peak
        self.begun = self.idle = time.monotonic()
        self.paused = self.waited = 0.0
        self.last_step = step
        return {name: float(f"{value:.6g}") for name, value in found.items()}

    def _add(self, seconds: float, steps: int, loss: float, flops: float, counts: Counts) -> None:
        totals = self.totals
        totals.seconds += seconds
        totals.steps += steps
        totals.loss += loss * steps
        totals.flops += flops
        totals.counts += counts


def console_line(line: dict[str, Any]) -> str:
    """One logged step as people read it."""
    head = f"step {line['step']:,}/{line['max_steps']:,}"
    if "eval_loss" in line:
        return f"{head}  eval_loss {line['eval_loss']:.4f}  ({line.get('eval_runtime', 0):.1f} s)"
    left = (line["max_steps"] - line["step"]) * line["seconds_per_step"]
    parts = [
        head,
        f"loss {line['loss']:.4f}",
        f"grad {line.get('grad_norm') or 0:.3f}",
        f"lr {line['learning_rate']:.2e}",
        f"{line['tokens_per_second_per_gpu']:,.0f} tokens/s/GPU "
        f"({line['trained_tokens_per_second_per_gpu']:,.0f} trained)",
        *([f"MFU {line['mfu']:.1%}"] if "mfu" in line else []),
        f"{line['memory_gb']:.1f} GB",
        f"wait {line['data_wait_share']:.1%}",
        f"{int(left // 3600)}:{int(left % 3600 // 60):02d}:{int(left % 60):02d} left",
    ]
    return "  ".join(parts)


def summary(numbers: Totals, log: list[dict[str, Any]], epochs: float) -> dict[str, float]:
    """The numbers of a finished run under the names transformers uses, over all its restarts.

    A sample is a pack in ``train_samples_per_second`` as it is in ``eval_samples_per_second``. ``train_runtime`` is
    time spent training, evaluations and saves left out.
    """
    seconds = max(numbers.seconds, 1e-9)
    found: dict[str, float] = {
        "train_loss": numbers.loss / max(numbers.steps, 1),
        "train_runtime": numbers.seconds,
        "train_samples_per_second": numbers.counts.packs / seconds,
        "train_steps_per_second": numbers.steps / seconds,
        "train_tokens_per_second": numbers.counts.tokens / seconds,
        "train_tokens": numbers.counts.tokens,
        "trained_tokens": numbers.counts.trained,
        "total_flos": numbers.flops,
        "epoch": epochs,
        "global_step": numbers.steps,
    }
    last: dict[str, Any] = next((line for line in reversed(log) if "eval_loss" in line), {})
    found |= {name: value for name, value in last.items() if name.startswith("eval_")}
    return {name: float(f"{value:.6g}") for name, value in found.items()}


def _memory_gb(device: torch.device) -> float:
    """Peak memory of this rank so far: the device's, or on a CPU the process's."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device) / 1e9
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def _step(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return 1 << 62  # a line cut short by a kill
