"""Which edits a text goes through, in order, and which of them changed it."""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import text


class Edit(NamedTuple):
    """One repair: its name (also the key in the recipe and the label on a message), its screen (RE2), its function."""

    name: str
    suspects: str
    apply: Callable[[str], str]


EDITS = (
    Edit("fix_unicode", text.FIX_UNICODE_SUSPECTS, text.fix_unicode),
    Edit("straighten_quotes", text.STRAIGHTEN_QUOTES_SUSPECTS, text.straighten_quotes),
    Edit("collapse_newlines", text.COLLAPSE_NEWLINES_SUSPECTS, text.collapse_newlines),
    Edit("trim_whitespace", text.TRIM_WHITESPACE_SUSPECTS, text.trim_whitespace),
)
"""In the order they run. A new edit is a function and a screen in ``udfs.text``, a line here, a key in the recipe."""


def edit(texts: pa.Array, enabled: Collection[str]) -> tuple[pa.Array, dict[str, np.ndarray]]:
    """The edited texts, and for each enabled edit the texts it changed (booleans), in the order of :data:`EDITS`.

    The result is a fixed point: editing it again changes nothing. A null is an empty text. Only texts that a screen
    suspects reach Python. An unknown name in ``enabled`` is a ``ValueError``.
    """
    known = {rule.name for rule in EDITS}
    if unknown := sorted(set(enabled) - known):
        raise ValueError(f"no edit is called {', '.join(unknown)}; expected some of {', '.join(sorted(known))}")
    texts = pc.fill_null(texts, "")
    rules = [rule for rule in EDITS if rule.name in enabled]
    masks = {rule.name: np.zeros(len(texts), dtype=bool) for rule in rules}
    rows = np.arange(len(texts))
    while len(rows):  # a second round sees only what the first one changed; each change makes a text simpler
        part, changes = _edit_once(texts if len(rows) == len(texts) else texts.take(pa.array(rows)), rules)
        for name, changed in changes.items():
            masks[name][rows[changed]] = True
        changed_rows = rows[np.logical_or.reduce(list(changes.values()))] if changes else rows[:0]
        texts = _put(texts, rows, part)
        rows = changed_rows
    return texts, masks


def labels(masks: Mapping[str, np.ndarray], rows: int) -> pa.Array:
    """For each of ``rows`` texts the names whose mask is true, in the mapping's order: a list array of strings."""
    matrix = np.column_stack([*masks.values(), np.zeros(rows, dtype=bool)])
    offsets = np.concatenate(([0], np.cumsum(matrix.sum(axis=1)))).astype(np.int32)
    names = pa.array([*masks, ""], pa.string()).take(pa.array(np.nonzero(matrix)[1]))
    return pa.ListArray.from_arrays(pa.array(offsets), names)


def _edit_once(texts: pa.Array, rules: list[Edit]) -> tuple[pa.Array, dict[str, np.ndarray]]:
    changes = {}
    for rule in rules:
        suspects = np.flatnonzero(np.asarray(pc.match_substring_regex(texts, rule.suspects)))
        before = texts.take(pa.array(suspects))
        after = pa.array(map(rule.apply, before.to_pylist()), pa.string())
        changed = np.asarray(pc.not_equal(before, after), dtype=bool)
        changes[rule.name] = np.isin(np.arange(len(texts)), suspects[changed])
        texts = _put(texts, suspects[changed], after.filter(pa.array(changed)))
    return texts, changes


def _put(texts: pa.Array, rows: np.ndarray, values: pa.Array) -> pa.Array:
    """The texts with those at ``rows`` (ascending) replaced by ``values``."""
    if len(rows) == len(texts):
        return values
    mask = np.zeros(len(texts), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(texts, pa.array(mask), values) if len(rows) else texts
