"""Do the two sides of a conversation speak one language?"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.batch import Batch, Limits, any_of

ENOUGH = 40
"""Characters from which a message's language is believed: 99 labels in 100 are right there."""

NEAR = {"da": "no", "bs": "hr", "sr": "hr", "ms": "id", "sk": "cs", "gl": "pt", "mk": "bg", "zu": "xh", "tn": "st"}
"""Languages that short texts are taken for one another in; between them nothing is said to differ."""

_ASKED_FOR = (
    r"(?i)translat|tradu[cz]|traduisez|übersetz|vertal|tłumacz|перев[её]?[дс]|переклад|翻[译訳譯]|번역|ترجم|çevir|अनुवाद"
    r"|in (?:english|french|german|spanish|chinese|japanese|korean|russian|italian|portuguese|arabic|hindi)\b"
    r"|(?:auf|en|in|на) (?:englis|anglais|inglés|inglese|английск)|英[文语語]|中文|日[本文]語?|영어"
)
"""A user who says one of these wants the other language."""


def answer_language_differs(batch: Batch, _: Limits) -> np.ndarray:
    """An answer is in another language than the user's message right before it.

    Both have a language and 40 characters or more, the two languages are not among the easily confused (:data:`NEAR`),
    and the user's message neither speaks of translating nor names a language to answer in. What remains wrong: requests
    for another language in other words, and a long quotation in the user's message.
    """
    codes = np.array([NEAR.get(code, code) for code in batch.languages.to_pylist()], dtype=object)
    is_told = (codes != "und") & (batch.lengths >= ENOUGH)
    asks, answers = batch.is_by("user") & is_told, batch.is_by("assistant") & is_told
    differs = np.zeros(len(codes), dtype=bool)
    differs[1:] = asks[:-1] & answers[1:] & (codes[1:] != codes[:-1])
    differs[batch.offsets[:-1][batch.offsets[:-1] < len(codes)]] = False  # the message before is another conversation's
    suspects = np.flatnonzero(differs)
    questions = batch.contents.take(pa.array(suspects - 1, pa.int64()))
    differs[suspects[np.asarray(pc.match_substring_regex(questions, _ASKED_FOR), dtype=bool)]] = False
    return any_of(differs, batch.offsets)
