"""Useful tokens a second of `winnow train` against TRL's SFTTrainer, unpacked and packed: same model, same chats, CPU.

    python -m benchmarks.train_loop [--trl PYTHON] [--rows 600]

``PYTHON`` is an interpreter whose environment has trl 1.16 beside what ``.[train]`` installs; without it only
our own speed is printed. Useful tokens are those of conversations: padding is not counted. Both train LoRA r 8 on every
linear layer of a tiny Llama in float32, rows cut at 512 tokens, 4 packs (unpacked: 16 rows) a step, one process.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.trl_run import BATCH, MAX_TOKENS, STEPS

WORDS = ["rows", "models", "tables", "people", "answers", "the", "of", "with", "data", "learn", "write", "read"]


def main() -> None:
    """Print one line a system."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trl", metavar="PYTHON", help="interpreter of an environment with trl")
    parser.add_argument("--rows", type=int, default=600)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), args.rows, args.trl)


def measure(folder: Path, rows: int, trl: str | None) -> None:
    """Train with each system on the same rows; a line with useful tokens a second and what it is to ours."""
    chats = conversations(rows)
    out = train_ours(folder, chats)
    ours = steady([json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()])
    print(f"winnow train, packed        {ours:>10,.0f} useful tokens/s")
    if not trl:
        return
    (folder / "rows.jsonl").write_text("".join(json.dumps({"messages": chat}) + "\n" for chat in chats))
    model = json.loads((out / "job.json").read_text())["base"]["folder"]
    for mode in ("unpacked", "packed"):
        command = [trl, "-m", "benchmarks.trl_run", mode, model, str(folder / "rows.jsonl")]
        done = subprocess.run(command, capture_output=True, text=True, env=one_thread(), check=False)
        if done.returncode:
            sys.exit(done.stderr)
        theirs = float(done.stdout.splitlines()[-1])
        print(f"TRL SFTTrainer, {mode:<11} {theirs:>10,.0f} useful tokens/s; winnow is {ours / theirs:.2f} x")


def train_ours(folder: Path, chats: list[list[dict[str, str]]]) -> Path:
    """Run `winnow train` on a lake of these chats; the run's folder."""
    from tests.training.runs import train_arguments
    from tests.versions.lakes import make_lake, publish, rows_of

    lake = make_lake(folder / "lake", 1)
    publish(lake, rows_of(chats))
    from jobs.pins import pin

    pin(lake, "baseline")
    sets = [
        "lora.r=8",
        "lora.alpha=16",
        f"data.max_tokens={MAX_TOKENS}",
        f"schedule.per_device_batch={BATCH}",
        "schedule.accumulation=1",
        f"schedule.max_steps={STEPS}",
        "schedule.eval_steps=0",
        "schedule.save_steps=0",
        "launch.processes_per_node=1",
        "zero.stage=0",
        "data.min_mask_share=0",
    ]
    out = folder / "run"
    command = [sys.executable, "-m", "jobs.cli", *train_arguments(lake, out, *sets)]
    subprocess.run(command, env=one_thread(), check=True, capture_output=True)
    return out


def steady(lines: list[dict[str, float]]) -> float:
    """Tokens a second after the first steps, which pay for warming up."""
    later = [line for line in lines if "loss" in line and line["step"] > 3]
    seconds = sum(line["seconds_per_step"] for line in later)
    return sum(line["tokens_per_second"] * line["seconds_per_step"] for line in later) / seconds


def conversations(rows: int) -> list[list[dict[str, str]]]:
    """Chats whose lengths are spread as those of public logs: most are short, a few are ten times as long."""
    chance = random.Random(0)
    chats = []
    for _ in range(rows):
        length = min(int(chance.lognormvariate(3.4, 1.0)) + 4, 400)
        words = [chance.choice(WORDS) for _ in range(length)]
        middle = max(2, length // 4)
        chats.append(
            [
                {"role": "user", "content": " ".join(words[:middle])},
                {"role": "assistant", "content": " ".join(words[middle:])},
            ]
        )
    return chats


def one_thread() -> dict[str, str]:
    """The environment of both systems."""
    root = str(Path(__file__).resolve().parent.parent)
    return {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": root, "HF_HUB_OFFLINE": "1"}


if __name__ == "__main__":
    begun = time.monotonic()
    main()
    print(f"({time.monotonic() - begun:.0f} s)")
