"""Versions and conversations as text for a terminal. Chat text is untrusted: no control character gets through."""

import json
import shutil
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any

from udfs.delta.versions import Version, show_time

JOINERS = "\u200c\u200d"
"""Not printable by Unicode's classes, but needed to write Persian, Hindi and emoji; harmless to a terminal."""
COLUMNS = ("version", "when", "rows", "recipe", "config", "digest", "pins")


def as_table(versions: Sequence[Version]) -> str:
    """One line a version under a head line, columns aligned, digests cut to 12 digits."""
    columns = list(zip(COLUMNS, *(_cells(version) for version in versions), strict=True))
    padded = ([cell.ljust(max(map(len, column))) for cell in column] for column in columns)
    return "\n".join("  ".join(line).rstrip() for line in zip(*padded, strict=True))


def as_json(versions: Sequence[Version]) -> str:
    """One JSON object a line, nothing cut."""
    rows = ({**asdict(version), "when": show_time(version.when)} for version in versions)
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def as_name(version: Version) -> str:
    """A version's number and its pins."""
    return f"version {version.version}" + (f" ({', '.join(version.pins)})" if version.pins else "")


def as_heading(version: Version) -> str:
    """What a version is, one fact a line."""
    return "\n".join(
        [
            f"{as_name(version)}, published {show_time(version.when)}, {version.rows} rows",
            f"recipe {version.recipe}, config {version.config_digest}, code {version.code_version}",
            f"digest {version.digest}",
        ]
    )


def as_conversation(row: dict[str, Any], width: int | None = None) -> str:
    """One dataset row: a head line, then ``role: content`` a message, each cut to ``width`` terminal columns."""
    facts = " ".join(f"{key}={row[key]}" for key in ("source", "split", "model", "language", "copies") if row.get(key))
    facts = _origins(row.get("made_of") or []) + facts
    messages = [f"  {message['role']}: {message['content']}" for message in row["messages"]]
    return _fitted([f"{row['conversation_id']} {facts}", *messages], width)


def as_transcript(name: str, messages: Sequence[dict[str, Any]]) -> str:
    """A conversation in full: its id, then ``role: content`` a message. Line ends and tabs stay, other characters that
    are not printable become U+FFFD."""
    lines = [name, *(f"  {message['role']}: {message['content']}" for message in messages)]
    return "".join(one if one in "\n\t" else _printable(one) for one in "\n".join(lines))


def as_refusal(row: dict[str, Any], width: int | None = None) -> str:
    """One quarantine row: reason and place, then its detail and its head, each cut to ``width`` terminal columns."""
    place = row["file"] if row["record"] is None else f"{row['file']} record {row['record']} byte {row['offset']}"
    sample = (row["sample"] or b"").decode("utf-8", "replace")
    return _fitted([f"{row['reason']}: {place}", f"  {row['detail']}", f"  {sample}"], width)


def as_contamination(row: dict[str, Any], width: int | None = None) -> str:
    """One row of ``contamination``: what was found, then the question and the turn that is said to contain it."""
    verdict = "hit" if row["hit"] else "not a hit"
    overlap = f"overlap {row['overlap']:.2f} ({row['matched']} of {row['features']})"
    copies = f" and {row['copies'] - 1} like it" if row["copies"] > 1 else ""
    place = f"{row['conversation_id']} message {row['message']}{copies}"
    head = f"{verdict}: {row['benchmark']} {row['item']}, {overlap}, {place}"
    return _fitted([head, f"  asked: {row['question']}", f"  found: {row['text']}"], width)


def as_family(row: dict[str, Any], width: int | None = None) -> str:
    """One row of ``families``: its size and what was removed of it, then its form and an example."""
    head = f"{row['level']} {row['family'][:12]}: {row['rows']:,} rows, {row['removed']:,} removed"
    head += f", {row['prompts']:,} prompts"
    return _fitted([head, f"  {row['form']}", f"  e.g. {row['example']}"], width)


def as_conflict(rows: Sequence[dict[str, Any]], width: int | None = None) -> str:
    """The conversations of one question in ``conflicts``: the question, then each persona with an example's id."""
    head = rows[0]
    lines = [f"{head['personas']:,} personas, {head['conversations']:,} conversations: {head['text']}"]
    for _, group in groupby(rows, key=lambda row: row["persona"]):
        same = list(group)
        facts = (f"{name}={same[0][name]}" for name in ("character", "model", "system") if same[0][name])
        lines.append(f"  {len(same):,} by {' '.join(facts) or 'nobody named'}, e.g. {same[0]['conversation_id']}")
    return _fitted(lines, width)


def safe(lines: Iterable[str]) -> str:
    """The lines in full; what is not printable becomes U+FFFD."""
    return "\n".join("".join(map(_printable, line)) for line in lines)


def _fitted(lines: Sequence[str], width: int | None) -> str:
    """The lines, each cut to ``width`` columns; None: those of the terminal."""
    width = width or shutil.get_terminal_size().columns
    return "\n".join(fit(line, width) for line in lines)


def fit(text: str, width: int) -> str:
    """``text`` on one line of at most ``width`` columns: runs of blanks after its start are one space, characters
    that are not printable become U+FFFD, and what is cut ends in an ellipsis. Wide characters take two columns."""
    indent = len(text) - len(text.lstrip(" "))
    safe = " " * indent + "".join(_printable(character) for character in " ".join(text[: 8 * width].split()))
    room, end = width - 1, 0
    while end < len(safe) and room >= _columns(safe[end]):
        room -= _columns(safe[end])
        end += 1
    is_whole = len(text) <= 8 * width and sum(map(_columns, safe)) <= width
    return safe if is_whole else safe[:end] + "…"


def _origins(made_of: Sequence[dict[str, Any]]) -> str:
    """Where a row is not one whole conversation: which one it is a part of, or how many it joins."""
    if len(made_of) > 1:
        return f"made_of={len(made_of)} "
    parts = (f"part={origin['part']} " for origin in made_of if origin["part"])
    return "".join(parts)


def _cells(version: Version) -> tuple[str, ...]:
    number, rows = str(version.version), f"{version.rows:,}"
    digests = version.config_digest[:12], version.digest.partition("-")[2][:12]
    return number, show_time(version.when), rows, version.recipe, *digests, ", ".join(version.pins)


def _printable(character: str) -> str:
    return character if character.isprintable() or character in JOINERS else "\ufffd"


def _columns(character: str) -> int:
    if unicodedata.combining(character) or character in JOINERS:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
