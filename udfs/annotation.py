"""The whole pass over a batch of conversations: edits, pseudonyms, languages, keywords, structure, digests.

Messages lie flat, conversation ``i`` is messages ``offsets[i]:offsets[i+1]``; nothing here knows settings or Spark.
Labels are about the edited text, the only one that is stored.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from udfs import digest, facts, keywords, language, pii, rules, wordlists
from udfs.batch import Batch, Limits, batch_of, sum_of
from udfs.repair import Options


class Plan(NamedTuple):
    """What to do to a batch: the enabled edits, facts and kinds of ``pii`` by name, what these need to know, and the
    keyword lists (None: the shipped ones)."""

    edits: tuple[str, ...]
    facts: tuple[str, ...]
    limits: Limits = Limits()
    options: Options = Options()
    min_confidence: float = 0.5
    lists: wordlists.Lists | None = None
    pii: tuple[str, ...] = ()


class Messages(NamedTuple):
    """Columns per message: edited content, language and how sure, keyword categories, edits that changed it."""

    content: pa.Array
    language: pa.Array
    confidence: pa.Array
    keywords: pa.Array
    edits: pa.Array


class Conversations(NamedTuple):
    """Columns per conversation.

    ``language``: of most characters the user and the assistant wrote. ``keywords``: of any message, ``hits``: where.
    ``reasons``: names of ``facts.FACTS`` that hold. ``turns``: user messages (int32). ``characters``: of all contents
    (int64). ``digest``: of the exact edited messages.
    """

    language: pa.Array
    keywords: pa.Array
    hits: pa.Array
    reasons: pa.Array
    turns: pa.Array
    characters: pa.Array
    digest: pa.Array


class Annotation(NamedTuple):
    """All columns of one pass, in the order of the input."""

    messages: Messages
    conversations: Conversations


def annotate(roles: pa.Array, contents: pa.Array, offsets: np.ndarray, plan: Plan) -> Annotation:
    """Everything that is true of these conversations. A null role or content is an empty one.

    ``offsets`` (n+1 integers, from 0 to the number of messages) cut the flat messages into n conversations.
    """
    _check(roles, contents, offsets)
    contents, changed = rules.edit(contents, roles, plan.edits, plan.options)
    contents, masked = pii.mask(contents, np.asarray(offsets), plan.pii)
    verdict = language.detect(contents, plan.min_confidence)
    lists = plan.lists or keywords.shipped()
    hits = keywords.find(contents, roles, lists)
    labels = keywords.categories(hits, len(contents), lists)
    changes = rules.labels({**changed, **masked}, len(contents))
    messages = Messages(contents, verdict.codes, pa.array(verdict.confidences), labels, changes)
    batch = batch_of(roles, contents, np.asarray(offsets), verdict.codes)
    return Annotation(messages, _summarise(batch, messages, keywords.nest(hits, roles, offsets, lists), plan))


def _summarise(batch: Batch, messages: Messages, hits: pa.Array, plan: Plan) -> Conversations:
    offsets, is_user = batch.offsets, batch.is_by("user")
    is_told = is_user | batch.is_by("assistant")
    return Conversations(
        language.of_conversations(messages.language, np.where(is_told, batch.lengths, 0), offsets),
        keywords.of_conversations(messages.keywords, offsets),
        hits,
        rules.labels(facts.judge(batch, plan.facts, plan.limits), len(offsets) - 1),
        pa.array(sum_of(is_user, offsets).astype(np.int32)),
        pa.array(sum_of(batch.lengths, offsets)),
        digest.conversations(batch.roles, messages.content, offsets),
    )


def _check(roles: pa.Array, contents: pa.Array, offsets: np.ndarray) -> None:
    """Offsets that do not fit would give labels to the wrong conversation, silently."""
    if len(roles) != len(contents):
        raise ValueError(f"a role for each content expected; found {len(roles)} roles and {len(contents)} contents")
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(contents) or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets must rise from 0 to {len(contents)} (the messages); found {offsets}")
