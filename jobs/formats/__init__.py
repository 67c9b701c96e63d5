"""One module per source format, each from a parsed record to conversations in the one schema.

A format module has ``NAME``, ``matches(record)`` (does the record have this shape?) and ``conversations(record,
options, file)`` (what it says, or :class:`jobs.refusals.Rejected`). To be fast it may also have ``WORDS``,
the keys it looks up, and ``columns(nodes, options)``: which of many records are plainly sound, and what those say, the
same as ``conversations``, in columns.
"""

import difflib
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from jobs.formats import (
    alpaca,
    arena,
    hh_rlhf,
    lmsys,
    messages,
    mt_bench,
    oasst,
    openorca,
    prompt_response,
    samantha,
    sharegpt,
    wildchat,
)

FORMATS: tuple[ModuleType, ...] = (
    lmsys,
    wildchat,
    arena,
    mt_bench,
    oasst,
    sharegpt,
    messages,
    samantha,
    openorca,
    hh_rlhf,
    alpaca,
    prompt_response,
)
"""In the order in which formats are asked: the most particular shapes first."""


def detect(records: Sequence[dict[str, Any]]) -> ModuleType | None:
    """The format that most of these records match, the earlier one when two tie; None when no record matches any."""
    best, most = None, 0
    for candidate in FORMATS:
        matched = sum(map(candidate.matches, records))
        if matched > most:
            best, most = candidate, matched
    return best


def forget() -> None:
    """Read anew what a format reads beside its records, such as questions: it may have come or changed."""
    mt_bench.forget_questions()


def named(name: str) -> ModuleType:
    """The format of this name; ValueError says which names there are."""
    known = {candidate.NAME: candidate for candidate in FORMATS}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    meant = f" (did you mean {near[0]!r}?)" if near else ""
    raise ValueError(f"input.format: unknown format {name!r}{meant}; expected auto or one of {', '.join(known)}")
