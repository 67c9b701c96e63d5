"""What does each edit change in real chats, how fast, and how often rightly?

    python -m benchmarks.labels edits

Labels (edits.jsonl) are judgements made by reading before and after: is the change what the edit's name
promises, and does the message say what it said? Texts are not committed.
"""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.labels import corpus
from udfs import rules
from udfs.repair import Options

LABELS = Path(__file__).with_name("edits.jsonl")
NAMES = (
    "Samantha Theodore Alice Bob John Sarah Tom Emily Michael David Anna James Mary Maria Jack Sam Alex Emma Lisa Max "
    "Kate Peter Steve Mike Rachel Sophie Lily Ben Chris Julia"
)
OPTIONS = Options(names=tuple((name, "") for name in NAMES.split()))
BEFORE = {"escape_special_tokens": ("trim_special_tokens",)}
"""Edits that run first where this one is judged, as they do in the default recipe."""


class Messages(NamedTuple):
    """Messages of one file, flat, and the id of each: conversation and place in it."""

    contents: pa.Array
    roles: pa.Array
    ids: list[str]


def main(data: Path) -> None:
    """Print a line per edit: on corpus_10k what it changes and costs; on the labelled messages how often rightly."""
    contents, roles, _ = _read(data / "corpus_10k/data")
    judged = dict(_judged(data))
    print(f"{'edit':22} {'changed':>8} {'share':>7} {'us/message':>10} {'MB/s':>6} {'right':>6} {'of':>4} {'gone':>4}")
    for edit in (one.name for one in rules.EDITS if one.name != "system_prompt"):
        print(f"{edit:22} {_cost(contents, roles, edit)} {judged.get(edit, '')}")


def _cost(contents: pa.Array, roles: pa.Array, edit: str) -> str:
    """Of one edit alone: messages changed, their share, time a message, megabytes a second (one process)."""
    began = time.process_time()
    _, masks = rules.edit(contents, roles, (edit,), OPTIONS)
    seconds = max(time.process_time() - began, 1e-9)
    changed, megabytes = int(masks[edit].sum()), pc.sum(pc.binary_length(contents)).as_py() / 1e6
    share = changed / len(contents)
    return f"{changed:8} {share:7.2%} {1e6 * seconds / len(contents):10.2f} {megabytes / seconds:6.0f}"


def _judged(data: Path) -> Iterator[tuple[str, str]]:
    """For each labelled edit: changes that are right, of how many, and labelled messages it no longer changes."""
    labels = defaultdict(list)
    for line in LABELS.read_text(encoding="utf-8").splitlines():
        label = json.loads(line)
        labels[label["edit"], label["file"]].append(label)
    counts: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(3, dtype=int))
    files: dict[str, Messages] = {}
    for (edit, file), wanted in labels.items():
        if file not in files:
            files[file] = _read(data / file)
        counts[edit] += _compare(files[file], edit, {one["id"]: one["right"] for one in wanted})
    for edit, (right, changed, gone) in counts.items():
        yield edit, f"{right:6} {changed:4} {gone:4}"


def _compare(read: Messages, edit: str, wanted: dict[str, bool]) -> np.ndarray:
    rows = [row for row, one in enumerate(read.ids) if one in wanted]
    contents, roles = read.contents.take(pa.array(rows)), read.roles.take(pa.array(rows))
    _, masks = rules.edit(contents, roles, (*BEFORE.get(edit, ()), edit), OPTIONS)
    is_right = np.array([wanted[read.ids[row]] for row in rows], dtype=bool)
    changed = masks[edit]
    return np.array([(is_right & changed).sum(), changed.sum(), (~changed).sum()])


def _read(place: Path) -> Messages:
    found = corpus.read(place)
    owners = np.repeat(np.arange(len(found.ids)), np.diff(found.offsets))
    places = np.arange(len(owners)) - found.offsets[owners]
    ids = [f"{found.ids[owner]}:{place}" for owner, place in zip(owners, places, strict=True)]
    return Messages(found.contents, found.roles, ids)
