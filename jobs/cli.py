"""One tool: ``winnow sample | ingest | annotate | linguistics | decontaminate | dedup | publish | run | versions |
pin | unpin | diff | why | show | unmask | make-key | doctor``, and for what follows ``winnow train | adapter | submit |
jobs | chat | serve``.

Exit codes: 0 done, 1 failed for a reason outside the command (disk, memory, a bug), 2 bad usage or config, or no such
lake, 3 input missing or unreadable, 4 a quality gate failed, 5 the lake is damaged, 75 training was stopped by a signal
after a whole checkpoint: the same command goes on, 130 interrupted.
"""

import argparse
import json
import sys
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from io import TextIOWrapper
from typing import Any, cast

from conf import VERSION, recipe
from conf.settings import Settings
from jobs import differences, unmask, versions, why
from jobs.errors import UsageError
from jobs.outlet import Outlet
from training import commands as training_commands

_PRINTING = ("show", "diff", "why", "unmask", "jobs", "chat")
"""Commands that do nothing but print, maybe much or for ever."""
_TEXTS = ("why", "system")
"""Arguments that may be empty."""
_CODES = (__doc__ or "").split("\n\n")[-1]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; nothing but the code and one line tells of a failure.

    A job whose reader is gone (head, a closed terminal) goes on to its end; a command that only prints ends, with 0.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    args = _parser().parse_args(arguments)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # chats have letters that not every terminal has
    out, errors = (cast(Any, Outlet(stream)) for stream in (sys.stdout, sys.stderr))
    with redirect_stderr(errors), nullcontext() if args.command in _PRINTING else redirect_stdout(out):
        try:
            return _code_of(args)
        finally:
            out.flush()


def _code_of(args: Namespace) -> int:
    try:
        _require_values(args)
        code = args.run(args)
        sys.stdout.flush()
        return code
    except recipe.SettingsError as error:
        return _failed(args, error, 2)
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return _failed(args, "interrupted; run the same command again to go on", 130)
    except Exception as error:
        if hasattr(error, "exit_code"):  # an error of ours, of whichever room
            return _failed(args, error, error.exit_code)
        from jobs.failures import explain

        message, code = explain(error)
        return _failed(args, message, code)


def _require_values(args: Namespace) -> None:
    """Raise :class:`UsageError` at an empty path or name: to Python it is the folder one is in, or nothing at all."""
    for name, value in vars(args).items():
        if name not in _TEXTS and "" in (value if isinstance(value, list) else [value]):
            raise UsageError(f"{name}: expected a value, found nothing: is a variable of the shell not set?")


def _failed(args: Namespace, error: object, code: int) -> int:
    if getattr(args, "debug", False):
        traceback.print_exc()
    print(f"winnow: {error}", file=sys.stderr)
    return code


