"""Which settings a run uses: a recipe (YAML) and overrides, read into one checked tree with every error at once.

There are two trees, one for the data jobs (:mod:`conf.settings`) and one for training (:mod:`conf.training`); each has
shipped recipes in its own folder.
"""

import hashlib
import json
import re
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePath
from typing import Any, TypeVar, overload

from pydantic import BaseModel, ValidationError

from conf.recipe_errors import Place, Problem, SettingsError, explain, found, quoted
from conf.recipe_schema import split_key
from conf.recipe_yaml import Reading, read
from conf.settings import Settings
from conf.training import Training

__all__ = ["SettingsError", "add_options", "describe", "digest", "load", "sections", "shipped"]

MAX_BYTES = 64_000
"""Largest recipe read."""

T = TypeVar("T", Settings, Training)

_SECRET = re.compile(
    r"secret|password|token(?!(?:s|izer)\Z)|(?:access|account|private|encryption)[._-]?key|azure\.sas\b|credential",
    re.IGNORECASE,
)
_PLAIN_TEXT = re.compile(r"(?!(?:true|false|null)\Z)[a-z][\w.-]*\Z", re.IGNORECASE | re.ASCII)


@overload
def load(path: str | None, overrides: Sequence[str] = ()) -> Settings: ...
@overload
def load(path: str | None, overrides: Sequence[str] = (), *, tree: type[T]) -> T: ...
def load(path: str | None, overrides: Sequence[str] = (), *, tree: type[Any] = Settings) -> Any:
    """The settings that a recipe and then each override (``dedup.threshold=0.75``) ask for; the rest are defaults.

    ``path`` is a file or, where there is none, one of the tree's shipped recipes: ``lmsys``, ``lmsys.yaml`` or
    ``conf/lmsys.yaml``; None reads no recipe. An override's value is YAML and replaces whatever the recipe
    has at its key.
    Raises SettingsError with all problems: the recipe's by line, then the overrides' in their order.
    """
    reading = Reading({}) if path is None else _read_recipe(tree, path)
    for number, override in enumerate(overrides, 1):
        _apply(tree, override, number, reading)
    _check_version(tree, reading)
    settings = None
    try:
        settings = tree.model_validate(reading.value, strict=True)
    except ValidationError as errors:
        reading.problems += [explain(tree, error, reading.places) for error in errors.errors()]
    if settings is None or reading.problems:
        raise SettingsError([str(problem) for problem in sorted(reading.problems, key=lambda one: one.place.order)])
    return settings


def add_options(parser: ArgumentParser, tree: type[Settings] | type[Training] = Settings) -> None:
    """``--config`` and ``--set`` of a command, as :func:`load` takes them."""
    what = f"recipe, or the name of a shipped one ({', '.join(shipped(tree))}); default: all defaults"
    parser.add_argument("--config", metavar="FILE", help=what)
    parser.add_argument("--set", metavar="KEY=VALUE", action="append", default=[], help="override one setting")


