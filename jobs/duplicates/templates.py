"""Which prompts are of one template, and what do families look like? The counts of :mod:`templates` on Spark."""

from typing import Any

import numpy as np
from pyspark import Broadcast
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf.duplicates import TemplateLevel
from jobs.parts import PACKED, map_parts, parts
from jobs.tables import digits
from jobs.tasks import Rows
from udfs.dedup import blocks
from udfs.dedup import templates as kernels
from udfs.dedup.members import without
from udfs.dedup.templates import Shape

_COUNT = "key bigint, count bigint"
_PAIR = "key binary, prefix bigint, suffix bigint, fixed bigint, coverage double"
_FAMILY = "level string, family string, example string, rows bigint, removed bigint, prompts bigint, form string"


def templates(distinct: Rows, others: Broadcast, level: TemplateLevel) -> DataFrame:
    """The template of each of these distinct prompts (``row``, ``key``, ``prompt``) that has one: ``key, template,
    coverage``. Those whose ``row`` is one of the ``others`` (int64, ascending) are left out.

    Of the templates that ``min_family`` or more of them share, a prompt is given the one that explains the most tokens
    of all prompts (prompts that share it times its tokens), of equals the longer one. Templates that fewer prompts than
    ``min_family`` were then given are dropped. ``template``: the hashes of its beginning and end, 32 digits.
    """
    shape, frequent = Shape(level.min_fixed, level.min_coverage), _frequent(distinct, others, level.min_family)
    pair = lambda batches: kernels.pair(without(batches, "row", others.value), frequent, shape)  # noqa: E731
    pairs = distinct.map(["row", "key", "prompt"], pair, _PAIR).persist()
    shared = pairs.groupBy("prefix", "suffix").count().where(F.col("count") >= level.min_family)
    score = F.struct((F.col("count") * F.col("fixed")).alias("score"), "fixed", "prefix", "suffix", "coverage")
    chosen = pairs.join(shared, ["prefix", "suffix"]).groupBy("key").agg(F.max(score).alias("best"))
    chosen = chosen.select("key", "best.*").localCheckpoint()
    pairs.unpersist()
    lasting = chosen.groupBy("prefix", "suffix").count().where(F.col("count") >= level.min_family)
    template = F.concat(*(F.lpad(digits(half), 16, "0") for half in ("prefix", "suffix")))
    return chosen.join(lasting, ["prefix", "suffix"], "left_semi").select("key", template.alias("template"), "coverage")


def written(found: DataFrame) -> DataFrame:
    """Families with two prompts of each, ``example`` and ``other``, as rows of ``families``: ``form`` is the example
    with ``…`` for the slot, and ``#`` for numbers where they differ."""
    ordered = found.select("level", "family", "example", "other", "rows", "removed", "prompts")
    return ordered.mapInArrow(kernels.write, _FAMILY)


def _frequent(distinct: Rows, others: Broadcast, least: int) -> tuple[np.ndarray, np.ndarray]:
    """The hashes of beginnings and ends that ``least`` or more prompts have, ascending, and how many have them.

    They come to the driver and go to every executor: one for every ``least`` tokens of half the prompts at most, and
    16 bytes each.
    """
    count = parts(distinct.spark)
    counting = lambda batches: kernels.count(without(batches, "row", others.value), count)  # noqa: E731
    packed = distinct.map(["row", "prompt"], counting, PACKED)
    counted = map_parts(packed, lambda batches: blocks.totals(batches, least), _COUNT)
    found: Any = counted.toPandas()
    hashes, counts = found["key"].to_numpy(np.int64).view(np.uint64), found["count"].to_numpy(np.int64)
    order = np.argsort(hashes)
    return hashes[order], counts[order]
