"""How a problem in a recipe is told: where it is, what was expected, what was found."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic_core import ErrorDetails

from conf.recipe_schema import Path, Tree, expected, nearest, schema, suggest

SHOWN = 60
"""Longest piece of a recipe, in characters, that a message repeats."""


class SettingsError(Exception):
    """A recipe cannot be used. ``problems`` holds every reason, in reading order; ``str()`` is one a line."""

    def __init__(self, problems: list[str]):
        super().__init__("\n".join(problems))
        self.problems = problems


class Place(NamedTuple):
    """Where something was written: ``order`` sorts places (file first, then each override), ``label`` is printed."""

    order: tuple[int, int]
    label: str


class Problem(NamedTuple):
    """One thing wrong with a recipe, and its place; ``str()`` is one printable line."""

    place: Place
    text: str

    def __str__(self) -> str:
        return _printable(f"{self.place.label}: {self.text}")


def explain(tree: Tree, error: ErrorDetails, places: Mapping[Path, Place]) -> Problem:
    """The problem that one validation error stands for, placed where its value was written."""
    path = error["loc"]
    if error["type"] == "extra_forbidden":
        return Problem(places[path], f"unknown key {dotted(path)}; {suggest(tree, path)}")
    if error["type"] == "value_error":
        message = str(error["ctx"]["error"])
        return Problem(_cause(path, message, places), f"{dotted(path)}: {message}")
    value = error["input"]
    text = f"{dotted(path)}: expected {expected(tree, path)}, found {found(value)}{_advice(tree, path, value)}"
    return Problem(places[path], text)


def dotted(path: Path) -> str:
    """The path as a reader writes it, in backquotes: `` `rules.language.keep[1]` ``; long keys are cut."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part[:SHOWN]}" for part in path)
    return f"`{''.join(parts).removeprefix('.')}`" if path else "the recipe"


def found(value: Any) -> str:
    """What a value is, as words that follow "found"; text is quoted and cut to 60 characters."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return "the text " + quoted(value[:SHOWN]) + ("..." if len(value) > SHOWN else "")
        case list():
            return "a list"
    return "a section of keys"


def quoted(text: str) -> str:
    """The text in double quotes, on one line and printable, such that YAML reads it back as it was."""
    return _printable(json.dumps(text, ensure_ascii=False))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)


def _cause(path: Path, message: str, places: Mapping[Path, Place]) -> Place:
    """Where a rule about several keys of one section was broken: the last written of the keys it names."""
    named = {*re.findall(r"\w+", message), *re.findall(r"[\w.]+", message)}  # keys of `spark` have dots
    below = {at: place for at, place in places.items() if at[: len(path)] == path}
    written = [place for at, place in below.items() if at[len(path) :] and at[-1] in named]
    return max(written or below.values(), key=lambda place: place.order)


def _advice(tree: Tree, path: Path, value: Any) -> str:
    if near := nearest(tree, path, value):
        return "; nearest valid: " + ", ".join(f"`{each}`" for each in near)
    if schema(tree, path).get("type") != "string" or "enum" in schema(tree, path):
        return ""
    if value is None:
        return '; empty text is written ""'
    return "; put it in quotes" if isinstance(value, int | float) else ""
