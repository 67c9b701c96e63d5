"""One rank of a prepared run, from its first signal to its exit code: ``python -m training.sft OUT``.

``RANK``, ``LOCAL_RANK``, ``WORLD_SIZE``, ``MASTER_ADDR`` and ``MASTER_PORT`` come from whoever starts the ranks:
``winnow train``, srun, torchrun or deepspeed. Exit codes: 0 trained, 75 stopped by a signal after a whole checkpoint
(the same command goes on), 2 refused, 1 failed.
"""

import os
import signal
import sys
import traceback
import warnings
from contextlib import nullcontext
from pathlib import Path

from training.errors import STOPPED, RunRefused, TrainingError

_asked: list[int] = []
_starter = os.getppid()


def main(arguments: list[str]) -> int:
    """Run one rank; nothing but one line tells of a failure (``WINNOW_DEBUG=1`` shows the stack trace)."""
    # First of all: a signal that comes while libraries load must not end the process.
    for number in (signal.SIGUSR1, signal.SIGTERM):
        signal.signal(number, lambda got, _: _asked.append(got))
    out = Path(next(one for one in arguments if not one.startswith("--local")))
    try:
        return run(out)
    except Exception as error:
        from training.failures import explain

        if os.environ.get("WINNOW_DEBUG"):
            traceback.print_exc()
        message, code = explain(error)
        print(f"winnow train: rank {os.environ.get('RANK', '0')}: {message}", file=sys.stderr, flush=True)
        return code


def run(out: Path) -> int:
    """Train from the newest whole checkpoint of ``out``, or from the start; the first rank writes the adapter."""
    from training import lock

    is_first = os.environ.get("RANK", "0") == "0"
    # Where the ranks were started by something else than `winnow train`, the first one keeps other runs out.
    with lock.held(out) if is_first or lock.INHERITED in os.environ else nullcontext():
        return _run(out, is_first)


def _run(out: Path, is_first: bool) -> int:
    from training import job as jobs

    job = jobs.read(out)
    if job is None:
        raise RunRefused(f"{out} holds no prepared run: run `winnow train ... --out {out} --prepare` first")
    if jobs.is_finished(out):
        if is_first:
            _say(f"trained already: {out}/adapter")
        return 0
    prepare_environment(job.use_cpu)
    check_world(job.ranks)
    from training import checkpoints, finish, loop

    newest = checkpoints.newest(out, tell=_say if is_first else lambda line: None)
    if newest is not None:
        checkpoints.check_ranks(newest, job.ranks)
        if is_first:
            _say(f"going on from {newest.folder.name}")
    if newest is None or not finish.is_last(newest):
        if is_first:
            checkpoints.pass_over(out, newest.step if newest else 0)
        if not loop.run(job, out, newest, should_stop):
            if is_first:
                _say("stopped as asked; the same command goes on from the newest checkpoint")
            return STOPPED
        newest = checkpoints.newest(out, tell=lambda line: None) if is_first else None
    if is_first:
        if newest is None:
            raise TrainingError("the last checkpoint is not whole; the disk may be failing: run the command again")
        finish.write_adapter(job, out, newest)
    return 0


def should_stop() -> bool:
    """Whether this rank got a signal, or whoever started it is gone: then nobody would learn how the run ends."""
    return bool(_asked) or os.getppid() != _starter


def check_world(ranks: int) -> None:
    """Raises RunRefused if another number of ranks was started than was prepared for."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world != ranks:
        raise RunRefused(f"prepared for {ranks} ranks, started with {world}: prepare again with --ranks {world}")


def prepare_environment(use_cpu: bool) -> None:
    """What libraries read from the environment, set before they are imported."""
    os.environ.update({"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"})
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DS_LOG_LEVEL", "error")
    os.environ.setdefault("ACCELERATE_LOG_LEVEL", "error")  # it warns of a setting it takes from DeepSpeed itself
    # peft still uses names that transformers has replaced: nothing a user could do.
    warnings.filterwarnings("ignore", category=FutureWarning)
    if use_cpu:
        os.environ.update({"DS_ACCELERATOR": "cpu", "CUDA_VISIBLE_DEVICES": ""})


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: threads of a communication library that lost its peers would be waited for.
    os._exit(code)