def _parser() -> ArgumentParser:
    parser = ArgumentParser("winnow", description="Chat logs to a fine-tuning dataset you can trust.", epilog=_CODES)
    parser.add_argument("--version", action="version", version=f"winnow {VERSION}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_sample(commands)
    _add_jobs(commands)
    versions.add_commands(commands)
    differences.add_commands(commands)
    why.add_commands(commands)
    unmask.add_commands(commands)
    _add_doctor(commands)
    training_commands.add_commands(commands)
    for command in commands.choices.values():
        command.add_argument("--debug", action="store_true", help="show the stack trace of a failure")
    return parser


def _add_jobs(commands: Any) -> None:
    _job(commands, "ingest", "read source files into the lake", with_input=True)
    _add_keywords_option(_job(commands, "annotate", "clean and label what was ingested"))
    _job(commands, "linguistics", "count sentences, words and phrases with Spark NLP (Spark 3.5 only)")
    finding = "find questions of your benchmarks in user turns"
    _job(commands, "decontaminate", finding, needs=" --set decontaminate.benchmarks=evals/")
    duplicates = _job(commands, "dedup", "find and verify duplicates")
    decision = _job(commands, "publish", "decide, and publish the next dataset version")
    does = "all jobs that the recipe asks for, from files to a published version"
    everything = _job(commands, "run", does, with_input=True)
    for job in (duplicates, everything):
        job.add_argument(
            "--measure", action="store_true", help="plant edited copies in a sample, print how many are found"
        )
    for job in (decision, everything):
        job.add_argument(
            "--pin", metavar="NAME", help="name of the version; default: recipe and digest, as smoke-860b2aa7"
        )
        job.add_argument("--move", action="store_true", help="move the name here if another version has it")
        _add_keywords_option(job)
    for job in (duplicates, decision, everything):
        _add_against_option(job)


def _job(commands: Any, name: str, does: str, with_input: bool = False, needs: str = "") -> ArgumentParser:
    needs = " --input sample/" if with_input else needs
    parser: ArgumentParser = commands.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog=f"Example: winnow {name} --config conf/smoke.yaml{needs} --lake lake",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    recipe.add_options(parser)
    parser.add_argument("--lake", required=True, metavar="PATH", help="the lake's folder or URI")
    if with_input:
        where = "files, folders or globs; may be given again"
        parser.add_argument("--input", required=True, nargs="+", action="extend", metavar="PATH", help=where)
        parser.add_argument(
            "--strict", action="store_true", help="exit 3 if any record or file was refused, copies apart"
        )
    parser.set_defaults(run=run_jobs)
    return parser


def _add_keywords_option(parser: ArgumentParser) -> None:
    what = "keyword lists of yours, <category>.txt and <category>.re (same as --set rules.keywords.folder=...)"
    parser.add_argument("--keywords", metavar="DIR", help=what)


def _add_against_option(parser: ArgumentParser) -> None:
    what = "remove what this dataset has: a pin of this lake, or of another one (same as --set dedup.against=...)"
    parser.add_argument("--against", metavar="[LAKE#]PIN", help=what)


def _add_sample(commands: Any) -> None:
    parser = commands.add_parser(
        "sample",
        help="write sample chat logs of our own making",
        description="Write sample chat logs of our own making, with planted copies and broken records.",
        epilog="Example: winnow sample --out sample",
    )
    parser.add_argument("--out", default="sample", metavar="DIR", help="folder to write (default: sample)")
    parser.add_argument("--conversations", type=int, default=20_000, metavar="N", help="default: 20000")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="same seed, same bytes (default: 1)")
    parser.set_defaults(run=run_sample)


def _add_doctor(commands: Any) -> None:
    parser = commands.add_parser(
        "doctor",
        help="check this machine: Java, Spark, Delta, Python on the executors, memory",
        description="Check this machine, one line a check. Exit code 2 if one fails, with what to do.",
        epilog="Example: winnow doctor",
    )
    parser.add_argument("--fetch-jars", action="store_true", help="only fetch the jars that are not there yet")
    parser.add_argument("--trial", action="store_true", help="only run all jobs on a small sample: compiles kernels")
    parser.add_argument(
        "--jars", action="store_true", help="only print where Delta's jars are, for spark-submit --jars"
    )
    parser.set_defaults(run=run_doctor)


def run_sample(args: Namespace) -> int:
    """``winnow sample``."""
    from jobs.sample.generate import run

    return run(args.out, args.conversations, args.seed)


def run_doctor(args: Namespace) -> int:
    """``winnow doctor``."""
    from jobs import doctor

    return doctor.run(fetch_only=args.fetch_jars, print_only=args.jars, trial_only=args.trial)


def run_jobs(args: Namespace) -> int:
    """One job, or with ``winnow run`` all of them in order, then the funnel."""
    settings = _settings(args)
    from jobs import chain

    chain.run(list(chain.ORDER) if args.command == "run" else [args.command], settings, args)
    return 0


def _settings(args: Namespace) -> Settings:
    options = {
        "dedup.against": getattr(args, "against", None),
        "rules.keywords.folder": getattr(args, "keywords", None),
    }
    named = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in options.items() if value]
    settings = recipe.load(args.config, [*args.set, *named])
    if settings.input.format != "auto":
        from jobs import formats

        try:
            formats.named(settings.input.format)
        except ValueError as error:
            raise UsageError(str(error)) from error
    for line in recipe.describe(settings):
        print(line, file=sys.stderr)
    return settings


if __name__ == "__main__":
    raise SystemExit(main())
