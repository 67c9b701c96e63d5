"""Pins: names of published versions, in a table that several may edit at the same time. Starts no Spark."""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from conf import tables
from udfs.delta.contents import open_version
from udfs.delta.lake import UNREADABLE, WRONG_CHOICE, LakeError, reading, table_uri
from udfs.delta.log import local_path
from udfs.delta.versions import Pin, find_pin, open_pins, pins_of, read_pins, resolve

PINS = pa.schema(
    [
        ("name", pa.string()),
        ("version", pa.int64()),
        ("digest", pa.string()),
        ("why", pa.string()),
        ("pinned", pa.timestamp("us", tz="UTC")),
    ]
)
"""The ``pins`` table as Arrow types: the same as ``jobs.tables.SCHEMAS``, which only Spark can read."""

PIN_NAME = re.compile(r"[\w.-]+")
ATTEMPTS = 50
"""How often an edit of the pins is tried while others edit them too; each failure means someone else got through."""
_UNWRITABLE = "[]^|"
"""What no path may have that deltalake writes rows to."""

Edit = Callable[[list[Pin]], list[Pin]]


def pin(lake: str, name: str, version: int | None = None, why: str = "", move: bool = False) -> tuple[Pin, bool]:
    """Name a published version (the newest if None). Returns the pin, and whether a commit was needed.

    The version's files must all be there. A name that already means this version is left as it is, but for another
    reason given with ``move``; one that means another version is an error unless ``move``. Of two pins set at the same
    time both are kept.
    """
    check_name(name)
    chosen = resolve(lake, version=version)
    open_version(chosen)
    wanted = Pin(name, chosen.version, chosen.digest, why, datetime.now(UTC))

    def place(pins: list[Pin]) -> list[Pin]:
        old = next((pin for pin in pins if pin.name == name), None)
        is_same = old and (old.version, old.digest) == (wanted.version, wanted.digest)
        if old and is_same and not (move and why not in ("", old.why)):
            return pins
        if old and not move:
            raise LakeError(
                f"pin {name} already means version {old.version}. Give --move to let it mean version {wanted.version}, "
                "or choose another name.",
                WRONG_CHOICE,
            )
        return [pin for pin in pins if pin.name != name] + [wanted]

    is_new = _edit_pins(lake, place, f"pin {name} = version {wanted.version}")
    return (wanted if is_new else find_pin(read_pins(lake), name)), is_new


def unpin(lake: str, name: str) -> Pin:
    """Remove a pin and return it. The version it named stays, as long as the table keeps old files."""
    removed: list[Pin] = []

    def drop(pins: list[Pin]) -> list[Pin]:
        removed[:] = [find_pin(pins, name)]
        return [pin for pin in pins if pin.name != name]

    _edit_pins(lake, drop, f"unpin {name}")
    return removed[0]


def pinned_versions(lake: str) -> set[int]:
    """Every version of the dataset that a pin names: what a clean-up must keep (see ``udfs.delta.contents``)."""
    return {pin.version for pin in read_pins(lake)}


def check_name(name: str) -> None:
    """Raise LakeError unless this can be a pin."""
    if not PIN_NAME.fullmatch(name) or name.isdigit():
        raise LakeError(
            f"{name!r} cannot name a version: expected letters, digits, '.', '_' and '-', and not a number alone.",
            WRONG_CHOICE,
        )


def check_place(lake: str) -> None:
    """Raise LakeError where no pin can be written: deltalake panics at such a path."""
    path = local_path(lake)
    found = [character for character in _UNWRITABLE if path is not None and character in str(path)]
    if found:
        raise LakeError(
            f"no pin can be written in {path}: expected a path without any of {' '.join(_UNWRITABLE)}, found "
            f"{' '.join(found)}. Rename that folder.",
            WRONG_CHOICE,
        )


def _edit_pins(lake: str, edit: Edit, what: str) -> bool:
    """Replace the pins by ``edit`` of them, as one commit on exactly the version that was read; else read again.

    Returns whether there was anything to change. Compare-and-swap: no pin set in between is ever lost.
    """
    check_place(lake)
    for attempt in range(ATTEMPTS):
        table = open_pins(lake)
        pins = pins_of(table) if table else []
        wanted = sorted(edit(pins))
        if wanted == pins:
            return False
        with reading(f"table {tables.PINS}"):
            if _commit_pins(table or table_uri(lake, tables.PINS), wanted, what):
                return True
        time.sleep(0.01 * attempt)
    raise LakeError(f"table {tables.PINS} changed {ATTEMPTS} times while it was edited. Try again.", UNREADABLE)


def _commit_pins(target: DeltaTable | str, pins: list[Pin], what: str) -> bool:
    """Write ``pins`` as the very next version of the table that was read; False if someone else was first."""
    rows = pa.Table.from_pylist([pin._asdict() for pin in pins], schema=PINS)
    note = CommitProperties({"userMetadata": json.dumps({"job": "pin", "change": what})}, max_commit_retries=0)
    try:
        write_deltalake(target, rows, mode="error" if isinstance(target, str) else "overwrite", commit_properties=note)
    except CommitFailedError:
        return False
    except DeltaError:
        if isinstance(target, str) and DeltaTable.is_deltatable(target):
            return False
        raise
    return True
