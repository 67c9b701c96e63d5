"""How is a thing said? RE2 patterns of a meaning, and a cheap screen that finds every text where they could match."""

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


class Phrases(NamedTuple):
    """``screen``: matches wherever one of ``meanings`` does, quickly (few literals). ``meanings``: what counts."""

    screen: str
    meanings: "tuple[str | Phrases, ...]"


def phrases(screen: str, *meanings: str) -> Phrases:
    """Patterns without regard to case; a ' stands for a curly one too, a blank for any run of white space, in a class
    for one character of it.

    Each pattern stays on its own, and says ``[^.]*`` rather than ``[^.]{0,40}``: RE2 runs a small automaton at hundreds
    of MB/s and falls back to a hundredth of that where its states outgrow its memory.
    """
    return Phrases(_written(screen), tuple(map(_written, meanings)))


def either(*said: Phrases) -> Phrases:
    """All of these, with one screen before theirs: for phrases of which most texts have none."""
    return Phrases("|".join(one.screen for one in said), said)


def say(texts: pa.Array, *said: str | Phrases) -> np.ndarray:
    """Which texts say any of it (booleans); none of them null."""
    says = np.zeros(len(texts), bool)
    for one in said:
        rows = np.flatnonzero(~says)
        left = texts.take(pa.array(rows)) if len(rows) < len(texts) else texts
        if isinstance(one, str):
            says[rows] = _matches(left, one)
        else:
            near = np.flatnonzero(_matches(left, one.screen))
            says[rows[near]] = say(left.take(pa.array(near)), *one.meanings)
    return says


_BLANK = r"\s\x{a0}"
_PART = re.compile(r"\\.|\[(?:\\.|[^\]\\])+\]| \??|'")


def _matches(texts: pa.Array, pattern: str) -> np.ndarray:
    return np.asarray(pc.match_substring_regex(texts, pattern), dtype=bool)


def _written(pattern: str) -> str:
    return f"(?i){_PART.sub(_meant, pattern)}"


def _meant(part: re.Match[str]) -> str:
    """What a class, a blank or a quote stands for; an escape as it is."""
    if part[0].startswith("["):
        return part[0].replace("'", "'’").replace(" ", _BLANK)
    return {"'": "['’]", " ": f"[{_BLANK}]+", " ?": f"[{_BLANK}]*"}.get(part[0], part[0])
