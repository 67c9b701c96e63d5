"""What does one Delta table's log say of each version, and can that version be rebuilt from it? No JVM.

Commit files are read here by name. ``DeltaTable.history()`` numbers commits by counting back from the newest, so one
empty commit file shifts every number before it; and an empty commit file in the middle of a log opens without an
error, with the rows of two versions mixed. Format: the Delta transaction log protocol
(https://github.com/delta-io/delta/blob/master/PROTOCOL.md).
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from deltalake.fs import DeltaStorageHandler
from pyarrow import fs

COMMIT = re.compile(r"(\d{20})\.json")
CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\..+")


@dataclass(frozen=True)
class Commit:
    """One version's commit file. ``lineage`` is the JSON of its ``userMetadata`` ({} where there is none).

    ``changes_rows`` is False for commits that only compact, clean up or set properties; ``only_adds`` is True where
    every file of the version before is in this one, so that what came is what the new files hold. A file that cannot be
    read has ``damage``, one sentence, and no other value that means anything.
    """

    version: int
    when: datetime | None = None
    operation: str = ""
    lineage: dict[str, Any] | None = None
    changes_rows: bool = False
    only_adds: bool = False
    damage: str = ""


@dataclass(frozen=True)
class Log:
    """The log of one table of one lake: which commit files (version -> bytes) and checkpoints are there."""

    folder: fs.FileSystem
    table: str
    sizes: dict[int, int]
    checkpoints: frozenset[int]

    @property
    def newest(self) -> int:
        """The highest version that has a commit file or a checkpoint; -1 for a table that was never written."""
        return max([*self.sizes, *self.checkpoints], default=-1)

    def file(self, version: int) -> str:
        """Path of a version's commit file, below the lake."""
        return f"{self.table}/_delta_log/{version:020d}.json"


def open_folder(uri: str) -> fs.FileSystem:
    """The file system whose root is ``uri``: a local path, or any store deltalake knows (s3, gs, az, hdfs, ...).

    Local folders get Arrow's own file system: a scan through deltalake's Python one may still hold it in an Arrow
    thread when the interpreter ends, which aborts the process (exit code 134).
    """
    path = local_path(uri)
    if path is None:
        return fs.PyFileSystem(DeltaStorageHandler(uri))
    return fs.SubTreeFileSystem(str(path), fs.LocalFileSystem())


def local_path(uri: str) -> Path | None:
    """The absolute path of a local ``uri`` (``path``, ``file:/path``, ``file:///path``), None for any other store."""
    if uri.startswith("file:"):
        return Path(unquote(urlsplit(uri).path)).absolute()
    return None if "://" in uri else Path(uri).absolute()


def read_log(folder: fs.FileSystem, table: str) -> Log:
    """List the log of ``table``; an empty one where the table does not exist. Raises OSError of the store."""
    selector = fs.FileSelector(f"{table}/_delta_log", allow_not_found=True)
    files = [(info.base_name, info.size) for info in folder.get_file_info(selector)]
    sizes = {int(found[1]): size for name, size in files if (found := COMMIT.fullmatch(name))}
    checkpoints = frozenset(int(found[1]) for name, _ in files if (found := CHECKPOINT.fullmatch(name)))
    return Log(folder, table, sizes, checkpoints)


def read_commit(log: Log, version: int) -> Commit:
    """Read one commit file of ``log``. What is wrong with it is told in ``damage``, not raised."""
    name = log.file(version)
    if version not in log.sizes:
        return Commit(version, damage=f"commit file {name} is missing")
    with log.folder.open_input_stream(name) as stream:
        lines = stream.read().splitlines()
    if not lines:
        return Commit(version, damage=f"commit file {name} is empty (0 bytes): its write never finished")
    actions: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        action = _parse(line)
        if action is None:
            return Commit(version, damage=f"commit file {name} is torn: line {number} of {len(lines)} is not JSON")
        actions.append(action)
    return _summarise(version, actions)


def find_damage(log: Log, version: int) -> str:
    """One sentence on the first log file that ``version`` needs and that is missing or damaged, or ''.

    A version needs its newest checkpoint at or below it and every commit file after that.
    """
    start = max((found for found in log.checkpoints if found <= version), default=-1)
    damages = (read_commit(log, needed).damage for needed in range(start + 1, version + 1))
    return next((damage for damage in damages if damage), "")


def _parse(line: bytes | str) -> dict[str, Any] | None:
    try:
        action = json.loads(line)
    except ValueError:
        return None
    return action if isinstance(action, dict) else None


def _summarise(version: int, actions: list[dict[str, Any]]) -> Commit:
    info: dict[str, Any] = next((action["commitInfo"] for action in actions if "commitInfo" in action), {})
    moved = (action[kind] for action in actions for kind in ("add", "remove") if kind in action)
    changes_rows = any(file.get("dataChange", True) for file in moved)
    only_adds = not any("remove" in action for action in actions)
    milliseconds = info.get("inCommitTimestamp", info.get("timestamp"))
    when = None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
    return Commit(version, when, info.get("operation", "unknown"), _lineage(info), changes_rows, only_adds)


def _lineage(info: dict[str, Any]) -> dict[str, Any]:
    return _parse(info.get("userMetadata") or "") or {}
