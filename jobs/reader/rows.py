"""What leaves the reader: Arrow batches of conversations, refused records and one summary per file, in one schema."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import BinaryType, LongType, StringType, StructField, StructType

from conf import tables
from jobs.bytewise import scan
from jobs.bytewise.nodes import gather, null_where
from jobs.formats.conversation import Conversation
from jobs.formats.labels import Labels
from jobs.formats.talk import Talk
from jobs.reader.records import SAMPLE
from jobs.refusals import Rejected
from jobs.tables import SCHEMAS
from udfs import digest

ROW, REFUSED, FILE = "row", "refused", "file"
"""Kinds of output: a conversation, a record or file for quarantine, the summary of one file or split."""

STAGED = StructType(
    [
        *SCHEMAS[tables.CONVERSATIONS_RAW].fields,
        StructField("kind", StringType()),
        StructField("reason", StringType()),
        StructField("detail", StringType()),
        StructField("sample", BinaryType()),
        StructField("records", LongType()),
        StructField("bytes", LongType()),
    ]
)
ARROW = to_arrow_schema(STAGED)
_FLUSH_ROWS = 4000
_FLUSH_WEIGHT = 16 << 20
_MESSAGE_WEIGHT = 64
"""What a message without text weighs: many empty ones fill a batch too."""


class Place(NamedTuple):
    """Where a batch's records come from; ``format`` is '' while none is known."""

    source: str
    file: str
    file_id: str
    format: str


class Refusal(NamedTuple):
    """One refused record, or a whole file (``record`` None): where, why, its first bytes and the digest of all."""

    record: int | None
    offset: int
    why: Rejected
    sample: bytes
    sha256: str


class Where(NamedTuple):
    """Of conversations: their records' numbers and byte offsets, and which part of the record each is."""

    records: np.ndarray
    offsets: np.ndarray
    parts: np.ndarray


class Rows:
    """Collects conversations and refused records of one file, and gives them out as Arrow batches."""

    def __init__(self, place: Place):
        self.place = place
        self._clear()

    def _clear(self) -> None:
        self._conversations: list[Conversation] = []
        self._where: list[tuple[int, int, int]] = []
        self._refused: list[Refusal] = []
        self._weight = 0

    def add(self, conversation: Conversation, record: int, part: int, offset: int) -> None:
        """Take one conversation: part ``part`` of record ``record`` at byte ``offset`` (-1: not a byte stream)."""
        self._conversations.append(conversation)
        self._where.append((record, part, offset))
        messages = conversation.messages
        self._weight += _MESSAGE_WEIGHT * len(messages) + sum([len(message.content) for message in messages])

    def refuse(self, record: int, offset: int, why: Rejected, data: bytes, sha256: str = "") -> None:
        """Take a refused record: its bytes, or their head with the digest of all."""
        self._refused.append(Refusal(record, offset, why, data[:SAMPLE], sha256 or hashlib.sha256(data).hexdigest()))

    def weigh(self, size: int) -> None:
        """Count a record of ``size`` bytes: its metadata may weigh more than its messages."""
        self._weight += size

    def is_full(self) -> bool:
        """Time to take what there is?"""
        return self._weight >= _FLUSH_WEIGHT or len(self._where) + len(self._refused) >= _FLUSH_ROWS

    def take(self) -> list[pa.RecordBatch]:
        """Everything collected since the last time, as batches in the :data:`ARROW` schema; none of no rows."""
        batches = []
        if self._where:
            batches.append(_conversation_batch(self.place, self._conversations, self._where))
        if self._refused:
            batches.append(refused(self.place, self._refused))
        self._clear()
        return batches


def _conversation_batch(place: Place, rows: list[Conversation], where: list[tuple[int, int, int]]) -> pa.RecordBatch:
    flat = [message for row in rows for message in row.messages]
    roles, contents, names, languages, toxic = zip(*flat, strict=True) if flat else ((),) * 5
    offsets = np.zeros(len(rows) + 1, np.int32)
    np.cumsum([len(row.messages) for row in rows], out=offsets[1:])
    role_column, content_column = pa.array(roles, pa.string()), pa.array(contents, pa.string())
    kind = ARROW.field("messages").type
    fields = [role_column, content_column, *(pa.array(c, pa.string()) for c in (names, languages)), _booleans(toxic)]
    messages = pa.StructArray.from_arrays(fields, fields=list(kind.value_type))
    records, parts, starts = zip(*where, strict=True)
    models = pa.array([row.model for row in rows], pa.string())
    columns = {
        "record": pa.array(records, pa.int64()),
        "part": pa.array(parts, pa.int32()),
        "offset": pa.array(starts, pa.int64()),
        "messages": pa.ListArray.from_arrays(pa.array(offsets), messages).cast(kind),
        **_identities(pa.array([row.id for row in rows], pa.string()), models, (role_column, content_column), offsets),
        "language": [row.language for row in rows],
        "redacted": [row.redacted for row in rows],
        "moderation": _moderations([row.moderation for row in rows]),
        "metadata": [_json(row.metadata) for row in rows],
    }
    return batch(place, ROW, columns, len(rows))


