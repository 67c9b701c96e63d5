"""Which columns of a Parquet file are text, though its schema says bytes? Older writers (Hive, Impala, Spark) leave out
the annotation UTF8. Others (pandas for categories, Polars) have dictionaries or views of text."""

import pyarrow as pa

_TEXT = {pa.binary(): pa.string(), pa.large_binary(): pa.large_string()}
_VIEWED = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}


def as_text(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with text for bytes, at every depth, where at least half of a column's values are valid UTF-8: others
    are damaged text then. Where most are not, they are pictures or the like, and stay bytes.

    Dictionaries and views become plain values: a single row of theirs is as large as all values they share."""
    plain = pa.schema([field.with_type(_plain_type(field.type)) for field in batch.schema])
    batch = batch if plain.types == batch.schema.types else batch.cast(plain)
    kinds = [_text_type(column) for column in batch.columns]
    if kinds == batch.schema.types:
        return batch
    columns = [column.view(kind) for column, kind in zip(batch.columns, kinds, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return _plain_type(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain_type(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain_type(kind.value_type)))
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_plain_type(kind.value_type)))
    return _VIEWED.get(kind, kind)


def _text_type(values: pa.Array) -> pa.DataType:
    kind = values.type
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_text_type(values.field(i))) for i, field in enumerate(kind)])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_text_type(values.values)))
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_text_type(values.values)))
    if pa.types.is_map(kind):
        return pa.map_(_text_type(values.keys), kind.item_field.with_type(_text_type(values.items)))
    return _TEXT[kind] if kind in _TEXT and _is_text(values) else kind


def _is_text(values: pa.Array) -> bool:
    try:
        values.view(_TEXT[values.type]).validate(full=True)
    except pa.ArrowInvalid:
        sound = [_is_utf8(value) for value in values.drop_null().to_pylist()]
        return 2 * sum(sound) >= len(sound)
    return True


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
