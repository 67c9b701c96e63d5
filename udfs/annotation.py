"""The whole pass over a batch of conversations: edits, languages, keywords, structure, digests.

Messages lie flat, conversation ``i`` is messages ``offsets[i]:offsets[i+1]``; nothing here knows settings or Spark.
Labels are about the edited text, the only one that is stored.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import digest, keywords, language, rules, structure


class Messages(NamedTuple):
    """Columns per message: edited content, language and how sure, keyword categories, edits that changed it."""

    content: pa.Array
    language: pa.Array
    confidence: pa.Array
    keywords: pa.Array
    edits: pa.Array


class Conversations(NamedTuple):
    """Columns per conversation.

    ``language``: of most characters the user and the assistant wrote. ``keywords``: of any message. ``reasons``: names
    of ``structure.REASONS`` that hold. ``turns``: user messages (int32). ``characters``: of all contents (int64).
    ``digest``: of the exact edited messages.
    """

    language: pa.Array
    keywords: pa.Array
    reasons: pa.Array
    turns: pa.Array
    characters: pa.Array
    digest: pa.Array


class Annotation(NamedTuple):
    """All columns of one pass, in the order of the input."""

    messages: Messages
    conversations: Conversations


def annotate(
    roles: pa.Array,
    contents: pa.Array,
    offsets: np.ndarray,
    *,
    edits: tuple[str, ...],
    min_confidence: float,
    keywords_folder: str = "",
) -> Annotation:
    """Everything that is true of these conversations. A null role or content is an empty one.

    ``offsets`` (n+1 integers, from 0 to the number of messages) cut the flat messages into n conversations.
    """
    _check(roles, contents, offsets)
    contents, changed = rules.edit(contents, edits)
    verdict = language.detect(contents, min_confidence)
    hits = keywords.label(contents, roles, keywords_folder)
    messages = Messages(
        contents, verdict.codes, pa.array(verdict.confidences), hits, rules.labels(changed, len(contents))
    )
    return Annotation(messages, _summarise(roles, messages, np.asarray(offsets)))


def _summarise(roles: pa.Array, messages: Messages, offsets: np.ndarray) -> Conversations:
    lengths = np.asarray(pc.utf8_length(messages.content), dtype=np.int64)
    is_user, is_assistant = (np.asarray(pc.fill_null(pc.equal(roles, name), False)) for name in ("user", "assistant"))
    facts = structure.judge(roles, messages.content, offsets)
    return Conversations(
        language.of_conversations(messages.language, np.where(is_user | is_assistant, lengths, 0), offsets),
        keywords.of_conversations(messages.keywords, offsets),
        rules.labels(facts, len(offsets) - 1),
        pa.array(structure.count_of(is_user, offsets).astype(np.int32)),
        pa.array(structure.count_of(lengths, offsets)),
        digest.conversations(roles, messages.content, offsets),
    )


def _check(roles: pa.Array, contents: pa.Array, offsets: np.ndarray) -> None:
    """Offsets that do not fit would give labels to the wrong conversation, silently."""
    if len(roles) != len(contents):
        raise ValueError(f"a role for each content expected; found {len(roles)} roles and {len(contents)} contents")
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != len(contents) or (np.diff(offsets) < 0).any():
        raise ValueError(f"offsets must rise from 0 to {len(contents)} (the messages); found {offsets}")
