"""What differs between two versions of the dataset, and why? Starts no Spark.

Example:
    winnow diff baseline 3 --lake lake
"""

import json
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from conf import tables
from jobs import terminal, versions
from jobs.why import verdicts
from udfs.delta.contents import open_version, read_batches
from udfs.delta.lake import read_rows
from udfs.delta.versions import Version, resolve

_FACTS = ("digest", "split", "copies")
_KEY = "conversation_id"


@dataclass(frozen=True)
class Difference:
    """What is other in one version than in another, by ``conversation_id``, ascending: rows that only ``after`` has
    (``came``), each with the reasons that ``before`` had against what it is made of, or only ``before`` (``went``),
    with those of ``after``; rows of both with another text, on the other side of train and eval, or that stand for
    another number of conversations. ``settings`` by key: before, after; None where they are not known of both."""

    came: dict[str, str]
    went: dict[str, str]
    text: list[str]
    split: list[str]
    copies: list[str]
    settings: dict[str, tuple[Any, Any]] | None


def compare(before: Version, after: Version) -> Difference:
    """What differs between two versions of one lake."""
    both = _rows(before).join(_rows(after), _KEY, join_type="full outer", right_suffix="_after").sort_by(_KEY)
    came, went = (both[_KEY].filter(pc.is_null(both[name])).to_pylist() for name in ("digest", "digest_after"))
    # Null where a row is in one of them only, which a filter leaves out.
    other = {fact: both[_KEY].filter(pc.not_equal(both[fact], both[f"{fact}_after"])).to_pylist() for fact in _FACTS}
    reasons = _reasons(before, _made_of(after, came)), _reasons(after, _made_of(before, went))
    settings = _settings(before, after)
    return Difference(*reasons, other["digest"], other["split"], other["copies"], settings)


def _rows(version: Version) -> pa.Table:
    columns = [_KEY, *_FACTS]
    batches = [batch.select(columns) for batch in read_batches(open_version(version), columns)]
    schema = pa.schema([*((name, pa.string()) for name in columns[:3]), (columns[3], pa.int64())])
    return pa.Table.from_batches(batches, schema=batches[0].schema) if batches else schema.empty_table()


def _made_of(version: Version, names: list[str]) -> dict[str, list[str]]:
    """The conversations that each of these rows of the version is made of."""
    is_one = pc.field(_KEY).isin(pa.array(names, pa.string()))
    rows = read_rows(version.lake, tables.DATASET, version.version, is_one, [_KEY, "made_of"]) if names else []
    found = {row[_KEY]: [origin[_KEY] for origin in row["made_of"]] for row in rows}
    return {name: found[name] for name in names}


def _reasons(version: Version, made_of: dict[str, list[str]]) -> dict[str, str]:
    """What the version has against the conversations of each of these rows, which are none of its own."""
    found = verdicts(version, {origin for origins in made_of.values() for origin in origins}) if made_of else {}
    reasons = {name: ", ".join(row["reasons"]) or "in rows that are cut otherwise" for name, row in found.items()}
    told = {name: {reasons.get(origin, "not judged") for origin in origins} for name, origins in made_of.items()}
    return {name: "; ".join(sorted(each)) for name, each in told.items()}


def _settings(before: Version, after: Version) -> dict[str, tuple[Any, Any]] | None:
    """The settings of the runs that published the two, where they differ."""
    old, new = (_config(version) for version in (before, after))
    if old is None or new is None:
        return None
    keys = sorted({*old, *new})
    return {key: (old.get(key), new.get(key)) for key in keys if old.get(key) != new.get(key)}


def _config(version: Version) -> dict[str, Any] | None:
    """The settings of the run that published a version by key; None where ``runs`` has it no more, or, of a run that
    was killed before its end, without them."""
    runs = read_rows(version.lake, tables.RUNS, where=pc.field("run_id") == version.run_id)
    config = runs[0]["config"] if runs else None
    return None if config is None else dict(_leaves(json.loads(config)))


def _leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(tree, dict):
        yield path, tree
        return
    for key, value in tree.items():
        yield from _leaves(value, f"{path}.{key}" if path else key)


def add_commands(subparsers: Any) -> None:
    """Register ``diff``, which sets ``run``, a function of the parsed arguments."""
    does = "say what differs between two versions, and why"
    parser = versions.command(subparsers, "diff", run_diff, does, "baseline 3 --lake lake")
    parser.add_argument("before", metavar="VERSION", help="a version's number, or a pin")
    parser.add_argument("after", metavar="VERSION", help="the version to compare it with")
    parser.add_argument("--limit", type=versions.count, default=5, metavar="N", help="ids of each kind (default: 5)")


def run_diff(args: Namespace) -> int:
    """``winnow diff``: counts, reasons of what went, settings, and some ids of each kind."""
    before, after = (_named(args.lake, name) for name in (args.before, args.after))
    found = compare(before, after)
    print(terminal.safe(_lines(before, after, found, args.limit)))
    return 0


def _named(lake: str, name: str) -> Version:
    return resolve(lake, version=int(name)) if name.isdecimal() else resolve(lake, pin=name)


def _lines(before: Version, after: Version, found: Difference, limit: int) -> Iterator[str]:
    yield f"version {before.version} -> {after.version}: {before.rows:,} -> {after.rows:,} rows"
    if found.settings is None:
        yield f"  settings: not known of both, table {tables.RUNS} does not have them"
    for key, (old, new) in (found.settings or {}).items():
        yield f"  {key}: {json.dumps(old, ensure_ascii=False)} -> {json.dumps(new, ensure_ascii=False)}"
    for kind, reasons in (("came", found.came), ("went", found.went)):
        yield f"{len(reasons):>9,} {kind}"
        counted = sorted(Counter(reasons.values()).items(), key=lambda each: (-each[1], each[0]))
        yield from (f"{count:>13,} {'before' if kind == 'came' else 'now'}: {reason}" for reason, count in counted)
        yield from _some([f"{name}  {reason}" for name, reason in reasons.items()], limit)
    for kind, names in (("other text", found.text), ("other split", found.split), ("other copies", found.copies)):
        yield f"{len(names):>9,} {kind}"
        yield from _some(names, limit)


def _some(lines: list[str], limit: int) -> list[str]:
    return [f"{'':>14}{line}" for line in lines[:limit]]
