"""One Slurm task: runs one training process as the rank Slurm gave it, hands signals on, and notes how it failed.

    srun python -m training.slurm.rank FAILURE_FILE COMMAND...

The exit code of `srun` is the highest of all tasks, and a rank that `srun` ended because another failed has a high one;
so the first rank to fail writes its own code to FAILURE_FILE.
"""

import os
import signal
import sys
from collections.abc import Mapping, Sequence

from training.child import Child
from training.errors import STOPPED


def environment(slurm: Mapping[str, str]) -> dict[str, str]:
    """What torchrun would tell the process, from the variables Slurm sets in a task."""
    return {
        "RANK": slurm["SLURM_PROCID"],
        "LOCAL_RANK": slurm["SLURM_LOCALID"],
        "WORLD_SIZE": slurm["SLURM_NTASKS"],
        "LOCAL_WORLD_SIZE": str(int(slurm["SLURM_NTASKS"]) // int(slurm["SLURM_NNODES"])),
    }


def main(argv: Sequence[str]) -> int:
    """Run the command; the exit code is its own, 128 + N for signal N, and 0 for STOPPED.

    A stopped run is no failure: with another code than 0, `srun` would end the ranks that are still saving.
    """
    failure_file, *command = argv
    code = _run(command)
    if code:
        _note(failure_file, code)
    return 0 if code == STOPPED else code


def _run(command: Sequence[str]) -> int:
    # An ignored signal stays ignored in the child, until the training says what to do with it.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    return Child(command, {**os.environ, **environment(os.environ)}, (signal.SIGUSR1, signal.SIGTERM)).wait()


def _note(path: str, code: int) -> None:
    """Write code, rank and node, if no other rank has: creating a file exclusively is atomic, on NFS too."""
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(f"{code} rank {os.environ['SLURM_PROCID']} on {os.environ['SLURMD_NODENAME']}\n")
    except FileExistsError:
        return
    if code != STOPPED:
        print(f"winnow: rank {os.environ['SLURM_PROCID']} ended first, with exit code {code}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
