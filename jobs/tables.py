"""The schemas of the lake's tables, as Spark types, checked at the door of every write.

Only plain types (no column mapping, no variant), so that Spark, deltalake and pyarrow read every version alike.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from conf import tables

STRINGS = ArrayType(StringType())


def _struct(**fields: DataType) -> StructType:
    return StructType([StructField(name, kind) for name, kind in fields.items()])


RAW_MESSAGE = _struct(
    role=StringType(), content=StringType(), name=StringType(), language=StringType(), toxic=BooleanType()
)
MODERATION = _struct(flagged=BooleanType(), categories=STRINGS, scores=MapType(StringType(), DoubleType()))
MESSAGE = _struct(
    role=StringType(),
    content=StringType(),
    name=StringType(),
    language=StringType(),
    confidence=DoubleType(),
    keywords=STRINGS,
    edits=STRINGS,
)
HIT = _struct(message=IntegerType(), role=StringType(), category=StringType(), term=StringType(), offset=IntegerType())
"""A keyword found: in which message (from 0), and how many characters of its stored content stand before it."""
SEALED = _struct(message=IntegerType(), offset=IntegerType(), pseudonym=StringType(), value=BinaryType())
"""What a pseudonym stands for, sealed: in which message (from 0), and how many characters stand before it once the
entries before this one are put back (:mod:`udfs.sealing`)."""
TRAINING_MESSAGE = _struct(role=StringType(), content=StringType())
ORIGIN = _struct(conversation_id=StringType(), part=IntegerType())
"""A conversation that a dataset row is made of; which part of it (from 1), null where it is whole."""

DUPLICATE = _struct(
    level=StringType(),
    conversation_id=StringType(),
    kept_id=StringType(),
    copy_of=StringType(),
    cluster_id=StringType(),
    similarity=DoubleType(),
    bands_shared=IntegerType(),
    rule=StringType(),
)

PLACE: dict[str, DataType] = {
    "source": StringType(),
    "file": StringType(),
    "file_id": StringType(),
    "record": LongType(),
    "part": IntegerType(),
}
"""Where a record was: source, file, the file's content digest, record number from 0, conversation within the record."""

