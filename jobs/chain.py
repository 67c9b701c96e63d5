"""The jobs in order, in one Spark session, and what to print when they are done."""

import shlex
from argparse import Namespace

from conf import recipe
from conf.settings import Settings
from jobs import annotate, decontaminate, dedup, ingest, linguistics, pins, publish, questions, report, shaping
from jobs.duplicates import measure
from jobs.lake import Lake, check_path, open_lake
from jobs.progress import Progress
from jobs.session import open_session
from udfs.delta.versions import resolve

ORDER = ("ingest", "annotate", "linguistics", "decontaminate", "dedup", "publish")
"""The jobs of ``winnow run``, each on what the one before it committed."""


def run(names: list[str], settings: Settings, args: Namespace) -> None:
    """Run these jobs on ``args.lake``; each says what it committed, or that there was nothing new."""
    is_off = {"decontaminate": not settings.decontaminate.is_on, "linguistics": not settings.linguistics.enabled}
    names = names if len(names) == 1 else [name for name in names if not is_off.get(name, False)]
    _check(names, settings, args)
    spark = open_session(" ".join(names), settings.spark, with_nlp="linguistics" in names)
    lake = open_lake(spark, args.lake, create="ingest" in names)
    for name in names:
        progress = Progress(spark, name)
        has_news = _run(name, lake, settings, args, progress)
        progress.say("done" if has_news else "nothing new, nothing committed")
    if names[-1] == "publish":
        _finish(lake, settings, args)


def _check(names: list[str], settings: Settings, args: Namespace) -> None:
    """Tell what is wrong with files, models and names before a session starts, which takes seconds."""
    check_path(args.lake)
    if "ingest" in names:
        ingest.sources(args.input, args.lake.rstrip("/"))
    if "annotate" in names:
        annotate.keyword_lists(settings.rules)
        annotate.pii_key(settings.rules, args.lake)
        annotate.names_model(settings.rules)
    if "linguistics" in names:
        linguistics.prepare(settings)
    if "decontaminate" in names:
        questions.read(decontaminate.require_on(settings.decontaminate))
    if "publish" in names:
        shaping.prepare(settings.publish)
        pins.check_place(args.lake)
        if args.pin:
            pins.check_name(args.pin)


def _run(name: str, lake: Lake, settings: Settings, args: Namespace, progress: Progress) -> bool:
    if name == "ingest":
        return ingest.run(lake, settings, args.input, progress, args.strict)
    if name == "annotate":
        return annotate.run(lake, settings, progress)
    if name == "linguistics":
        return linguistics.run(lake, settings, progress)
    if name == "decontaminate":
        return decontaminate.run(lake, settings, progress)
    if name == "dedup":
        has_news = dedup.run(lake, settings, progress)
        return (args.measure and measure.run(lake, settings, progress)) or has_news
    return publish.run(lake, settings, progress)


def _finish(lake: Lake, settings: Settings, args: Namespace) -> None:
    """Print the funnel, pin the published version and print what to do next. A name of ours goes to the newest version
    of the same content."""
    found = resolve(lake.path)
    print("\n".join(["", *report.funnel(lake), "", f"dataset version {found.version}, digest {found.digest}"]))
    name = args.pin or f"{settings.name}-{found.digest.split('-')[-1][:8]}"
    if name not in found.pins:  # else the reason that it has stays
        why, move = f"winnow {recipe.digest(settings)}", args.move or not args.pin
        pins.pin(lake.path, name, found.version, why, move)
    print("\n".join([f"pinned as {name}", "", "next:", *_next(lake.path, name)]))


def _next(lake: str, pin: str) -> list[str]:
    """Commands to go on with, as a shell takes them."""
    at = f"--lake {shlex.quote(lake)}"
    return [
        f"  winnow show {at} --pin {pin} --limit 5",
        f"  winnow versions {at}",
        f"  winnow show {at} --pin {pin} --limit 0 --verify",
    ]
