"""The whole pass over a batch of conversations: edits, turns, pseudonyms, languages, keywords, facts, quality, digests.

Messages lie flat, conversation ``i`` is messages ``offsets[i]:offsets[i+1]``; nothing here knows settings or Spark.
Labels are about the edited text, the only one that is stored.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from udfs import digest, facts, keywords, language, pii, quality, rules, sealing, turns, wordlists
from udfs.batch import Limits, batch_of, put, sum_of
from udfs.pii_names import Model
from udfs.repair import Options
from udfs.sealing import Key


class Plan(NamedTuple):
    """What to do to a batch: the enabled edits, repairs, facts and kinds of ``pii`` by name, what these need to know,
    the keyword lists (None: the shipped ones), the key that original values are sealed with (None: not kept), and the
    model that finds people's names (None: they stay)."""

    edits: tuple[str, ...]
    facts: tuple[str, ...]
    repairs: tuple[str, ...] = ()
    limits: Limits = Limits()
    options: Options = Options()
    min_confidence: float = 0.5
    lists: wordlists.Lists | None = None
    pii: tuple[str, ...] = ()
    key: Key | None = None
    names_by: Model | None = None


class Messages(NamedTuple):
    """Columns per message after repair.

    Role, edited content, language and how sure, keyword categories, edits that changed it (``merge_roles``: it is made
    of several), and from which raw message of its conversation it came.
    """

    role: pa.Array
    content: pa.Array
    language: pa.Array
    confidence: pa.Array
    keywords: pa.Array
    edits: pa.Array
    origin: pa.Array


class Conversations(NamedTuple):
    """Columns per conversation.

    ``language``: the user's, or the assistant's where the user's is not known. ``keywords``: of any message, ``hits``:
    where. ``reasons``: names of ``facts.FACTS`` that hold. ``repairs``: names of ``turns.REPAIRS`` that were made.
    ``quality``: 0..1, see :mod:`udfs.quality`. ``turns``: user messages (int32). ``characters``: of all contents
    (int64). ``digest``: of the exact edited messages. ``sealed``: what pseudonyms stand for (:mod:`udfs.sealing`).
    """

    language: pa.Array
    keywords: pa.Array
    hits: pa.Array
    reasons: pa.Array
    repairs: pa.Array
    quality: pa.Array
    turns: pa.Array
    characters: pa.Array
    digest: pa.Array
    sealed: pa.Array


class Annotation(NamedTuple):
    """All columns of one pass, in the order of the input; ``offsets`` cut the messages that are left."""

    offsets: np.ndarray
    messages: Messages
    conversations: Conversations


def annotate(
    roles: pa.Array, contents: pa.Array, offsets: np.ndarray, plan: Plan, ids: pa.Array | None = None
) -> Annotation:
    """Everything that is true of these conversations. A null role or content is an empty one.

    ``offsets`` (n+1 integers, from 0 to the number of messages) cut the flat messages into n conversations, whose
    ``ids`` a plan with a key needs.
    """
    _check(roles, contents, offsets)
    mended, edits, replaced = _edit(roles, contents, offsets, plan)
    sealed = sealing.seal(plan.key, replaced, ids) if plan.key else pa.nulls(len(offsets) - 1, sealing.SEALED)
    verdict = language.detect(mended.contents, plan.min_confidence)
    lists = plan.lists or keywords.shipped()
    hits = keywords.find(mended.contents, mended.roles, lists)
    labels = keywords.categories(hits, len(mended.contents), lists)
    confidences, origin = pa.array(verdict.confidences), pa.array(mended.origin)
    messages = Messages(mended.roles, mended.contents, verdict.codes, confidences, labels, edits, origin)
    places = keywords.nest(hits, mended.roles, mended.offsets, lists)
    return Annotation(mended.offsets, messages, _summarise(messages, verdict, places, sealed, mended, plan))


def _edit(
    roles: pa.Array, contents: pa.Array, offsets: np.ndarray, plan: Plan
) -> tuple[turns.Turns, pa.Array, list[pii.Replaced]]:
    """The conversations after edits and repairs, the names of the edits of each message that is left, and what
    pseudonyms replaced.

    Edits come first, for they show what is blank; what two messages made one is edited once more. Pseudonyms come last,
    so that they count what is left.
    """
    contents, changed = rules.edit(contents, roles, plan.edits, plan.options)
    mended = turns.repair(roles, contents, offsets, plan.repairs)
    count, stays = len(mended.roles), mended.owner >= 0
    masks = {name: np.bincount(mended.owner[mask & stays], minlength=count) > 0 for name, mask in changed.items()}
    if mended.is_merged.any():
        merged = np.flatnonzero(mended.is_merged)
        texts, told = mended.contents.take(pa.array(merged)), mended.roles.take(pa.array(merged))
        again, changed = rules.edit(texts, told, plan.edits, plan.options)
        mended = mended._replace(contents=put(mended.contents, merged, again))
        for name, mask in changed.items():
            masks[name][merged[mask]] = True
        masks["merge_roles"] = mended.is_merged
    hidden = pii.mask(mended.contents, mended.offsets, plan.pii, plan.names_by)
    labels = rules.labels({**masks, **hidden.changed}, count)
    return mended._replace(contents=hidden.contents), labels, hidden.replaced


def _summarise(
    messages: Messages, verdict: language.Verdict, hits: pa.Array, sealed: pa.Array, mended: turns.Turns, plan: Plan
) -> Conversations:
    batch = batch_of(mended.roles, mended.contents, mended.offsets, messages.language)
    offsets, is_user, count = batch.offsets, batch.is_by("user"), len(batch.offsets) - 1
    is_told = is_user | batch.is_by("assistant")
    found = facts.judge(batch, {*plan.facts, *quality.USES}, plan.limits)
    reasons = {name: flags for name, flags in found.items() if name in plan.facts}
    return Conversations(
        language.of_conversations(verdict, np.where(is_told, batch.lengths, 0), is_user, offsets),
        keywords.of_conversations(messages.keywords, offsets),
        hits,
        rules.labels(reasons, count),
        rules.labels(mended.repairs, count),
        pa.array(quality.score(batch, found, messages.keywords)),
        pa.array(sum_of(is_user, offsets).astype(np.int32)),
        pa.array(sum_of(batch.lengths, offsets)),
        digest.conversations(batch.roles, batch.contents, offsets),
        sealed,
    )


def _check(roles: pa.Array, contents: pa.Array, offsets: np.ndarray) -> None:
    """Offsets that do not fit would give labels to the wrong conversation, silently."""
    if len(roles) != len(contents):
        raise ValueError(f"a role for each content expected; found {len(roles)} roles and {len(contents)} contents")
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(contents) or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets must rise from 0 to {len(contents)} (the messages); found {offsets}")