SCHEMAS = {
    tables.FILES: _struct(
        source=StringType(),
        file=StringType(),
        file_id=StringType(),
        format=StringType(),
        bytes=LongType(),
        records=LongType(),
        rows=LongType(),
        quarantined=LongType(),
        reason=StringType(),
        config_digest=StringType(),
    ),
    tables.CONVERSATIONS_RAW: _struct(
        conversation_id=StringType(),
        **PLACE,
        offset=LongType(),
        format=StringType(),
        model=StringType(),
        messages=ArrayType(RAW_MESSAGE),
        language=StringType(),
        redacted=BooleanType(),
        moderation=ArrayType(MODERATION),
        metadata=StringType(),
        digest=StringType(),
        renamed_from=StringType(),
    ),
    tables.QUARANTINE: _struct(
        **PLACE,
        offset=LongType(),
        format=StringType(),
        reason=StringType(),
        detail=StringType(),
        sample=BinaryType(),
        digest=StringType(),
    ),
    tables.CONVERSATIONS: _struct(
        conversation_id=StringType(),
        source=StringType(),
        model=StringType(),
        messages=ArrayType(MESSAGE),
        language=StringType(),
        source_language=StringType(),
        keywords=STRINGS,
        hits=ArrayType(HIT),
        reasons=STRINGS,
        repairs=STRINGS,
        quality=DoubleType(),
        redacted=BooleanType(),
        flagged=BooleanType(),
        time=DoubleType(),
        turns=IntegerType(),
        characters=LongType(),
        digest=StringType(),
        sealed=ArrayType(SEALED),
    ),
    tables.LINGUISTICS: _struct(
        conversation_id=StringType(),
        sentences=LongType(),
        tokens=LongType(),
        stop_words=DoubleType(),
        repeated=DoubleType(),
        phrases=MapType(StringType(), LongType()),
        cut=LongType(),
        languages=STRINGS,
        names=STRINGS,
        toxicity=STRINGS,
    ),
    tables.OVERLAPS: _struct(
        conversation_id=StringType(),
        part=IntegerType(),
        benchmark=StringType(),
        item=StringType(),
        question=StringType(),
        features=IntegerType(),
        grams=ArrayType(LongType()),
        message=IntegerType(),
        text=StringType(),
        rule=StringType(),
    ),
    tables.CONTAMINATION: _struct(
        conversation_id=StringType(),
        benchmark=StringType(),
        item=StringType(),
        hit=BooleanType(),
        overlap=DoubleType(),
        matched=IntegerType(),
        features=IntegerType(),
        message=IntegerType(),
        question=StringType(),
        text=StringType(),
        rule=StringType(),
    ),
    tables.SIGNATURES: _struct(
        conversation_id=StringType(),
        row=LongType(),
        digest=StringType(),
        prompt=StringType(),
        prompt_key=BinaryType(),
        prefixes=BinaryType(),
        sets=BinaryType(),
        closing=BinaryType(),
        bands=BinaryType(),
        anchors=BinaryType(),
        rule=StringType(),
    ),
    tables.MATCHES: DUPLICATE,
    tables.DUPLICATES: DUPLICATE,
    tables.COMPONENTS: _struct(row=LongType(), component=LongType()),
    tables.CLUSTERS: _struct(
        conversation_id=StringType(),
        cluster_id=StringType(),
        nearest_id=StringType(),
        similarity=DoubleType(),
        bands_shared=IntegerType(),
    ),
    tables.FAMILIES: _struct(
        level=StringType(),
        family=StringType(),
        form=StringType(),
        example=StringType(),
        rows=LongType(),
        removed=LongType(),
        prompts=LongType(),
    ),
    tables.CONFLICTS: _struct(
        conversation_id=StringType(),
        question=StringType(),
        persona=StringType(),
        personas=LongType(),
        conversations=LongType(),
        character=StringType(),
        model=StringType(),
        system=StringType(),
        text=StringType(),
    ),
    tables.MEASURES: _struct(
        edit=StringType(),
        script=StringType(),
        length=StringType(),
        planted=LongType(),
        due=LongType(),
        found=LongType(),
        removed=LongType(),
        wrong=LongType(),
    ),
    tables.VERDICTS: _struct(
        conversation_id=StringType(), source=StringType(), keep=BooleanType(), reasons=STRINGS, kept_id=StringType()
    ),
    tables.DATASET: _struct(
        conversation_id=StringType(),
        source=StringType(),
        model=StringType(),
        language=StringType(),
        messages=ArrayType(TRAINING_MESSAGE),
        split=StringType(),
        copies=LongType(),
        made_of=ArrayType(ORIGIN),
        digest=StringType(),
    ),
    tables.RUNS: _struct(
        run_id=StringType(),
        job=StringType(),
        recipe=StringType(),
        config=StringType(),
        config_digest=StringType(),
        code_version=StringType(),
        inputs=MapType(StringType(), LongType()),
        outputs=MapType(StringType(), LongType()),
        counts=MapType(StringType(), LongType()),
        started=TimestampType(),
        seconds=DoubleType(),
        bytes=LongType(),
    ),
    tables.PINS: _struct(
        name=StringType(), version=LongType(), digest=StringType(), why=StringType(), pinned=TimestampType()
    ),
}


def frame(spark: SparkSession, rows: Sequence[Sequence[Any]], schema: StructType) -> DataFrame:
    """These few rows, in the schema's order, as a frame. They go to Java by Arrow: of Python objects Spark would make a
    frame by Python workers of another kind than ours, whose start takes a second."""
    if not rows:
        return spark.range(0).select(*(F.lit(None).cast(field.dataType).alias(field.name) for field in schema))
    columns = zip(schema.names, zip(*rows, strict=True), strict=True)
    named = {name: pd.Series(list(column), dtype=object) for name, column in columns}
    return spark.createDataFrame(pd.DataFrame(named), schema)


def only_row(aggregate: DataFrame) -> Row:
    """The one row of an aggregate over a whole table."""
    return aggregate.collect()[0]


def digits(value: Column | str) -> Column:
    """Bytes, or a 64-bit number, as hexadecimal digits, ``a`` to ``f`` small. Spark's ``lower`` would do as well, and
    load the rules of all languages for a second first."""
    return F.translate(F.hex(value), "ABCDEF", "abcdef")
