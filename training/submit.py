"""Where a run is placed: on a Slurm cluster, by a batch script one can read, or here.

Example:
    winnow submit --scheduler slurm --nodes 2 --gpus-per-node 8 --config zephyr-7b-lora \\
        --lake s3://bucket/lake --pin baseline --out /shared/runs/first
"""

import argparse
import os
import re
import shlex
import signal
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from conf import recipe
from conf.training import Launch, Training
from training import lock, monitor, record
from training.child import Child
from training.commands import add_version_options
from training.errors import RunRefused
from training.job import lake_place
from training.slurm import queue
from training.slurm.script import Run, render, train_arguments

HANDED_ON = (signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What a run here hears of the signals that this process gets."""

FOR_SLURM = {
    "setup": "run these lines in this shell before, and give --set launch.setup=[]",
    "container": "run winnow inside it, and give --set launch.container=''",
}
"""Settings without which a run would be another one, and what to do where they cannot be had."""
UNUSED_HERE = ("time_limit", "memory", "partition", "account", "qos", "constraint", "port", "options")

EXAMPLE = """Example: winnow submit --scheduler slurm --nodes 2 --gpus-per-node 8 --config zephyr-7b-lora \\
             --lake s3://bucket/lake --pin baseline --out /shared/runs/first"""


def add_commands(commands: Any) -> None:
    """Register ``winnow submit``; it sets ``run``, a function of the parsed arguments."""
    parser: ArgumentParser = commands.add_parser(
        "submit",
        help="train on a Slurm cluster, or here",
        description="Place a training run: on a Slurm cluster by a batch script, or here. Prints the job's id.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    recipe.add_options(parser, Training)
    parser.add_argument("--lake", required=True, metavar="PATH", help="the lake's folder or URI, as the nodes see it")
    parser.add_argument("--out", required=True, metavar="DIR", help="the run's folder, on storage every node sees")
    add_version_options(parser)
    parser.add_argument("--scheduler", choices=["slurm", "local"], help="default: the recipe's")
    parser.add_argument("--nodes", type=int, metavar="N", help="default: the recipe's")
    parser.add_argument("--gpus-per-node", type=int, metavar="N", help="0 trains on CPUs; default: the recipe's")
    parser.add_argument("--after", metavar="JOBID", help="wait for this job, and start only if it succeeds")
    parser.add_argument("--dry-run", action="store_true", help="only print the script, or the command")
    parser.set_defaults(run=run_submit)


def run_submit(args: Namespace) -> int:
    """``winnow submit``: 0 when the job is in the queue; with the local scheduler, the run's own exit code."""
    run, settings = _asked(args)
    if settings.launch.scheduler == "local":
        return _run_here(run, settings, args)
    script = render(run, settings, args.after)
    if args.dry_run:
        print(script, end="")
        return 0
    _check_free(run.out)
    path = _write(run, script)
    job_id = queue.submit(path)
    record.write(run.out, settings, job_id)
    print(job_id)
    print(f"script {path}\nlog    {run.out / f'{settings.name}-{job_id}.out'}", file=sys.stderr)
    print(f"follow it with: winnow jobs --follow {run.out}", file=sys.stderr)
    return 0


def _asked(args: Namespace) -> tuple[Run, Training]:
    placed = {"scheduler": args.scheduler, "nodes": args.nodes, "gpus_per_node": args.gpus_per_node}
    overrides = [*args.set, *(f"launch.{key}={value}" for key, value in placed.items() if value is not None)]
    settings = recipe.load(args.config, overrides, tree=Training)
    if args.after and not re.fullmatch(r"\d+(_\d+)?", args.after):
        raise RunRefused(f"--after: expected a Slurm job id such as 4711, found {args.after!r}")
    out = Path(args.out).resolve()
    if not str(out).isprintable() or '"' in str(out):
        raise RunRefused(f"--out: expected a path that a script can name, found {str(out)!r}")
    config = str(Path(args.config).resolve()) if args.config and Path(args.config).is_file() else args.config
    lake = lake_place(args.lake)
    _check_place(settings.launch, args)
    return Run(config, tuple(overrides), lake, _version(args, lake, out), out), settings


def _check_place(launch: Launch, args: Namespace) -> None:
    if launch.scheduler == "slurm":
        return
    if launch.nodes > 1:
        raise RunRefused(f"expected one node with --scheduler local, found {launch.nodes}: use --nodes 1, or Slurm")
    if args.after:
        raise RunRefused("--after names a Slurm job: use --scheduler slurm")
    for setting, instead in FOR_SLURM.items():
        if found := getattr(launch, setting):
            raise RunRefused(f"expected no launch.{setting} with --scheduler local, found {found!r}: {instead}")
    if unused := [f"launch.{name}" for name in UNUSED_HERE if getattr(launch, name)]:
        print(f"not used with --scheduler local: {', '.join(unused)}", file=sys.stderr)


def _version(args: Namespace, lake: str, out: Path) -> tuple[str, ...]:
    """The words that choose the version. One that has no name gets its number: every attempt trains on the same one.

    A wrong lake, pin or version, and one without a pin, is refused now, not when the job's turn comes; whether it is
    whole, the job checks. Behind ``--after`` nothing is looked at: that job may be the one that makes it.
    """
    chosen = {option: getattr(args, option) for option in ("pin", "version", "timestamp")}
    if not args.after:
        from training.prepare import Request, open_corpus  # Arrow and Delta take half a second: not for --help

        corpus = open_corpus(Request(lake, str(out), **chosen, allow_unpinned=args.allow_unpinned))
        chosen = {"pin": args.pin, "version": corpus.version if args.pin is None else None}
    words = [word for option, value in chosen.items() if value is not None for word in (f"--{option}", str(value))]
    return (*words, "--allow-unpinned") if args.allow_unpinned else tuple(words)


def _check_free(out: Path) -> None:
    """Raises RunRefused while the job submitted for ``out``, or a run started there by hand, may still write to it."""
    if record.read(out) is not None:
        last = monitor.state(out)
        if last.job != "local" and not last.has_ended:
            raise RunRefused(
                f"expected no job that is to train into {out}, found job {last.job}, {last.state}: wait until it has "
                f"ended, end it (scancel {last.job}), or give another --out"
            )
    lock.check(out)


def _run_here(run: Run, settings: Training, args: Namespace) -> int:
    launch = settings.launch
    command = [launch.python or sys.executable, *train_arguments(run), "--ranks", str(launch.local_ranks)]
    if args.dry_run:
        variables = [f"{name}={value}" for name, value in launch.env.items()]
        print(shlex.join(["env", *variables, *command] if variables else command))
        return 0
    _check_free(run.out)
    record.clear_end(run.out)
    heard = [number for number in HANDED_ON if signal.getsignal(number) != signal.SIG_IGN]  # nohup ignores one
    child = Child(command, {**os.environ, **launch.env}, heard, own_session=True)
    record.write(run.out, settings, None, child.pid)
    code = child.wait()
    record.write_end(run.out, code)
    return code


def _write(run: Run, script: str) -> Path:
    path = record.folder(run.out) / "train.sbatch"
    path.write_text(script, encoding="utf-8")
    return path