def shipped(tree: type[Settings] | type[Training] = Settings) -> list[str]:
    """Names of the recipes of this tree that come with Winnow, sorted."""
    files = _folder(tree).iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def digest(section: BaseModel) -> str:
    """16 hex digits of SHA-256 over the section's values, defaults included, as JSON with sorted keys."""
    values = json.dumps(section.model_dump(), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(values.encode()).hexdigest()[:16]


def sections(settings: T, *names: str) -> T:
    """The settings with only these sections kept and everything else at its default: for a digest of what matters."""
    return type(settings)(**{name: getattr(settings, name) for name in names})


def describe(settings: Settings | Training) -> list[str]:
    """One line for every value in use, in tree order: ``dedup.threshold = 0.8  (default 0.7)`` where it differs.

    Without the remark, a line can be given as an override. Values whose key sounds like a secret are shown as ``***``;
    a key that ends in ``tokens`` or ``tokenizer`` does not.
    """
    defaults = dict(_leaves(type(settings)()))
    lines = []
    for key, value in _leaves(settings):
        # A switch such as escape_special_tokens is none.
        is_secret = _SECRET.search(key) and not isinstance(value, bool)
        line = f"{key} = {'***' if is_secret else _shown(value)}"
        if key not in defaults:
            line += "  (default unset)"
        elif value != defaults[key]:
            line += f"  (default {_shown(defaults[key])})"
        lines.append(line)
    return lines


def _folder(tree: type[Settings] | type[Training]) -> Traversable:
    return resources.files("conf").joinpath(*PurePath(tree.FOLDER).parts[1:])


def _read_recipe(tree: type[Any], path: str) -> Reading:
    """The recipe's mapping as read; a file that cannot be used at all is an empty mapping and a problem."""
    try:
        label, data = _read_bytes(tree, path)
        text = data.decode("utf-8-sig")
    except SettingsError as error:
        return Reading({}, problems=[Problem(Place((0, 0), path), error.problems[0])])
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = f"not UTF-8 text (byte 0x{error.object[error.start]:02x}); save the file as UTF-8"
        return Reading({}, problems=[Problem(Place((0, line), f"{path}:{line}"), problem)])
    reading = read(tree, text, lambda line, column: Place((0, line), f"{label}:{line}" + f":{column}" * bool(column)))
    if reading.problems and not isinstance(reading.value, dict):
        reading.value = {}
    return reading


def _read_bytes(tree: type[Any], path: str) -> tuple[str, bytes]:
    """A recipe's name as printed and its content; SettingsError says why there is none."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (FileNotFoundError, IsADirectoryError) as error:
        name = PurePath(path).name.removesuffix(".yaml")
        if str(PurePath(path).parent) in (".", tree.FOLDER) and name in shipped(tree):
            return f"{tree.FOLDER}/{name}.yaml", _folder(tree).joinpath(f"{name}.yaml").read_bytes()
        what = "a folder, not a recipe" if isinstance(error, IsADirectoryError) else "no such file"
        raise SettingsError([f"{what}; shipped recipes: {', '.join(shipped(tree))}"]) from None
    except (OSError, ValueError) as error:
        raise SettingsError([f"cannot be read: {getattr(error, 'strerror', None) or error}"]) from None
    if len(data) > MAX_BYTES:
        raise SettingsError([f"larger than {MAX_BYTES:,} bytes, so not a recipe"])
    return path, data


def _apply(tree: type[Any], override: str, number: int, reading: Reading) -> None:
    """Write one override into the recipe as read, or note what is wrong with it."""
    place = Place((number, 0), f"--set {override}")
    key, equals, text = override.partition("=")
    path = split_key(tree, key.strip())
    if not equals or not all(path):
        reading.problems.append(Problem(place, "expected KEY=VALUE, such as dedup.threshold=0.75"))
        return
    piece = read(tree, text, lambda line, column: place, path)
    reading.problems += piece.problems
    section = reading.value
    for depth, part in enumerate(path[:-1], 1):
        if isinstance(section, dict):
            reading.places.setdefault(path[:depth], place)
            section = section.setdefault(part, {})
    if isinstance(section, dict) and not piece.problems:  # else the recipe's own problem with the section is told
        section[path[-1]] = piece.value
        reading.places |= piece.places


def _check_version(tree: type[Any], reading: Reading) -> None:
    """Another version's keys cannot be judged by this one's, so it is told before anything else."""
    if not isinstance(reading.value, dict) or "version" not in reading.value:
        return
    version, known = reading.value["version"], tree.model_fields["version"].default
    if type(version) is not int or version != known:
        problem = f"`version`: this Winnow reads recipe version {known}, found {found(version)}"
        raise SettingsError([str(Problem(reading.places[("version",)], problem))])


def _leaves(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, f"{prefix}{name}.")
        elif isinstance(value, dict) and value:
            yield from ((f"{prefix}{name}.{key}", value[key]) for key in sorted(value))
        else:
            yield f"{prefix}{name}", value


def _shown(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, str):
        return value if _PLAIN_TEXT.match(value) else quoted(value)
    return json.dumps(value)
