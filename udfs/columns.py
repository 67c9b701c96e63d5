"""Kernels as Spark columns: the only file here that knows Spark.

Types are objects, not DDL strings: a string cannot be parsed before a session exists, and this module is imported
without one.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql.functions import pandas_udf
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

from udfs.annotation import Annotation, Plan, annotate

_STRINGS = ArrayType(StringType())
_HIT = StructType(
    [
        StructField("message", IntegerType()),
        StructField("role", StringType()),
        StructField("category", StringType()),
        StructField("term", StringType()),
        StructField("offset", IntegerType()),
    ]
)
_SEALED = StructType(
    [
        StructField("message", IntegerType()),
        StructField("offset", IntegerType()),
        StructField("pseudonym", StringType()),
        StructField("value", BinaryType()),
    ]
)
ANNOTATION = StructType(
    [
        StructField("roles", _STRINGS),
        StructField("contents", _STRINGS),
        StructField("languages", _STRINGS),
        StructField("confidences", ArrayType(DoubleType())),
        StructField("message_keywords", ArrayType(_STRINGS)),
        StructField("edits", ArrayType(_STRINGS)),
        StructField("origins", ArrayType(IntegerType())),
        StructField("language", StringType()),
        StructField("keywords", _STRINGS),
        StructField("hits", ArrayType(_HIT)),
        StructField("reasons", _STRINGS),
        StructField("repairs", _STRINGS),
        StructField("quality", DoubleType()),
        StructField("turns", IntegerType()),
        StructField("characters", LongType()),
        StructField("digest", StringType()),
        StructField("sealed", ArrayType(_SEALED)),
    ]
)
"""What the annotation UDF returns for one conversation: first the parallel arrays of its messages after repair
(``origins``: from which raw message), then its own."""


def annotator(plan: Plan) -> Callable[..., Column]:
    """A pandas UDF (conversation_id: string, roles, contents: array<string>) -> :data:`ANNOTATION`, the one trip of the
    text through Python.

    Cleaning, language and keywords all happen in it. It is marked non-deterministic, though it is not, because Spark
    evaluates a deterministic UDF again for every later use of its result.
    """

    @pandas_udf(ANNOTATION)  # type: ignore[call-overload]
    def annotated(ids: pd.Series, roles: pd.Series, contents: pd.Series) -> pd.DataFrame:
        offsets = np.zeros(len(contents) + 1, np.int32)
        np.cumsum([len(one) for one in contents], out=offsets[1:])
        found = annotate(_flat(roles), _flat(contents), offsets, plan, pa.array(ids, pa.string()))
        return _frame(found)

    return annotated.asNondeterministic()


def _flat(lists: pd.Series) -> pa.Array:
    return pa.array(np.concatenate([*lists, np.empty(0, object)]), pa.string())


def _frame(found: Annotation) -> pd.DataFrame:
    """The columns of :data:`ANNOTATION`, messages nested again under their conversations, still Arrow inside."""
    cuts = pa.array(found.offsets)
    nested = [pa.ListArray.from_arrays(cuts, _plain(column)) for column in found.messages]
    columns = [*nested, *map(_plain, found.conversations)]
    named = zip(ANNOTATION.names, columns, strict=True)
    return pd.DataFrame({name: _series(column) for name, column in named})


def _series(column: pa.Array) -> pd.Series:
    """The column, Arrow inside; one with nulls as objects, for Spark takes pandas' null for a list of structs."""
    if column.null_count:
        return pd.Series(column.to_pylist(), dtype=object)
    return pd.Series(column, dtype=pd.ArrowDtype(column.type))


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
