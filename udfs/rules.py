"""Which edits a text goes through, in order, and which of them changed it."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import emoji, leftovers, markers, markup, persona, text
from udfs.batch import put
from udfs.repair import DEFAULTS, Edit, Options, Repair, always

EDITS = (
    Edit("system_prompt", persona.system_prompt, ("system",)),
    Edit("fix_unicode", always(text.FIX_UNICODE_SUSPECTS, text.fix_unicode)),
    Edit("html_to_markdown", always(markup.HTML_SUSPECTS, markup.html_to_markdown), ("assistant",)),
    Edit("unescape_html", always(markup.ENTITY, markup.unescape_html)),
    Edit("ui_junk", always(leftovers.UI_JUNK_SUSPECTS, leftovers.ui_junk), ("user", "assistant")),
    Edit("trim_special_tokens", always(markers.TRIM_SUSPECTS, markers.trim_special_tokens), ("assistant",)),
    Edit("escape_special_tokens", always(markers.ESCAPE_SUSPECTS, markers.escape_special_tokens)),
    Edit("straighten_quotes", always(text.STRAIGHTEN_QUOTES_SUSPECTS, text.straighten_quotes)),
    Edit("and_or", always(text.AND_OR_SUSPECTS, text.and_or)),
    Edit("strip_emoji", always(emoji.STRIP_EMOJI_SUSPECTS, emoji.strip_emoji)),
    Edit("persona_names", persona.persona_names, ("user", "assistant")),
    Edit("collapse_newlines", text.collapse_newlines),
    Edit("trim_whitespace", always(text.TRIM_WHITESPACE_SUSPECTS, text.trim_whitespace)),
)
"""In the order they run. A new edit is a function and a screen beside its kind, a line here, a key in the recipe."""


class _Step(NamedTuple):
    """One edit of one pass: what it does, and which texts it may touch (None: all)."""

    name: str
    repair: Repair
    touches: np.ndarray | None


def edit(
    texts: pa.Array, roles: pa.Array, enabled: Collection[str], options: Options = DEFAULTS
) -> tuple[pa.Array, dict[str, np.ndarray]]:
    """The edited texts, and for each enabled edit the texts it changed (booleans), in the order of :data:`EDITS`.

    The result is a fixed point: editing it again changes nothing. A null is an empty text. Only texts that a screen
    suspects reach Python. An unknown name in ``enabled`` is a ``ValueError``.
    """
    known = {rule.name for rule in EDITS}
    if unknown := sorted(set(enabled) - known):
        raise ValueError(f"no edit is called {', '.join(unknown)}; expected some of {', '.join(sorted(known))}")
    texts, roles = pc.fill_null(texts, ""), pc.fill_null(roles, "")
    steps = [_step(rule, roles, enabled, options) for rule in EDITS if rule.name in enabled]
    masks = {step.name: np.zeros(len(texts), dtype=bool) for step in steps}
    rows = np.arange(len(texts))
    while len(rows):  # a second round sees only what the first one changed; each change makes a text simpler
        part, changes = _edit_once(texts if len(rows) == len(texts) else texts.take(pa.array(rows)), rows, steps)
        for name, changed in changes.items():
            masks[name][rows[changed]] = True
        changed_rows = rows[np.logical_or.reduce(list(changes.values()))] if changes else rows[:0]
        texts = put(texts, rows, part)
        rows = changed_rows
    return texts, masks


def labels(masks: Mapping[str, np.ndarray], rows: int) -> pa.Array:
    """For each of ``rows`` texts the names whose mask is true, in the mapping's order: a list array of strings."""
    matrix = np.column_stack([*masks.values(), np.zeros(rows, dtype=bool)])
    offsets = np.concatenate(([0], np.cumsum(matrix.sum(axis=1)))).astype(np.int32)
    names = pa.array([*masks, ""], pa.string()).take(pa.array(np.nonzero(matrix)[1]))
    return pa.ListArray.from_arrays(pa.array(offsets), names)


def _step(rule: Edit, roles: pa.Array, enabled: Collection[str], options: Options) -> _Step:
    if rule.name == "system_prompt" and options.system.text:  # else the other edits would change it back and forth
        others = [name for name in enabled if name != rule.name]
        settled, _ = edit(pa.array([options.system.text]), pa.array(["system"]), others, options)
        options = options._replace(system=options.system._replace(text=settled[0].as_py()))
    touches = np.asarray(pc.is_in(roles, pa.array(rule.roles)), dtype=bool) if rule.roles else None
    return _Step(rule.name, rule.repair(options), touches)


def _edit_once(texts: pa.Array, rows: np.ndarray, steps: list[_Step]) -> tuple[pa.Array, dict[str, np.ndarray]]:
    """The texts, whose places in the batch are ``rows``, after each step; and which of them each step changed."""
    changes = {}
    for step in steps:
        is_suspect = np.asarray(pc.match_substring_regex(texts, step.repair.suspects), dtype=bool)
        suspects = np.flatnonzero(is_suspect if step.touches is None else is_suspect & step.touches[rows])
        before = texts.take(pa.array(suspects))
        after = pa.array(map(step.repair.apply, before.to_pylist()), pa.string())
        changed = np.asarray(pc.not_equal(before, after), dtype=bool)
        changes[step.name] = np.isin(np.arange(len(texts)), suspects[changed])
        texts = put(texts, suspects[changed], after.filter(pa.array(changed)))
    return texts, changes
