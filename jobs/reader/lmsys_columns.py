"""LMSYS-Chat-1M's parquet schema, column to column: the same rows as ``jobs.formats.lmsys`` gives, without Python
objects. Rows that are not plainly sound are left to it, so that every refusal has one explanation."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.formats.conversation import ROLES
from jobs.reader import rows
from jobs.reader.rows import Place

_COLUMNS = {"conversation_id", "model", "conversation", "turn", "language", "openai_moderation", "redacted"}
_MESSAGE = {"content": pa.string(), "role": pa.string()}
_TEXTS = ("conversation_id", "model", "language")
_MESSAGE_BYTES = 1024
"""More than a message takes besides its content."""


def fits(schema: pa.Schema) -> bool:
    """Is this exactly the published schema, with nothing beside it?"""
    if set(schema.names) != _COLUMNS:
        return False
    message, moderation = schema.field("conversation").type, schema.field("openai_moderation").type
    return (
        pa.types.is_list(message)
        and _fields(message.value_type) == _MESSAGE
        and pa.types.is_list(moderation)
        and _is_label(moderation.value_type)
        and all(pa.types.is_string(schema.field(name).type) for name in _TEXTS)
        and pa.types.is_boolean(schema.field("redacted").type)
        and pa.types.is_integer(schema.field("turn").type)
    )


def _fields(kind: pa.DataType) -> dict[str, pa.DataType]:
    return {field.name: field.type for field in kind} if pa.types.is_struct(kind) else {}


def _is_label(kind: pa.DataType) -> bool:
    parts = _fields(kind)
    if set(parts) != {"categories", "category_scores", "flagged"} or not pa.types.is_boolean(parts["flagged"]):
        return False
    flags, scores = _fields(parts["categories"]), _fields(parts["category_scores"])
    return (
        bool(flags and scores)
        and len(flags) + len(scores) == parts["categories"].num_fields + parts["category_scores"].num_fields
        and all(map(pa.types.is_boolean, flags.values()))
        and all(map(pa.types.is_float64, scores.values()))
    )


def divide(batch: pa.RecordBatch, limit: int) -> tuple[list[int], list[int]]:
    """Row numbers that are plainly sound, and the others. Sound: an id, at least one message, known roles, no null
    anywhere, valid UTF-8, a moderation entry a message, surely less than ``limit`` bytes."""
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        return [], list(range(batch.num_rows))
    talk = batch.column("conversation")
    lengths = pc.fill_null(talk.value_lengths(), 0).to_numpy()
    owner = np.repeat(np.arange(len(lengths)), lengths)
    role, content = pc.struct_field(talk.flatten(), "role"), pc.struct_field(talk.flatten(), "content")
    bad = ~_flags(pc.is_in(role, pa.array(ROLES)))
    bad |= content.is_null().to_numpy(zero_copy_only=False)
    sizes = np.bincount(owner, _sizes(content) + _MESSAGE_BYTES, len(lengths))
    sizes += sum(_sizes(batch.column(name)) for name in _TEXTS)
    sound = (lengths > 0) & (sizes < limit) & (np.bincount(owner, bad, len(lengths)) == 0)
    for name in _COLUMNS:
        sound &= ~batch.column(name).is_null().to_numpy(zero_copy_only=False)
    sound &= _sizes(batch.column("conversation_id")) > 0
    sound &= _has_whole_moderation(batch.column("openai_moderation"), lengths)
    return np.flatnonzero(sound).tolist(), np.flatnonzero(~sound).tolist()


def _flags(values: pa.BooleanArray) -> np.ndarray:
    return pc.fill_null(values, False).to_numpy(zero_copy_only=False)


def _sizes(texts: pa.StringArray) -> np.ndarray:
    return pc.fill_null(pc.binary_length(texts), 0).to_numpy()


def _has_whole_moderation(moderation: pa.ListArray, messages: np.ndarray) -> np.ndarray:
    lengths = pc.fill_null(moderation.value_lengths(), 0).to_numpy()
    entries = moderation.flatten()
    nulls = entries.is_null().to_numpy(zero_copy_only=False).astype(int)
    for name in ("categories", "category_scores", "flagged"):
        column = pc.struct_field(entries, name)
        parts = column.flatten() if pa.types.is_struct(column.type) else []
        for part in (column, *parts):
            nulls += part.is_null().to_numpy(zero_copy_only=False)
            if pa.types.is_float64(part.type):
                nulls += ~_flags(pc.is_finite(part))
    has_null = np.bincount(np.repeat(np.arange(len(lengths)), lengths), nulls, len(lengths)) > 0
    return (lengths == messages) & ~has_null


def convert(batch: pa.RecordBatch, sound: list[int], first: int, place: Place) -> pa.RecordBatch:
    """The sound rows in the staged schema; row ``i`` of the batch is record ``first + i``."""
    picked = batch if len(sound) == batch.num_rows else batch.take(pa.array(sound, pa.int64()))
    talk = picked.column("conversation")
    offsets = _offsets(talk)
    roles, contents = (pc.struct_field(talk.flatten(), name) for name in ("role", "content"))
    digests = rows.content_digests(picked.column("model"), roles, contents, offsets)
    count = picked.num_rows
    columns = {
        "conversation_id": picked.column("conversation_id"),
        "record": pa.array(np.array(sound, np.int64) + first),
        "part": pa.array(np.zeros(count, np.int32)),
        "offset": pa.array(np.full(count, -1, np.int64)),
        "model": picked.column("model"),
        "messages": _messages(roles, contents, offsets),
        "language": picked.column("language"),
        "redacted": picked.column("redacted"),
        "moderation": _moderation(picked.column("openai_moderation")),
        "metadata": pc.binary_join_element_wise('{"turn":', picked.column("turn").cast(pa.string()), "}", ""),
        "digest": digests,
    }
    return rows.batch(place, rows.ROW, columns, count)


def _offsets(lists: pa.ListArray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lists.value_lengths().to_numpy())]).astype(np.int32)


def _messages(roles: pa.Array, contents: pa.Array, offsets: np.ndarray) -> pa.ListArray:
    kind = rows.ARROW.field("messages").type
    nulls = [pa.nulls(len(roles), field.type) for field in list(kind.value_type)[2:]]
    return _listed(offsets, pa.StructArray.from_arrays([roles, contents, *nulls], fields=list(kind.value_type)), kind)


def _moderation(moderation: pa.ListArray) -> pa.ListArray:
    kind = rows.ARROW.field("moderation").type
    entries = moderation.flatten()
    categories, scores = pc.struct_field(entries, "categories"), pc.struct_field(entries, "category_scores")
    fields = [
        pc.struct_field(entries, "flagged"),
        _true_names(categories, kind.value_type.field("categories").type),
        _as_map(scores, kind.value_type.field("scores").type),
    ]
    return _listed(_offsets(moderation), pa.StructArray.from_arrays(fields, fields=list(kind.value_type)), kind)


def _true_names(flags: pa.StructArray, kind: pa.DataType) -> pa.ListArray:
    names = pa.array([field.name for field in flags.type])
    table = np.stack([part.to_numpy(zero_copy_only=False) for part in flags.flatten()], axis=1)
    offsets = np.concatenate([[0], np.cumsum(table.sum(axis=1))]).astype(np.int32)
    return _listed(offsets, names.take(pa.array(np.nonzero(table)[1])), kind)


def _as_map(scores: pa.StructArray, kind: pa.DataType) -> pa.MapArray:
    names = pa.array([field.name for field in scores.type])
    values = np.stack([part.to_numpy(zero_copy_only=False) for part in scores.flatten()], axis=1)
    offsets = np.arange(len(values) + 1, dtype=np.int32) * len(names)
    keys = names.take(pa.array(np.tile(np.arange(len(names)), len(values))))
    return pa.MapArray.from_arrays(pa.array(offsets), keys, pa.array(values.ravel())).cast(kind)


def _listed(offsets: np.ndarray, values: pa.Array, kind: pa.DataType) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets), values).cast(kind)
