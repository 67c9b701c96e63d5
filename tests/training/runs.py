"""Small training runs for the tests: a lake of chats, `winnow train` on it as a user runs it, and what came of it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from jobs.pins import pin
from tests.commands import ROOT, environment
from tests.versions.lakes import make_lake, publish, rows_of
from training.checkpoints import Checkpoint, newest

SETTINGS = (
    "base.tiny=llama",
    "base.template=chatml",
    "base.dtype=float32",
    "data.max_tokens=128",
    "lora.r=4",
    "lora.alpha=8",
    "optimizer.lr=5e-3",
    "schedule.max_steps=8",
    "schedule.warmup=1",
    "schedule.per_device_batch=2",
    "schedule.accumulation=2",
    "schedule.eval_steps=4",
    "schedule.save_steps=4",
    "schedule.logging_steps=1",
    "speed.bf16=false",
    "speed.activation_checkpointing=false",
    "speed.loader_workers=0",
    "launch.gpus_per_node=0",
    "launch.processes_per_node=2",
    "launch.timeout_minutes=3",
)
"""Eight steps of a model of 0.9 M parameters on two CPU processes; the same numbers every time."""

WORDS = [
    "the",
    "model",
    "reads",
    "rows",
    "and",
    "writes",
    "answers",
    "about",
    "data",
    "tables",
    "while",
    "people",
    "ask",
]


def chat_lake(folder: Path, conversations: int = 120, seed: int = 0) -> str:
    """A lake with one published version of chats of different lengths, pinned as `baseline`."""
    lake = make_lake(folder, 1)
    publish(lake, rows_of([_chat(number + 1000 * seed) for number in range(conversations)]))
    pin(lake, "baseline")
    return lake


def _chat(number: int) -> list[dict[str, str]]:
    messages = []
    for turn in range(1 + number % 3):
        words = [WORDS[(number * 7 + turn * 3 + place) % len(WORDS)] for place in range(4 + number % 9)]
        messages.append({"role": "user", "content": " ".join(words) + "?"})
        messages.append({"role": "assistant", "content": " ".join(reversed(words)) + "."})
    return messages


def train_arguments(lake: str, out: Path, *sets: str) -> list[str]:
    """The words after `winnow` for a run on ``lake``; later settings win."""
    settings = [*SETTINGS, f"data.cache={Path(lake).parent / 'cache'}", *sets]
    options = [part for value in settings for part in ("--set", value)]
    return ["train", "--lake", lake, "--pin", "baseline", "--out", str(out), *options]


def train(
    lake: str, out: Path, *sets: str, more: Sequence[str] = (), timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run `winnow train` to its end."""
    return finished([sys.executable, "-m", "jobs.cli", *train_arguments(lake, out, *sets), *more], timeout)


def finished(command: Sequence[str], timeout: float = 300, **place: str) -> subprocess.CompletedProcess[str]:
    """Run a command of training to its end, these variables in its environment."""
    environment = {**one_thread(), **place}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=timeout, cwd=ROOT, check=False
    )


def trained(lake: str, out: Path, *sets: str) -> Path:
    """A finished run's folder; its output is in the message where it failed."""
    done = train(lake, out, *sets)
    assert done.returncode == 0, done.stdout + done.stderr
    (out / "stdout").write_text(done.stdout)
    return out


def disturb(
    lake: str, out: Path, *sets: str, act: Callable[[subprocess.Popen[str]], None], after: int = 5, timeout: float = 240
) -> tuple[int, str, float]:
    """Start `winnow train` and ``act`` on it after so many steps; exit code, what it said, seconds it then took."""
    log = out.with_suffix(".log")
    command = [sys.executable, "-m", "jobs.cli", *train_arguments(lake, out, *sets)]
    with (
        open(log, "w") as said,
        subprocess.Popen(command, env=one_thread(), stdout=said, stderr=said, text=True, cwd=ROOT) as run,
    ):
        deadline = time.monotonic() + timeout
        while steps(out) < after and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        begun = time.monotonic()
        act(run)
        try:
            code = run.wait(timeout)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGINT)
            run.send_signal(signal.SIGINT)
            raise
    return code, log.read_text(), time.monotonic() - begun


def one_thread() -> dict[str, str]:
    """Two processes on two cores, and no thread that spins beside them."""
    return environment(OMP_NUM_THREADS="1", CUDA_VISIBLE_DEVICES="")


def metrics(out: Path) -> list[dict[str, float]]:
    """The lines of `metrics.jsonl`, those cut short left out."""
    path = out / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def steps(out: Path) -> int:
    """Steps logged so far."""
    return int(max((line["step"] for line in metrics(out)), default=0))


def losses(out: Path, key: str = "loss") -> dict[int, float]:
    """Losses by step; of a step logged twice, the last."""
    return {int(line["step"]): line[key] for line in metrics(out) if key in line}


def last_checkpoint(out: Path) -> Checkpoint:
    """The newest whole checkpoint of a run."""
    found = newest(out)
    assert found is not None
    return found


def rank_processes(out: Path) -> list[int]:
    """Process ids of the ranks that train into ``out``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"training.sft" in words and os.fsencode(str(out)) in words:
            found.append(int(entry.parent.name))
    return sorted(found)
