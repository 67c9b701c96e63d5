"""Which published version of the dataset is meant? Built on deltalake, no JVM.

A version is *published* if its commit carries winnow's lineage: a dataset digest, the recipe, the inputs' versions.
Other commits of the table (OPTIMIZE, VACUUM, SET TBLPROPERTIES) are stepped over, as they change no row; one that does
change rows (DELETE, RESTORE) is refused, as nobody recorded what it should hold.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, NamedTuple

from deltalake import DeltaTable

from conf import tables
from udfs.delta.lake import UNREADABLE, WRONG_CHOICE, LakeError, open_table, read_table_log, reading, scan
from udfs.delta.log import Commit, Log, read_commit

DATASET_DIGEST = re.compile(r"(\d+)-[0-9a-f]{60}")
"""Form of a dataset digest: the number of rows, then the sum over rows (see ``udfs.digest``)."""


class Pin(NamedTuple):
    """One row of table ``pins``: a name for one version of the dataset, and the digest that version had then."""

    name: str
    version: int
    digest: str
    why: str
    pinned: datetime


@dataclass(frozen=True)
class Version:
    """One published version, as its commit recorded it. ``when`` is UTC; ``pins`` are its names, sorted; ``inputs`` are
    the versions of the tables that it was made from; ``run_id`` names the run that made it."""

    lake: str
    version: int
    when: datetime | None
    rows: int
    digest: str
    recipe: str
    config_digest: str
    code_version: str
    pins: tuple[str, ...] = ()
    run_id: str = ""
    inputs: Mapping[str, int] = field(default_factory=dict)


def list_versions(lake: str) -> tuple[list[Version], list[str]]:
    """Every published version of the dataset, newest first, and one sentence for each damaged commit file."""
    log = read_table_log(lake, tables.DATASET)
    names = _names(read_pins(lake))
    with reading(lake):
        commits = [read_commit(log, version) for version in sorted(log.sizes, reverse=True)]
    published = [_version(lake, commit, names) for commit in commits if _digest(commit)]
    return published, [commit.damage for commit in commits if commit.damage]


def read_pins(lake: str) -> list[Pin]:
    """All pins of ``lake``, by name; none where nothing was ever pinned."""
    table = open_pins(lake)
    return pins_of(table) if table else []


def open_pins(lake: str) -> DeltaTable | None:
    """The newest version of table ``pins``; None before the first pin."""
    log = read_table_log(lake, tables.PINS)
    return open_table(lake, log, log.newest) if log.newest >= 0 else None


def pins_of(table: DeltaTable) -> list[Pin]:
    """The rows of an opened ``pins`` table, by name."""
    with reading(f"table {tables.PINS}"):
        rows = scan(table).to_table(columns=list(Pin._fields), use_threads=False).to_pylist()
    return sorted(Pin(**row) for row in rows)


def resolve(lake: str, pin: str | None = None, version: int | None = None, timestamp: str | None = None) -> Version:
    """The published version meant by at most one of pin, version and timestamp; the newest if none is given.

    ``timestamp`` is ISO 8601 (UTC where it names no zone) and means the dataset as it was at that moment. Raises
    LakeError if two are given, if nothing matches, or if the commit in question is damaged.
    """
    _check_one({"pin": pin, "version": version, "timestamp": timestamp})
    log = read_table_log(lake, tables.DATASET)
    pins = read_pins(lake)
    with reading(lake):
        if pin is not None:
            commit = _pinned(log, find_pin(pins, pin))
        elif version is not None:
            commit = _numbered(log, version)
        else:
            commit = _latest(log, None if timestamp is None else parse_time(timestamp))
    return _version(lake, commit, _names(pins))


def find_pin(pins: list[Pin], name: str) -> Pin:
    """The pin of this name. Raises LakeError that names the nearest one and lists all."""
    for pin in pins:
        if pin.name == name:
            return pin
    near = get_close_matches(name, [pin.name for pin in pins], n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    there = ", ".join(f"{pin.name} (version {pin.version})" for pin in pins) or "none yet"
    raise LakeError(f"no pin is named {name!r}.{hint} Pins: {there}.", WRONG_CHOICE)


def parse_time(text: str) -> datetime:
    """An ISO 8601 date or time; UTC where it names no zone, midnight where it is only a date."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise LakeError(
            f"timestamp {text!r} is not ISO 8601: expected 2026-01-31 or 2026-01-31T18:00:00+00:00.", WRONG_CHOICE
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _check_one(choices: Mapping[str, object]) -> None:
    given = [name for name, value in choices.items() if value is not None]
    if len(given) > 1:
        raise LakeError(f"{' and '.join(given)} are both given: choose a version by one of them.", WRONG_CHOICE)


