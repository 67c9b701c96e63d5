"""A real spaCy pipeline that needs no download: it knows three people by rules."""

from pathlib import Path

import spacy

PATTERNS = [
    {"label": "PERSON", "pattern": [{"LOWER": "ana"}, {"LOWER": "silva"}]},
    {"label": "PER", "pattern": [{"LOWER": "theo"}]},
    {"label": "PERSON", "pattern": [{"TEXT": {"REGEX": "^NAME_[0-9]+$"}}]},
    {"label": "ORG", "pattern": "Acme"},
]


def save(folder: Path, people: bool = True) -> str:
    """The folder of the saved pipeline; without ``people`` one that only cuts sentences."""
    pipeline = spacy.blank("xx")
    if people:
        pipeline.add_pipe("entity_ruler").add_patterns(PATTERNS)
    else:
        pipeline.add_pipe("sentencizer")
    pipeline.to_disk(folder)
    return str(folder)
