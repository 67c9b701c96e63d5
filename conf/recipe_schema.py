"""What may be written at one place of a recipe, in plain words, and the nearest valid key to one that may not.

A path is the tuple of keys from the top of the recipe: ``("dedup", "threshold")``; list entries are numbered from 0.
A tree is the pydantic model that the recipe is read into: ``conf.settings.Settings`` or ``conf.training.Training``.
"""

from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import BaseModel

Path = tuple[str | int, ...]
Tree = type[BaseModel]

MANY = 20
"""Values to choose from, beyond which a message names the nearest."""

_BOUNDS = {
    "minimum": "of at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}


@cache
def schema(tree: Tree, path: Path) -> dict[str, Any]:
    """The JSON Schema of the value at ``path``, or ``{}`` where nothing may be written."""
    whole = _whole(tree)
    node = whole
    for part in path:
        if isinstance(part, int):
            node = node.get("items") or {}
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
        node = whole["$defs"][node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
    return node


def is_section(tree: Tree, path: Path) -> bool:
    """Whether keys may be written under ``path``."""
    return schema(tree, path).get("type") == "object"


def is_text_map(tree: Tree, path: Path) -> bool:
    """Whether ``path`` is a section of free keys, each with text, such as ``spark``."""
    return bool(schema(tree, path).get("additionalProperties"))


def split_key(tree: Tree, key: str) -> Path:
    """The path that a dotted key names; below a section of free keys the rest is one key, dots and all."""
    path: Path = ()
    parts = key.split(".")
    while parts and not is_text_map(tree, path):
        path = (*path, parts.pop(0))
    return (*path, ".".join(parts)) if parts else path


def expected(tree: Tree, path: Path) -> str:
    """What a valid value is at ``path``, as words that follow "expected"."""
    return _words(schema(tree, path))


def nearest(tree: Tree, path: Path, value: Any) -> list[str]:
    """Of very many values that are valid at ``path`` up to three that look like this text; none of few, as all of them
    are told."""
    values = schema(tree, path).get("enum", [])
    if len(values) <= MANY or not isinstance(value, str):
        return []
    text = value.lower()
    begun = [each for each in values if text.startswith(each)]
    alike = [each for each in get_close_matches(text, values, n=MANY, cutoff=0.5) if each[:1] == text[:1]]
    return list(dict.fromkeys([*begun, *alike]))[:3]


def suggest(tree: Tree, path: Path) -> str:
    """What to write instead of the unknown key at ``path``: the nearest key here, else anywhere, else all of here."""
    wrong = str(path[-1])
    section, everywhere = ".".join(map(str, path[:-1])), _keys(tree)
    nested = f"{section}.{wrong}".removeprefix(".")
    if nested in everywhere:
        parent, _, key = nested.rpartition(".")
        return f"write `{key}:` on a line of its own under `{parent}:`"
    here = {key.rpartition(".")[2]: key for key in everywhere if key.rpartition(".")[0] == section}
    anywhere = {key.rpartition(".")[2]: key for key in reversed(everywhere)}
    for known in (here, anywhere, {key: key for key in everywhere}):
        near = get_close_matches(wrong, known, n=1)
        if near:
            return f"nearest valid: `{known[near[0]]}`"
    return "valid keys here: " + _listed(list(here))


@cache
def _whole(tree: Tree) -> dict[str, Any]:
    return tree.model_json_schema()


@cache
def _keys(tree: Tree, path: Path = ()) -> tuple[str, ...]:
    """Every dotted key under ``path``, sections included, in tree order."""
    children = [(*path, key) for key in schema(tree, path).get("properties", {})]
    return tuple(key for child in children for key in (".".join(map(str, child)), *_keys(tree, child)))


def _words(node: dict[str, Any]) -> str:
    match node:
        case {"const": value}:
            return f"`{value}`"
        case {"enum": values}:
            return "one of " + _listed(values)
        case {"type": "boolean"}:
            return "true or false"
        case {"type": "integer" | "number" as kind}:
            return ("a whole number " if kind == "integer" else "a number ") + _bounds(node)
        case {"type": "array", "items": items}:
            return f"a list, each entry {_words(items)}"
        case {"type": "object", "properties": properties}:
            return "a section with keys such as " + _listed(list(properties)[:3])
        case {"type": "object"}:
            return "a section of keys, each with text"
    return str(node.get("description", "text"))


def _bounds(node: dict[str, Any]) -> str:
    if "minimum" in node and "maximum" in node:
        return f"from {_number(node['minimum'])} to {_number(node['maximum'])}"
    return " and ".join(f"{words} {_number(node[name])}" for name, words in _BOUNDS.items() if name in node)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