def _pinned(log: Log, pin: Pin) -> Commit:
    commit = _numbered(log, pin.version)
    if _digest(commit) != pin.digest:
        raise LakeError(
            f"pin {pin.name} was set when version {pin.version} had digest {pin.digest}; that version now records "
            f"{_digest(commit)}: table {tables.DATASET} was replaced. Restore it, or pin again with --move.",
            UNREADABLE,
        )
    return commit


def _numbered(log: Log, version: int) -> Commit:
    if not 0 <= version <= log.newest:
        raise LakeError(f"there is no version {version}. {_published(log)}", WRONG_CHOICE)
    if version not in log.sizes:
        raise LakeError(
            f"version {version} is gone: its commit file {log.file(version)} is missing (log clean-up, or lost). "
            f"{_published(log)}",
            UNREADABLE,
        )
    commit = read_commit(log, version)
    if commit.damage:
        raise LakeError(f"version {version} is damaged: {commit.damage}. {_published(log)}", UNREADABLE)
    if not _digest(commit):
        raise LakeError(
            f"version {version} was not published by winnow: its commit ({commit.operation}) records no digest. "
            f"{_published(log)}",
            WRONG_CHOICE,
        )
    return commit


def _latest(log: Log, moment: datetime | None) -> Commit:
    """The newest published commit, at or before ``moment`` if given."""
    for version in sorted(log.sizes, reverse=True):
        commit = read_commit(log, version)
        if commit.damage:
            raise LakeError(
                f"the newest version is not certain: {commit.damage}. Choose a version by its number, or move that "
                f"file away if its write never finished. {_published(log)}",
                UNREADABLE,
            )
        if moment is not None and (commit.when is None or commit.when > moment):
            continue
        if _digest(commit):
            return commit
        if commit.changes_rows:
            raise LakeError(
                f"version {version} ({commit.operation}) changed rows and was not published by winnow, so there is no "
                f"digest to hold it to. Publish again, or choose a version by its number. {_published(log)}",
                WRONG_CHOICE,
            )
    before = "" if moment is None else f" at or before {moment.isoformat()}"
    raise LakeError(f"nothing was published{before}. {_published(log)}", WRONG_CHOICE)


def _published(log: Log) -> str:
    """One sentence: the newest published versions with their times, for error messages."""
    commits = (read_commit(log, version) for version in sorted(log.sizes, reverse=True))
    texts = [f"{commit.version} ({show_time(commit.when)})" for commit in commits if _digest(commit)]
    if not texts:
        return f"Table {tables.DATASET} has no published version: run `winnow publish`."
    more = f" and {len(texts) - 10} older" if len(texts) > 10 else ""
    return f"Published versions: {', '.join(texts[:10])}{more}."


def show_time(when: datetime | None) -> str:
    """A UTC time to the millisecond, as the log keeps it: given back as ``timestamp`` it finds the same commit."""
    return "time unknown" if when is None else when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def _names(pins: list[Pin]) -> dict[tuple[int, str], tuple[str, ...]]:
    """(version, digest) -> pin names. A pin of a replaced table names nothing."""
    keys = sorted({(pin.version, pin.digest) for pin in pins})
    return {key: tuple(pin.name for pin in pins if (pin.version, pin.digest) == key) for key in keys}


def _version(lake: str, commit: Commit, names: dict[tuple[int, str], tuple[str, ...]]) -> Version:
    lineage: dict[str, Any] = commit.lineage or {}
    digest = _digest(commit)
    return Version(
        lake=lake,
        version=commit.version,
        when=commit.when,
        rows=int(digest.partition("-")[0]),
        digest=digest,
        recipe=str(lineage.get("recipe", "")),
        config_digest=str(lineage.get("config_digest", "")),
        code_version=str(lineage.get("code_version", "")),
        pins=names.get((commit.version, digest), ()),
        run_id=str(lineage.get("run_id", "")),
        inputs=lineage.get("inputs", {}),
    )


def _digest(commit: Commit) -> str:
    """The dataset digest this commit recorded; '' if it is not a published version."""
    digest = (commit.lineage or {}).get("digest")
    return digest if isinstance(digest, str) and DATASET_DIGEST.fullmatch(digest) else ""
