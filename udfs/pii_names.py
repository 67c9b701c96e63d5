"""Names of people, found by a spaCy pipeline (https://spacy.io) that the user brings as a folder.

Winnow ships no model of names and downloads none. What a pipeline calls a person is taken as it is; how often that is
right depends on the model.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from udfs import digest
from udfs.pii_values import Value

SUSPECTS = r"\pL\pM*\pL"
"""Two letters: nothing shorter is shown to the model."""
PEOPLE = frozenset(("PERSON", "PER"))
"""What models call an entity that is a person."""
PIECE = 100_000
"""Characters that are shown to the model at once: what it holds meanwhile grows with them, and it refuses a million."""

_PSEUDONYM = re.compile("[A-Z]+_[0-9]+")


class Model(NamedTuple):
    """A saved pipeline: its folder, the same on every node, and the SHA-256 of its files and their names."""

    folder: str
    digest: str


def open_model(folder: str) -> Model:
    """The pipeline in a folder, which was loaded once to see that it can be.

    Raises ValueError where spaCy or the folder is missing, it is no pipeline for this spaCy, or one that finds no
    entities.
    """
    place = Path(folder).expanduser().resolve()
    if not place.is_dir():
        raise ValueError(f"there is no folder {folder}: expected a spaCy pipeline, as `nlp.to_disk` saves it")
    model = Model(str(place), digest.folder(place))
    pipeline = _load(model)
    if not {"ner", "entity_ruler"} & {pipeline.get_pipe_meta(name).factory for name in pipeline.pipe_names}:
        found = ", ".join(pipeline.pipe_names) or "nothing"
        raise ValueError(f"the pipeline in {folder} finds no names: expected ner or entity_ruler in it, found {found}")
    return model


def people(text: str, model: Model) -> Iterator[Value]:
    """The names of people in a text, first to last. Case and spacing make no other name; a pseudonym is no name."""
    yield from _people(text, model)


@lru_cache(maxsize=256)  # a text is asked about twice: does it have one, and where
def _people(text: str, model: Model) -> tuple[Value, ...]:
    found = []
    for start, piece in _pieces(text):
        for entity in _load(model)(piece).ents:
            if entity.label_ in PEOPLE and not _PSEUDONYM.search(entity.text) and re.search(r"\w", entity.text):
                name = " ".join(entity.text.casefold().split())
                found.append(Value(start + entity.start_char, start + entity.end_char, name))
    return tuple(found)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The text in pieces, cut at a space where there is one in the second half, each with its place."""
    start = 0
    while start < len(text):
        end = start + PIECE
        if end < len(text):
            cut = text.rfind(" ", start + PIECE // 2, end)
            end = cut if cut > 0 else end
        yield start, text[start:end]
        start = end


@cache  # by digest too: a process that goes on sees that the files were exchanged
def _load(model: Model) -> Any:
    try:
        import spacy
    except ImportError as error:
        raise ValueError("names need spaCy: pip install '.[names]' in Winnow's folder, on every node") from error
    try:
        return spacy.load(model.folder)
    except (OSError, ValueError, ImportError, KeyError) as error:
        raise ValueError(f"spaCy {spacy.__version__} cannot load {model.folder}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
