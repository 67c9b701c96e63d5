"""Conversations as a batch, written as strings: "u:hello", "a:hi"."""

import numpy as np
import pyarrow as pa

from udfs.batch import Batch, Fact, Limits, batch_of
from udfs.facts import FACTS

ROLES = {"s": "system", "u": "user", "a": "assistant", "t": "tool"}


def batch(*conversations: list[str], languages: str = "und") -> Batch:
    messages = [message for conversation in conversations for message in conversation]
    columns = ([ROLES[each[0]] for each in messages], [each[2:] for each in messages])
    offsets = np.cumsum([0, *map(len, conversations)], dtype=np.int32)
    codes = languages.split() if " " in languages else [languages] * len(messages)
    return batch_of(*(pa.array(column, pa.string()) for column in columns), offsets, pa.array(codes, pa.string()))


def holds(name: str, *conversation: str, **limits: float) -> bool:
    fact: Fact = next(fact for fact in FACTS if fact.name == name)
    return bool(fact.holds(batch(list(conversation)), Limits(**limits))[0])
