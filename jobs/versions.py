"""Published versions from the command line: list, name and show them. Starts no Spark.

Examples:
    winnow versions --lake lake
    winnow pin baseline --lake lake --version 3 --why "first run that beat last month's"
    winnow show --lake lake --pin baseline --limit 5 --verify
    winnow unpin baseline --lake lake
"""

import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable
from itertools import islice
from typing import Any

from conf import tables
from jobs import audit, pins, terminal
from jobs.errors import UsageError
from udfs.delta.contents import open_version, read_batches, verify
from udfs.delta.lake import (
    UNREADABLE,
    read_rows,
    read_table_log,
)
from udfs.delta.versions import Version, list_versions, read_pins, resolve


def show(version: Version, limit: int) -> list[dict[str, Any]]:
    """The first ``limit`` rows of a version, in the order of its files; the same rows every time."""
    rows = (row for batch in read_batches(open_version(version)) for row in batch.to_pylist())
    return list(islice(rows, limit))


def quarantined(lake: str, limit: int) -> list[dict[str, Any]]:
    """The first ``limit`` rows of table ``quarantine``, files before records, by file and record."""
    # A file that is a copy of another has no part, and may have been refused before for what it then was.
    order = lambda row: (row["record"] is not None, row["file"], row["record"] or 0, row["part"] or 0)  # noqa: E731
    return sorted(read_rows(lake, tables.QUARANTINE), key=order)[:limit]


_OTHERS: dict[str, tuple[str, Callable[[str, int], list[Any]], Callable[[Any], str]]] = {
    "quarantine": ("what could not be read, instead of a version", quarantined, terminal.as_refusal),
    "contamination": ("hits and near misses on benchmark questions", audit.contamination, terminal.as_contamination),
    "families": ("frequent prompts and templates, the largest first", audit.families, terminal.as_family),
    "conflicts": ("questions that several personas answer", audit.conflicts, terminal.as_conflict),
}
"""What ``show`` prints instead of a version: what that is, how it is read, and how each of it is written."""


def add_commands(subparsers: Any) -> None:
    """Register ``versions``, ``pin``, ``unpin`` and ``show``; each sets ``run``, a function of the parsed arguments."""
    versions = command(subparsers, "versions", run_versions, "list the published versions", "--lake lake")
    versions.add_argument("--json", action="store_true", help="one JSON object a line, digests in full")

    naming = command(subparsers, "pin", run_pin, "give a version a name", "baseline --lake lake --version 3")
    naming.add_argument("name", help="letters, digits, '.', '_' and '-'; not a number")
    naming.add_argument("--version", type=int, metavar="N", help="default: the newest")
    naming.add_argument("--why", default="", metavar="TEXT", help="kept with the pin")
    naming.add_argument("--move", action="store_true", help="move the name here, or change its reason, if it has one")

    removal = command(subparsers, "unpin", run_unpin, "remove a name; the version stays", "baseline --lake lake")
    removal.add_argument("name")

    look = command(subparsers, "show", run_show, "print conversations of a version", "--lake lake --pin baseline")
    which = look.add_mutually_exclusive_group()
    which.add_argument("--version", type=int, metavar="N", help="default: the newest")
    which.add_argument("--pin", metavar="NAME")
    which.add_argument("--timestamp", metavar="TIME", help="ISO 8601, UTC unless it says otherwise")
    for name, (does, _, _) in _OTHERS.items():
        which.add_argument(f"--{name}", action="store_true", help=does)
    look.add_argument(
        "--limit", type=count, default=5, metavar="N", help="conversations, or rows, to print (default: 5)"
    )
    look.add_argument("--verify", action="store_true", help="first recompute the digest from every message")


def run_versions(args: Namespace) -> int:
    """``winnow versions``: one line a version on standard output, one a damaged commit on standard error."""
    versions, damages = list_versions(args.lake)
    named = read_pins(args.lake)
    print(terminal.as_json(versions) if args.json else terminal.as_table(versions))
    known = {name for version in versions for name in version.pins}
    for lost in (pin for pin in named if pin.name not in known):
        damages.append(f"pin {lost.name} names version {lost.version}, which is not there any more as it was pinned")
    for damage in damages:
        print(f"damaged: {damage}", file=sys.stderr)
    return UNREADABLE if damages else 0


def run_pin(args: Namespace) -> int:
    """``winnow pin``: says what the name means now, and whether it did before."""
    placed, is_new = pins.pin(args.lake, args.name, args.version, args.why, args.move)
    verb = "is now" if is_new else "already is"
    print(f"{placed.name} {verb} version {placed.version}, digest {placed.digest}")
    if args.why not in ("", placed.why):
        print(f"its reason stays {placed.why!r}: --move replaces it", file=sys.stderr)
    return 0


def run_unpin(args: Namespace) -> int:
    """``winnow unpin``."""
    removed = pins.unpin(args.lake, args.name)
    print(f"{removed.name} is no longer a name; version {removed.version} stays")
    return 0


def run_show(args: Namespace) -> int:
    """``winnow show``: what the version is, then its first conversations; or rows of another table."""
    others = [name for name in _OTHERS if getattr(args, name)]
    if args.verify and others:
        raise UsageError(f"--verify recomputes the digest of a version, and --{others[0]} shows none: leave out one")
    if others:
        _show_other(args.lake, others[0], args.limit)
        return 0
    version = resolve(args.lake, args.pin, args.version, args.timestamp)
    print(terminal.as_heading(version))
    if args.verify:
        print(f"verified: {verify(version, open_version(version))}")
    for row in show(version, args.limit):
        print(f"\n{terminal.as_conversation(row)}")
    return 0


def _show_other(lake: str, table: str, limit: int) -> None:
    """Print rows of a table that is no dataset. Where there are none, say whether it was ever written."""
    _, read, write = _OTHERS[table]
    found = read(lake, limit)
    for row in found:
        print(write(row))
    if not found and limit:
        is_there = read_table_log(lake, table).newest >= 0
        print(f"table {table} {'has no rows' if is_there else 'was not written yet'}", file=sys.stderr)


def command(subparsers: Any, name: str, run: Callable[[Namespace], int], does: str, example: str) -> ArgumentParser:
    """A command that looks into a lake, with its ``--lake``."""
    parser: ArgumentParser = subparsers.add_parser(
        name, help=does, description=f"{does[0].upper()}{does[1:]}.", epilog=f"Example: winnow {name} {example}"
    )
    parser.add_argument("--lake", required=True, metavar="PATH", help="the lake: a folder or a URI (s3://, ...)")
    parser.set_defaults(run=run)
    return parser


def count(text: str) -> int:
    """The type of an option that counts conversations."""
    if not text.isdecimal():
        raise ArgumentTypeError(f"expected a number of conversations, found {text!r}")
    return int(text)
