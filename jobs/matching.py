"""Which conversations share a key, and what became of each of them? Buckets, components, verified removals."""

from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf.settings import Dedup
from jobs.connected import CONTRACTED, components
from jobs.parts import map_parts, parts
from udfs import buckets, candidates, stars
from udfs.buckets import Levels
from udfs.thinning import Bounds

_FEW_MEMBERS = 2_000_000
"""Members of which every executor is given the part, some 50 bytes each."""
_FEW_NAMED = 500_000
"""Rows with ids and digests that every executor is given, some 300 bytes each."""
_PACKED = "part int, keys binary, values binary"
_SIGNATURE = ("row", "conversation_id", "digest", "prefixes", "sets", "closing", "bands", "anchors")
_SHARED = ("sets", "closing", "bands", "anchors")
_JUDGED = (
    "conversation_id string, level string, kept_id string, copy_of string, similarity double, bands_shared int, "
    "nearest_id string, cluster_id string, compared bigint, rejected bigint, hot_buckets bigint"
)


def levels(options: Dedup) -> Levels:
    """Which keys these settings use."""
    return Levels(*(level != "off" for level in (options.snapshot, options.exact, options.near, options.contained)))


def members(signatures: DataFrame, options: Dedup, work: str) -> DataFrame:
    """``row, component, part, is_copy`` (:func:`jobs.connected.components`) of every conversation that shares a key
    with another."""
    count = parts(signatures.sparkSession)
    return components(contracted(_packed(signatures, options, count)), options.max_edges, count, work)


def joined_members(fresh: DataFrame, known: DataFrame, before: DataFrame, options: Dedup, work: str) -> DataFrame:
    """The same for ``known`` signatures, whose components are ``before`` (``row, component``), and ``fresh`` ones. Of
    the known ones only their keys are read, and only those that a fresh one has are shuffled."""
    spark, keyed = fresh.sparkSession, levels(options)
    count = parts(spark)
    found = _keyed(fresh).mapInArrow(lambda batches: buckets.distinct(batches, keyed), "bucket bigint").distinct()
    buckets_wanted: Any = found.toPandas()
    wanted = np.sort(buckets_wanted["bucket"].to_numpy(np.int64).view(np.uint64))
    shared = spark.sparkContext.broadcast(wanted)
    matched = _keyed(known).mapInArrow(lambda batches: buckets.pack_known(batches, keyed, count, shared.value), _PACKED)
    found = contracted(_packed(fresh, options, count).unionByName(matched))
    earlier = before.where("row != component").select(
        F.col("component").alias("a"), F.col("row").alias("b"), F.lit(False).alias("is_equal")
    )
    return components(found.unionByName(earlier.mapInArrow(stars.contract, CONTRACTED)), options.max_edges, count, work)


def judged(signatures: DataFrame, chosen: DataFrame, members: DataFrame, options: Dedup) -> DataFrame:
    """What became of the rows ``chosen`` (``conversation_id, order, is_fixed, component, part``), which are whole
    components of ``members`` (``row, component, part, is_copy``): a row each that is not fixed, with the columns of
    ``_JUDGED``. Text is not read: signatures hold what is compared. Only those of members are shuffled where these are
    at hand, else all; of conversations with the same messages the sets and keys of those alone that are no copies."""
    keep = options.near_keep if options.near != "off" else 1
    bounds = Bounds(options.threshold, options.related, options.containment, options.bucket_limit, keep)
    keyed = levels(options)
    signed = signatures.select(*_SIGNATURE).join(members, "row")
    is_needed = ~F.coalesce("is_copy", F.lit(False))
    signed = signed.withColumns({name: F.when(is_needed, F.col(name)) for name in _SHARED}).drop("is_copy")
    facts = chosen.select("conversation_id", "order", "is_fixed", "component", "part")
    # Not joined here: signatures are large, and lie by ``part`` only after they have been shuffled.
    rows = signed.unionByName(facts, allowMissingColumns=True)
    return map_parts(rows, lambda batches: candidates.judge(batches, keyed, bounds), _JUDGED)


def at_hand(rows: DataFrame, limit: int = _FEW_MEMBERS) -> DataFrame:
    """The rows, which can be counted at no great cost, to join with: where they are at most so many, each executor is
    sent them all, and what they are joined with is not shuffled."""
    return F.broadcast(rows) if rows.count() <= limit else rows


def kept_at_hand(rows: DataFrame) -> DataFrame:
    """Rows with ids or digests, kept and :func:`at_hand`."""
    return at_hand(rows.persist(), _FEW_NAMED)


def _keyed(signatures: DataFrame) -> DataFrame:
    return signatures.select("row", "prefixes", "bands", "anchors")


def _packed(signatures: DataFrame, options: Dedup, parts: int) -> DataFrame:
    keyed = levels(options)
    return _keyed(signatures).mapInArrow(lambda batches: buckets.pack(batches, keyed, parts), _PACKED)


def contracted(packed: DataFrame) -> DataFrame:
    """The edges of packed keys (:func:`udfs.buckets.pack`), those of each part joined up where they are found."""
    return map_parts(packed, lambda batches: stars.contract(buckets.edges(batches)), CONTRACTED)
