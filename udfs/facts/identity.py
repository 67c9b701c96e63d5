"""What does the assistant say that it is: a program, somebody's product, a human?

Only what the assistant writes counts. A phrase counts wherever it stands, so a story told by a robot, or a
translation of such a sentence, counts too.
"""

import numpy as np
import pyarrow as pa

from udfs.batch import Batch, Limits, any_of
from udfs.facts import disclaimers, vendors
from udfs.facts.phrases import Phrases, say


def ai_disclaimer(batch: Batch, _: Limits) -> np.ndarray:
    """The assistant says that it is a program: "As an AI language model", "I'm just a computer program".

    In English, Chinese, Spanish, French, German, Portuguese, Russian, Japanese and Korean.
    """
    return _assistant_says(batch, disclaimers.DISCLAIMER)


def knowledge_cutoff(batch: Batch, _: Limits) -> np.ndarray:
    """The assistant says until when it knows, or that it does not know today: "My knowledge was last updated in"."""
    return _assistant_says(batch, disclaimers.CUTOFF)


def vendor_name(batch: Batch, _: Limits) -> np.ndarray:
    """The assistant says which product or whose it is: "I am ChatGPT", "trained by OpenAI", "OpenAI's policies"."""
    return _assistant_says(batch, (*vendors.MODELS, *vendors.MAKERS))


def company_reference(batch: Batch, _: Limits) -> np.ndarray:
    """The assistant speaks of those who made it, by name or not: "my developers", "the company that trained me". "Our
    company" in a letter that it writes for the user does not count."""
    return _assistant_says(batch, (*vendors.MAKERS, *vendors.MAKERS_UNNAMED))


def claims_human(batch: Batch, _: Limits) -> np.ndarray:
    """The assistant says that it is a human: "I am a human being", "I'm not a robot"."""
    return _assistant_says(batch, disclaimers.HUMAN)


def _assistant_says(batch: Batch, said: tuple[Phrases, ...]) -> np.ndarray:
    is_told = batch.is_by("assistant")
    flags = np.zeros(len(is_told), bool)
    flags[is_told] = say(batch.contents.filter(pa.array(is_told)), *said)
    return any_of(flags, batch.offsets)
