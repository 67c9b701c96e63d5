"""Which prompts are of one template, and what do families look like? The counts of :mod:`udfs.templates` on Spark."""

from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf.settings import TemplateLevel
from jobs import matching
from jobs.parts import map_parts, parts
from jobs.tables import digits
from udfs import blocks
from udfs import templates as kernels
from udfs.templates import Shape

_PACKED = "part int, keys binary, values binary"
_COUNT = "key bigint, count bigint"
_PAIR = "key binary, prefix bigint, suffix bigint, fixed bigint, coverage double"
_FAMILY = "level string, family string, example string, rows bigint, removed bigint, prompts bigint, form string"


def templates(distinct: DataFrame, level: TemplateLevel) -> DataFrame:
    """The template of each of these distinct prompts (``key``, ``prompt``) that has one: ``key, template, coverage``.

    Of the templates that ``min_family`` or more of them share, a prompt is given the one that explains the most tokens
    of all prompts (prompts that share it times its tokens), of equals the longer one. Templates that fewer prompts than
    ``min_family`` were then given are dropped. ``template``: the hashes of its beginning and end, 32 digits.
    """
    shape, frequent = Shape(level.min_fixed, level.min_coverage), _frequent(distinct, level.min_family)
    pairs = distinct.select("key", "prompt").mapInArrow(lambda batches: kernels.pair(batches, frequent, shape), _PAIR)
    pairs = pairs.persist()
    shared = pairs.groupBy("prefix", "suffix").count().where(F.col("count") >= level.min_family)
    score = F.struct((F.col("count") * F.col("fixed")).alias("score"), "fixed", "prefix", "suffix", "coverage")
    chosen = pairs.join(shared, ["prefix", "suffix"]).groupBy("key").agg(F.max(score).alias("best"))
    chosen = chosen.select("key", "best.*").localCheckpoint()
    pairs.unpersist()
    lasting = chosen.groupBy("prefix", "suffix").count().where(F.col("count") >= level.min_family)
    template = F.concat(*(F.lpad(digits(half), 16, "0") for half in ("prefix", "suffix")))
    return chosen.join(lasting, ["prefix", "suffix"], "left_semi").select("key", template.alias("template"), "coverage")


def families(members: DataFrame, survivors: DataFrame, texts: DataFrame) -> DataFrame:
    """The families of :func:`jobs.prompts.members`, made of the same frames, one row each: ``level, family, form,
    example, rows, removed, prompts``.

    ``form``: the example with ``…`` for the slot, and ``#`` for numbers where they differ. ``rows``: survivors of
    earlier levels in the family, of which ``removed`` are gone; ``prompts``: their different first messages.
    """
    standing = members.join(survivors.select("conversation_id", "digest"), "conversation_id")
    place = F.struct("digest", "conversation_id")
    said = texts.join(matching.kept_at_hand(standing), "conversation_id")
    counted = said.groupBy("level", "family").agg(
        F.min_by("prompt", place).alias("example"),
        F.max_by("prompt", place).alias("other"),
        F.count(F.lit(1)).alias("rows"),
        F.count_if("is_removed").alias("removed"),
        F.count_distinct("prompt").alias("prompts"),
    )
    return counted.mapInArrow(kernels.write, _FAMILY)


def _frequent(distinct: DataFrame, least: int) -> tuple[np.ndarray, np.ndarray]:
    """The hashes of beginnings and ends that ``least`` or more prompts have, ascending, and how many have them.

    They come to the driver and go to every executor: one for every ``least`` tokens of half the prompts at most, and
    16 bytes each.
    """
    count = parts(distinct.sparkSession)
    packed = distinct.select("prompt").mapInArrow(lambda batches: kernels.count(batches, count), _PACKED)
    counted = map_parts(packed, lambda batches: blocks.totals(batches, least), _COUNT)
    found: Any = counted.toPandas()
    hashes, counts = found["key"].to_numpy(np.int64).view(np.uint64), found["count"].to_numpy(np.int64)
    order = np.argsort(hashes)
    return hashes[order], counts[order]
