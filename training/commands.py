"""Every command of training is registered here; ``train`` and ``adapter`` are this file's. Imports nothing heavy."""

import argparse
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from conf import recipe
from conf.training import Training

TRAIN_EXAMPLE = """Examples:
  winnow train --config conf/train/smoke.yaml --lake lake --pin baseline --out runs/first --check
  winnow train --config conf/train/smoke.yaml --lake lake --pin baseline --out runs/first
Run again with the same --out, it goes on from the newest whole checkpoint, on the version it was begun on.
Exit code 75: stopped by SIGUSR1 or SIGTERM after a whole checkpoint."""


def add_commands(commands: Any) -> None:
    """Register every command of training; each sets ``run``, a function of the parsed arguments."""
    from training import chat_cli, monitor, serve, submit

    _add_train(commands)
    submit.add_commands(commands)
    monitor.add_commands(commands)
    _add_adapter(commands)
    chat_cli.add_commands(commands)
    serve.add_commands(commands)


def _add_train(commands: Any) -> None:
    parser = _parser(commands, "train", "train a LoRA adapter on one version of the dataset", TRAIN_EXAMPLE)
    recipe.add_options(parser, Training)
    parser.add_argument("--lake", required=True, metavar="PATH", help="the lake's folder or URI")
    add_version_options(parser)
    parser.add_argument("--out", required=True, metavar="DIR", help="the run's folder; the adapter is DIR/adapter")
    parser.add_argument("--ranks", type=at_least_one, metavar="N", help="processes in all; default: as launch says")
    parser.add_argument("--resume", choices=["auto", "none"], default="auto", help="none: refuse to go on (auto)")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="say what the run would be and whether it fits; no GPU")
    mode.add_argument("--prepare", action="store_true", help="check and tokenise; a scheduler starts the ranks")
    parser.set_defaults(run=run_train)


def add_version_options(parser: ArgumentParser) -> None:
    """``--pin``, ``--version`` or ``--timestamp``, and ``--allow-unpinned``."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--pin", metavar="NAME", help="the version of the dataset by its pin; default: the newest, if pinned"
    )
    which.add_argument("--version", type=int, metavar="N", help="by its number")
    which.add_argument("--timestamp", metavar="TIME", help="as it was then: ISO 8601, UTC unless it says otherwise")
    parser.add_argument("--allow-unpinned", action="store_true", help="take a version that no pin keeps")


def _add_adapter(commands: Any) -> None:
    parser = _parser(commands, "adapter", "look into, check, merge or convert an adapter", _example("inspect"))
    kinds = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    _kind(kinds, "inspect", "say what an adapter is and where it comes from")
    check = _kind(kinds, "verify", "check files and tensors; also base and dataset, if given", " --lake lake")
    check.add_argument("--lake", metavar="PATH", help="also recompute the dataset's digest in this lake")
    merge = _kind(kinds, "merge", "write base + adapter as one model in safetensors", " --out merged")
    merge.add_argument("--shard-gb", type=above_zero, default=5.0, metavar="GB", help="largest file (default: 5)")
    export = _kind(kinds, "export", "write a plain state dict for loralib: base, then lora", " --out plain")
    for one in (check, merge):
        one.add_argument("--base", metavar="DIR", help="the base model's folder; default: where it was when trained")
    for one in (merge, export):
        one.add_argument("--out", required=True, metavar="DIR", help="folder to write; must not exist yet")


def _kind(kinds: Any, name: str, does: str, options: str = "") -> ArgumentParser:
    parser = _parser(kinds, name, does, _example(name, options))
    parser.add_argument("adapter", metavar="DIR", help="a folder that `winnow train` wrote")
    what = "show the stack trace of a failure"  # as every command has it from jobs/cli.py, which does not see kinds
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=what)
    parser.set_defaults(run=run_adapter)
    return parser


def _example(name: str, options: str = "") -> str:
    return f"Example: winnow adapter {name} runs/first/adapter{options}"


def at_least_one(text: str) -> int:
    """The type of an option that counts things: argparse refuses others by the option's name."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"expected a whole number from 1 on, found {text!r}")
    return int(text)


def above_zero(text: str) -> float:
    """The type of an option that is a size or a time."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < float("inf"):
        raise ArgumentTypeError(f"expected a number above 0, found {text!r}")
    return number


def _parser(commands: Any, name: str, does: str, epilog: str) -> ArgumentParser:
    parser: ArgumentParser = commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def run_train(args: Namespace) -> int:
    """``winnow train``: the exit code is the run's."""
    if getattr(args, "debug", False):
        os.environ["WINNOW_DEBUG"] = "1"  # for the ranks, which tell of their failures themselves
    require_libraries()
    from training.sft import prepare_environment

    settings = recipe.load(args.config, args.set, tree=Training)
    prepare_environment(settings.launch.gpus_per_node == 0)
    if args.check:
        return _run_check(args, settings)
    for line in recipe.describe(settings):
        print(line, file=sys.stderr)
    from training import lock

    with lock.held(Path(args.out)) as file:
        return _train(args, settings, file)


def _train(args: Namespace, settings: Training, lock: int) -> int:
    """Prepare, and start the ranks, which hold the open file ``lock`` as well."""
    from training import ranks
    from training.job import is_finished
    from training.prepare import Request, prepare

    wanted = {name: getattr(args, name) for name in Request.__dataclass_fields__}
    job = prepare(Request(**wanted), settings)
    if args.prepare:
        print(f"prepared: {args.out}/job.json for {job.ranks} ranks")
        return 0
    if is_finished(Path(args.out)):
        print(f"trained already: {args.out}/adapter")
        return 0
    threads = settings.launch.cpus_per_process
    return ranks.run([sys.executable, "-m", "training.sft", args.out], job.ranks, threads, lock)


def run_adapter(args: Namespace) -> int:
    """``winnow adapter inspect | verify | merge | export``."""
    require_libraries()
    from training import adapter
    from training.sft import prepare_environment

    prepare_environment(use_cpu=True)
    return int(getattr(adapter, f"run_{args.what}")(args))


def require_libraries() -> None:
    """Raises RunRefused, with what to install, where the training extra is missing."""
    from importlib.util import find_spec

    from training.errors import RunRefused

    missing = [name for name in ("torch", "transformers", "peft", "accelerate", "deepspeed") if not find_spec(name)]
    if missing:
        raise RunRefused(f"training needs {', '.join(missing)}: pip install '.[train]' in Winnow's sources")


def _run_check(args: Namespace, settings: Training) -> int:
    from training import preflight

    return int(preflight.run(args, settings))