def talk_batch(place: Place, where: Where, labels: Labels, talk: Talk) -> pa.RecordBatch:
    """Conversations that came as columns."""
    kind, count = ARROW.field("messages").type, len(where.records)
    given = zip(kind.value_type, talk[1:], strict=True)
    fields = [pa.nulls(len(talk.roles), f.type) if column is None else column for f, column in given]
    messages = pa.StructArray.from_arrays(fields, fields=list(kind.value_type))
    no_text = pa.nulls(count, pa.string())
    ids, models = labels.ids or no_text, labels.models or no_text
    columns = {
        "record": pa.array(where.records, pa.int64()),
        "part": pa.array(where.parts, pa.int32()),
        "offset": pa.array(where.offsets, pa.int64()),
        "messages": pa.ListArray.from_arrays(pa.array(talk.offsets), messages).cast(kind),
        **_identities(ids, models, (talk.roles, talk.contents), talk.offsets),
    }
    marks = {"language": labels.languages, "redacted": labels.redacted}
    columns |= {name: column for name, column in marks.items() if column is not None}
    if labels.moderation:
        columns["moderation"] = _moderations(labels.moderation)
    if labels.metadata:
        columns["metadata"] = _texts(labels.metadata)
    return batch(place, ROW, columns, count)


def _identities(ids: pa.Array, models: pa.Array, said: tuple[pa.Array, pa.Array], offsets: np.ndarray) -> dict:
    """A source without ids is given ids by content."""
    digests = content_digests(models, *said, offsets)
    made = pc.utf8_slice_codeunits(digests, 0, 32)
    return {"conversation_id": pc.coalesce(ids, made), "model": models, "digest": digests}


def content_digests(models: pa.Array, roles: pa.Array, contents: pa.Array, offsets: np.ndarray) -> pa.Array:
    """Per conversation, the SHA-256 (hex) of its model and messages: what makes two records the same record."""
    bodies = digest.conversations(roles, contents, offsets)
    return digest.texts(pc.binary_join_element_wise(pc.fill_null(models, ""), bodies, "\n"))


def refused(place: Place, refusals: list[Refusal]) -> pa.RecordBatch:
    """Quarantine rows: of each refused record where and why, its digest and its first 2 kB."""
    columns = {
        "record": [refusal.record for refusal in refusals],
        "part": [0] * len(refusals),
        "offset": [refusal.offset for refusal in refusals],
        "reason": [refusal.why.reason for refusal in refusals],
        "detail": [_writable(refusal.why.detail)[:500] for refusal in refusals],
        "sample": [refusal.sample for refusal in refusals],
        "digest": [refusal.sha256 for refusal in refusals],
    }
    return batch(place, REFUSED, columns, len(refusals))


def refused_file(place: Place, why: Rejected) -> pa.RecordBatch:
    """The quarantine row of a whole file: it has no record number."""
    return refused(place, [Refusal(None, -1, why, b"", hashlib.sha256().hexdigest())])


def summary(place: Place, records: int, size: int) -> pa.RecordBatch:
    """What one file (or one split of it) held: physical records read and bytes."""
    return batch(place, FILE, {"records": [records], "bytes": [size]}, 1)


def batch(place: Place, kind: str, columns: dict[str, Any], rows: int) -> pa.RecordBatch:
    """A batch of ``rows`` rows in the :data:`ARROW` schema; columns not given are null."""
    given = {**place._asdict(), "kind": kind}
    arrays = []
    for field in ARROW:
        if field.name in given:
            arrays.append(pa.repeat(pa.scalar(given[field.name], field.type), rows))
        elif field.name in columns:
            value = columns[field.name]
            arrays.append(value if isinstance(value, pa.Array) else pa.array(value, field.type))
        else:
            arrays.append(pa.nulls(rows, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=ARROW)


def _writable(text: str) -> str:
    """The text with lone surrogates, which no column can hold, written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _booleans(values: Any) -> pa.Array:
    return pa.array(values, pa.bool_())


def _moderations(entries: Sequence[list[dict[str, Any]] | None]) -> list[list[dict[str, Any]] | None]:
    return [labels and [_moderation(label) for label in labels] for labels in entries]


def _moderation(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "scores": list((entry.get("scores") or {}).items())}


def _texts(objects: list[dict[str, Any]]) -> pa.StringArray:
    """Each object as :func:`_json` writes it, all at once."""
    data = np.frombuffer(orjson.dumps(objects, option=orjson.OPT_SORT_KEYS), np.uint8)
    starts, ends = np.empty(len(data) + 1, np.int64), np.empty(len(data) + 1, np.int64)
    count = scan.elements(data, scan.start_state(), starts, ends)
    starts, ends = starts[:count], ends[:count]
    return null_where(gather(data, starts, ends, np.zeros(count, bool)), ends - starts == len(b"{}"))


def _json(metadata: dict[str, Any] | None) -> str | None:
    return orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode() if metadata else None
