"""What a recipe's text says, and on which line: YAML with plain values, no aliases, tags or duplicate keys.

PyYAML reads YAML 1.1, where ``off``, ``on``, ``yes`` and ``no`` are booleans and ``5e6`` is text. So it only composes
nodes here, and plain scalars are read by YAML 1.2.2, section 10.3.2 (core schema), plus ``1_000`` for 1000.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml  # type: ignore[import-untyped]

from conf.recipe_errors import SHOWN, Place, Problem, dotted, quoted
from conf.recipe_schema import Path, Tree, is_section, is_text_map

MAX_DEPTH = 32
"""Deepest nesting read; settings need 4."""

_DIGITS = r"[0-9]+(?:_[0-9]+)*"
_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_BOOLEAN = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_WHOLE = re.compile(rf"(?:[-+]?{_DIGITS}|0o[0-7]+|0x[0-9a-fA-F]+)\Z")
_NUMBER = re.compile(rf"[-+]?(?:\.{_DIGITS}|{_DIGITS}(?:\.(?:{_DIGITS})?)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_WHOLE_LIMIT = 2**63
_REFUSED = object()

_HINTS = {
    "'\\t'": "indent with spaces, not tabs",
    "found '<block mapping start>'": "the indentation does not match the lines above",
    "expected ':'": "a key needs a colon and a space after it",
    "mapping values are not allowed": "a key needs a colon, and text that holds `: ` needs quotes",
}


@dataclass
class Reading:
    """A text as read: its value (None where broken), the place of each path, and every problem met."""

    value: Any = None
    places: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read(tree: Tree, text: str, place: Callable[[int, int], Place], root: Path = ()) -> Reading:
    """Everything ``text`` says, as the value at ``root``. Never raises: what cannot be read is a problem instead.

    ``place`` makes a place of a line from 1 and a column from 1, or 0 for the whole line. A whole number is an ``int``
    however it is written (``5e6``), an empty section is ``{}``, and scalars under a section of free keys (``spark``)
    stay text as written.
    """
    walk = _Walk(tree, place)
    walk.reading.places[root] = place(1, 0)
    try:
        events = yaml.SafeLoader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        walk.refuse(line, f"not valid YAML: character U+{error.character:04X} is not allowed")
        return walk.reading
    try:
        if walk.check_events(events):
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            value = _nothing(tree, root) if node is None else walk.value(node, root)
            walk.reading.value = None if value is _REFUSED else value
    except yaml.MarkedYAMLError as error:
        walk.refuse_syntax(error)
    except (ValueError, OverflowError):
        walk.refuse(events.line + 1, "not valid YAML: a number or an escape is out of range")
    return walk.reading


class _Walk:
    """One pass over one text, collecting its places and problems."""

    def __init__(self, tree: Tree, place: Callable[[int, int], Place]):
        self.reading = Reading()
        self._tree = tree
        self._place = place
        self._seen: set[int] = set()

    def refuse(self, line: int, text: str) -> None:
        self.reading.problems.append(Problem(self._place(line, 0), text))

    def refuse_syntax(self, error: yaml.MarkedYAMLError) -> None:
        if "undefined alias" in error.problem:
            return  # reported as an alias already
        mark = error.problem_mark
        place = self._place(mark.line + 1, mark.column + 1)
        hints = [f" ({hint})" for sign, hint in _HINTS.items() if sign in error.problem]
        self.reading.problems.append(Problem(place, f"not valid YAML: {error.problem[:200]}{''.join(hints)}"))

    def check_events(self, events: yaml.SafeLoader) -> bool:
        """Refuse aliases and tags, each on its line; False where the text is nested too deep to read on."""
        depth = 0
        while events.check_event():
            event = events.get_event()
            line = event.start_mark.line + 1
            if isinstance(event, yaml.AliasEvent):
                self.refuse(line, f"alias `*{event.anchor[:SHOWN]}`: recipes have no aliases; write the value again")
            elif getattr(event, "tag", None):
                self.refuse(line, f"tag {quoted(event.tag[:SHOWN])}: recipes have no tags; leave it out")
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                self.refuse(line, f"nested deeper than {MAX_DEPTH} levels")
                return False
        return True

    def value(self, node: yaml.Node, path: Path, line: int | None = None) -> Any:
        """The value of a node, or ``_REFUSED`` once its problem is noted; ``line`` is that of its key."""
        if id(node) in self._seen:
            return _REFUSED  # an alias
        self._seen.add(id(node))
        line = line or node.start_mark.line + 1
        self.reading.places[path] = self._place(line, 0)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return self._sequence(node, path)
        try:
            return _scalar(self._tree, node, path)
        except ValueError as error:
            self.refuse(line, f"{dotted(path)}: expected {error}, found {node.value[:SHOWN]}")
            return _REFUSED

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line, key = key_node.start_mark.line + 1, key_node.value
            if not isinstance(key, str) or not key or not _is_unicode(key):
                self.refuse(line, f"{dotted(path)}: expected plain text as a key, found {_kind(key_node)}")
            elif key in lines:
                self.refuse(line, f"duplicate key {dotted((*path, key))}, first on line {lines[key]}; keep one of them")
            else:
                lines[key] = line
                value = self.value(value_node, (*path, key), line)
                values |= {} if value is _REFUSED else {key: value}
        return values

    def _sequence(self, node: yaml.SequenceNode, path: Path) -> list[Any]:
        values: list[Any] = []
        for child in node.value:
            value = self.value(child, (*path, len(values)))
            values += [] if value is _REFUSED else [value]
        return values


def _kind(node: yaml.Node) -> str:
    return quoted(node.value) if isinstance(node, yaml.ScalarNode) else "a list or a section"


def _scalar(tree: Tree, node: yaml.ScalarNode, path: Path) -> Any:
    """The value of a scalar; raises ValueError with the words for what was expected."""
    text = node.value
    if not _is_unicode(text):
        raise ValueError("valid Unicode")
    is_plain = node.style is None
    if is_plain and _NULL.match(text):
        return _nothing(tree, path)
    return _plain(text) if is_plain and not is_text_map(tree, path[:-1]) else text


def _nothing(tree: Tree, path: Path) -> dict[str, Any] | None:
    """What an empty value is: every key of a section may be left out, anything else is missing."""
    return {} if is_section(tree, path) else None


def _plain(text: str) -> Any:
    if _BOOLEAN.match(text):
        return text.lower() == "true"
    if _NOT_FINITE.match(text):
        raise ValueError("a finite number")
    if _WHOLE.match(text):
        return _whole(text)
    if not _NUMBER.match(text):
        return text
    number = float(text.replace("_", ""))
    if math.isinf(number):
        raise ValueError("a finite number")
    return int(number) if number.is_integer() and abs(number) < _WHOLE_LIMIT else number


def _whole(text: str) -> int:
    base = {"0x": 16, "0o": 8}.get(text[:2], 10)
    number = int(text, base) if len(text) <= SHOWN else _WHOLE_LIMIT
    if abs(number) >= _WHOLE_LIMIT:
        raise ValueError("a number of at most 63 bits")
    return number


def _is_unicode(text: str) -> bool:
    """False for half a surrogate pair, which an escape can write but no file can hold."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
