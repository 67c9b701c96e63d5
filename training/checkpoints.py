"""Which checkpoint of a run is whole? Written by transformers' Trainer, marked complete by us when all of it is there.

A checkpoint is a folder ``checkpoint-STEP``. Its marker is written last: the size and digest of every file, and how
many ranks wrote it. A folder without marker, or with a file that is not as marked, is not a checkpoint.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from training.errors import RunRefused

MARKER = "complete.json"
_NAME = re.compile(r"checkpoint-(\d+)")


class Checkpoint(NamedTuple):
    """A whole checkpoint: its folder, the steps done, the number of ranks that wrote it."""

    folder: Path
    step: int
    ranks: int


def mark(folder: Path, step: int, ranks: int) -> Checkpoint:
    """Record every file of a checkpoint that all ranks finished, on disk before the marker is."""
    files = {str(path.relative_to(folder)): _record(path) for path in _files(folder)}
    write_whole(folder / MARKER, json.dumps({"step": step, "ranks": ranks, "files": files}, indent=1))
    return Checkpoint(folder, step, ranks)


def damage(folder: Path) -> str | None:
    """Why a checkpoint's folder cannot be used, in words; None if every file is as it was marked."""
    try:
        marked = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        files, _, _ = marked["files"], marked["step"], marked["ranks"]
    except FileNotFoundError:
        return f"it has no {MARKER}: its writing never ended"
    except (ValueError, KeyError, TypeError):
        return f"its {MARKER} cannot be read"
    for name, (size, digest) in files.items():
        path = folder / name
        if not path.is_file():
            return f"{name} is missing"
        if path.stat().st_size != size:
            return f"{name} has {path.stat().st_size:,} of {size:,} bytes"
        if file_digest(path) != digest:
            return f"{name} does not have the content that was written"
    return None


def newest(out: Path, tell: Callable[[str], None] = print) -> Checkpoint | None:
    """The whole checkpoint of the most steps in ``out``, or None. Each newer one that is not whole is told."""
    for folder in _folders(out):
        reason = damage(folder)
        if reason is None:
            marked = json.loads((folder / MARKER).read_text(encoding="utf-8"))
            return Checkpoint(folder, marked["step"], marked["ranks"])
        tell(f"{folder.name} is not used: {reason}")
    return None


def check_ranks(checkpoint: Checkpoint, ranks: int) -> None:
    """Raises RunRefused if other ranks wrote the checkpoint than will read it: optimizer states are kept by rank."""
    if checkpoint.ranks != ranks:
        raise RunRefused(
            f"{checkpoint.folder} was written by {checkpoint.ranks} ranks and this run has {ranks}: optimizer states "
            f"are kept by rank, and another number is another batch size. Use {checkpoint.ranks} ranks (nodes x GPUs), "
            "or another --out to start anew."
        )


def pass_over(out: Path, step: int) -> None:
    """Take the markers of checkpoints beyond ``step``: a run that goes on from there found them damaged.

    So no later look takes them for whole, and ``prune`` does not keep them in place of whole ones.
    """
    for folder in _folders(out):
        if _step(folder) > step:
            (folder / MARKER).unlink(missing_ok=True)


def prune(saved: Path, keep: int) -> None:
    """Remove all but the ``keep`` newest marked checkpoints up to ``saved``, and what lies unmarked before them."""
    so_far = [folder for folder in _folders(saved.parent) if _step(folder) <= _step(saved)]
    marked = [folder for folder in so_far if (folder / MARKER).is_file()]
    if len(marked) < keep:
        return
    for folder in so_far[so_far.index(marked[keep - 1]) + 1 :]:
        (folder / MARKER).unlink(missing_ok=True)
        shutil.rmtree(folder)


def write_whole(path: Path, text: str) -> None:
    """Write a file such that it is there in full or not at all, also after a crash of the machine."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with open(partial, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder by its name in it, hidden ones left out."""
    return {str(path.relative_to(folder)): file_digest(path) for path in _files(folder)}


def file_digest(path: Path) -> str:
    """SHA-256 of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folders(out: Path) -> list[Path]:
    """Folders named like checkpoints, most steps first."""
    found = [path for path in out.glob("checkpoint-*") if _NAME.fullmatch(path.name) and path.is_dir()]
    return sorted(found, key=_step, reverse=True)


def _step(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])


def _files(folder: Path) -> Iterator[Path]:
    return (
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MARKER and not path.name.startswith(".")
    )


def _record(path: Path) -> tuple[int, str]:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    return path.stat().st_size, file_digest(path)
