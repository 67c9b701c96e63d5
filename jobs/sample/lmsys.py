"""What do the parquet files look like? The Arrow schema of LMSYS-Chat-1M (Zheng et al. 2023), to the last field."""

from itertools import accumulate
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.sample.conversations import REDACTED, Chat

CATEGORIES = (
    *("harassment", "harassment/threatening", "hate", "hate/threatening", "self-harm", "self-harm/instructions"),
    *("self-harm/intent", "sexual", "sexual/minors", "violence", "violence/graphic"),
)
MESSAGE = pa.struct([("content", pa.string()), ("role", pa.string())])
_FLAGS = pa.struct([(name, pa.bool_()) for name in CATEGORIES])
_SCORES = pa.struct([(name, pa.float64()) for name in CATEGORIES])
MODERATION = pa.struct([("categories", _FLAGS), ("category_scores", _SCORES), ("flagged", pa.bool_())])
SCHEMA = pa.schema(
    [
        ("conversation_id", pa.string()),
        ("model", pa.string()),
        ("conversation", pa.list_(pa.field("element", MESSAGE))),
        ("turn", pa.int64()),
        ("language", pa.string()),
        ("openai_moderation", pa.list_(pa.field("element", MODERATION))),
        ("redacted", pa.bool_()),
    ]
)

_ROWS = 2_000
"""Rows of one row group."""


def write_parquet(path: Path, chats: list[Chat], rng: Random) -> None:
    """The chats as one file, in order; what was refused is flagged, all other moderation scores are small."""
    with pq.ParquetWriter(path, SCHEMA, compression="snappy", version="2.6") as writer:
        for start in range(0, len(chats), _ROWS):
            writer.write_table(_table(chats[start : start + _ROWS], rng))


def _table(chats: list[Chat], rng: Random) -> pa.Table:
    offsets = pa.array(accumulate((len(chat.messages) for chat in chats), initial=0), pa.int32())
    messages = [message for chat in chats for message in chat.messages]
    contents = pa.array([content for _, content in messages], pa.string())
    roles = pa.array([role for role, _ in messages], pa.string())
    flagged = [is_flagged for chat in chats for is_flagged in _flagged(chat)]
    turns = [sum(role == "user" for role, _ in chat.messages) for chat in chats]
    columns = [
        pa.array([chat.id for chat in chats]),
        pa.array([chat.model for chat in chats]),
        pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays([contents, roles], fields=list(MESSAGE))),
        pa.array(turns, pa.int64()),
        pa.array([chat.language for chat in chats]),
        pa.ListArray.from_arrays(offsets, _moderation(flagged, rng)),
        pa.array([REDACTED in chat.text for chat in chats]),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _flagged(chat: Chat) -> list[bool]:
    return [chat.fault == "refusal" and i == len(chat.messages) - 2 for i in range(len(chat.messages))]


def _moderation(flagged: list[bool], rng: Random) -> pa.StructArray:
    """One entry a message; what is flagged is flagged for harassment."""
    never = pa.array([False] * len(flagged))
    flags = [pa.array(flagged) if name == "harassment" else never for name in CATEGORIES]
    scores = [_scores(flagged if name == "harassment" else [False] * len(flagged), rng) for name in CATEGORIES]
    parts = [
        pa.StructArray.from_arrays(flags, fields=list(_FLAGS)),
        pa.StructArray.from_arrays(scores, fields=list(_SCORES)),
        pa.array(flagged),
    ]
    return pa.StructArray.from_arrays(parts, fields=list(MODERATION))


def _scores(high: list[bool], rng: Random) -> pa.Array:
    return pa.array([round(0.6 + 0.4 * rng.random() if is_high else 0.002 * rng.random() ** 3, 6) for is_high in high])
