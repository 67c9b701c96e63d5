"""Which conversations share a key, and what became of each of them? Buckets, components, verified removals."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from conf.duplicates import Dedup
from jobs.duplicates.connected import CONTRACTED, KNOWN, MEMBERS, components
from jobs.lake import FILE
from jobs.parts import PACKED, Kernel, map_parts, parts
from jobs.tasks import Rows, make_folder, rows_from_tasks
from udfs.dedup import blocks, buckets, candidates, stars
from udfs.dedup.blocks import Block
from udfs.dedup.buckets import Groups, Levels
from udfs.dedup.candidates import JUDGED, LEVELS, Policy
from udfs.dedup.members import COLUMNS as SIGNATURE
from udfs.dedup.members import SHARED, Places, pack
from udfs.dedup.thinning import Bounds
from udfs.delta import datafiles

_FEW_MEMBERS = 2_000_000
"""Members of which every executor is given the place, some 50 bytes each."""
_FEW_BYTES = 4 << 30
"""Bytes of signatures, some 2 kB each, whose keys go by files of the work folder, and not by the executors' disks."""
_PLACES = {"row": np.int64, "component": np.int64, "part": np.int32}
_FEW_NAMED = 500_000
"""Rows with ids and digests that every executor is given, some 300 bytes each."""
_KEYS = ("row", "prefixes", "bands", "anchors")
_BLOCKS = from_arrow_schema(blocks.STORED)


def levels(options: Dedup) -> Levels:
    """Which keys these settings use."""
    return _set_to(options, "drop", "tag")


def _set_to(options: Dedup, *wanted: str) -> Levels:
    return Levels(*(getattr(options, level) in wanted for level in LEVELS))


def members(signatures: Rows, options: Dedup, work: str) -> Rows:
    """``row, component, part, is_copy`` (:func:`connected.components`) of every conversation that shares a key
    with another."""
    keyed, count = levels(options), parts(signatures.spark)
    packed = _packed(signatures, lambda batches: buckets.pack(batches, keyed, count), _key_folder(signatures, work))
    return components(contracted(packed), options.max_edges, count, work)


class Before(NamedTuple):
    """What was found of conversations that were compared before: ``components`` of those that are in one (``row``,
    ``component``), ``copies`` among them as edges (``a``, ``b``, ``is_equal``, of :func:`udfs.dedup.buckets.edges`)."""

    components: Rows
    copies: DataFrame


def joined_members(fresh: Rows, known: Rows, before: Before, options: Dedup, work: str) -> Rows:
    """The same for ``fresh`` signatures and ``known`` ones, which were compared ``before``. Of the known ones only
    their keys are read, and of these hardly any are moved that no fresh one has."""
    spark, keyed = fresh.spark, levels(options)
    count, folder = parts(spark), _key_folder(known, work)
    found: Any = fresh.map(_KEYS, lambda batches: buckets.distinct(batches, keyed), "bucket bigint").toPandas()
    shared = buckets.wanted(found["bucket"].to_numpy(np.int64).view(np.uint64)), _groups(before.components)
    told = spark.sparkContext.broadcast(shared)
    matched = _packed(known, lambda batches: buckets.pack_known(batches, keyed, count, *told.value), folder)
    packed = _packed(fresh, lambda batches: buckets.pack(batches, keyed, count), folder)
    edges = contracted(packed.unionByName(matched)).unionByName(before.copies.mapInArrow(stars.contract, CONTRACTED))
    return components(edges, options.max_edges, count, work, before.components)


def _groups(components: Rows) -> Groups:
    """Which components rows are in, none where that is too many to tell every executor."""
    if components.count() > _FEW_MEMBERS:
        return Groups(np.empty(0, np.int64), np.empty(0, np.int64))
    found = components.read(KNOWN)
    order = np.argsort(found["row"].to_numpy())
    return Groups(*(found[name].to_numpy()[order] for name in KNOWN.names))


def judged(signatures: Rows, facts: DataFrame, members: Rows, options: Dedup, work: str) -> Rows:
    """What became of the conversations ``facts`` (``conversation_id, row, order, is_fixed``) that are in whole
    components, ``members`` (``row, component, part, is_copy``): a row each that is not fixed, with the columns of
    :func:`candidates.thin`, judged now. Text is not read: signatures hold what is compared. ``work`` is a folder
    for them and for the result."""
    keep = options.near_keep if options.near != "off" else 1
    bounds = Bounds(options.threshold, options.related, options.containment, options.bucket_limit, keep)
    few, schema = _if_few(members), from_arrow_schema(JUDGED)
    policy = Policy(_set_to(options, "drop"), _set_to(options, "tag"))
    placed = members.frame() if few is None else F.broadcast(members.frame())
    told = facts.join(placed, "row").select("part", "conversation_id", "order", "is_fixed")
    if few is not None and signatures.files is not None:
        found, folder = _packed_by_part(signatures, few, work), make_folder(f"{work}/judged")
        judge = lambda batches: candidates.judge_blocks(batches, found, policy, bounds)  # noqa: E731
        file = lambda batches: datafiles.write_as_row(judge(batches), Path(folder), JUDGED)  # noqa: E731
        return rows_from_tasks(signatures.spark, folder, map_parts(told, file, FILE), schema)
    # Not joined here: signatures are large, and lie by ``part`` only after they have been shuffled.
    rows = _signed(signatures.frame(), placed).unionByName(told, allowMissingColumns=True)
    outcome = map_parts(rows, lambda batches: candidates.judge(batches, policy, bounds), schema).localCheckpoint()
    return Rows(signatures.spark, lambda: outcome)


def _if_few(members: Rows) -> Any:
    """All members on the driver, if they are few, else None."""
    return members.read(MEMBERS).to_pandas() if members.count() <= _FEW_MEMBERS else None


def _packed_by_part(signatures: Rows, few: Any, work: str) -> dict[int, list[Block]]:
    """The signatures of these members in files below ``work``. Every executor is sent all members."""
    found = few.sort_values("row")
    row, component, part = (found[name].to_numpy(kind) for name, kind in _PLACES.items())
    places = Places(row, component, part, found["is_copy"].eq(True).to_numpy(bool))
    shared, folder = signatures.spark.sparkContext.broadcast(places), make_folder(f"{work}/signatures")
    packed = signatures.map(SIGNATURE, lambda batches: pack(batches, shared.value, folder), _BLOCKS)
    found_in: dict[int, list[Block]] = {}
    for block in packed.collect():
        found_in.setdefault(block.part, []).append(Block(*block))
    return found_in


def _signed(signatures: DataFrame, members: DataFrame) -> DataFrame:
    """The signatures of these members as rows, those of copies without sets and keys."""
    is_needed = ~F.coalesce("is_copy", F.lit(False))
    joined = signatures.select(*SIGNATURE).join(members, "row")
    return joined.withColumns({name: F.when(is_needed, F.col(name)) for name in SHARED}).drop("is_copy")


def broadcast_if_small(rows: DataFrame) -> DataFrame:
    """Rows with ids or digests, kept, to join with: where they are few, each executor is sent them all, and what they
    are joined with is not shuffled."""
    kept = rows.persist()
    return F.broadcast(kept) if kept.count() <= _FEW_NAMED else kept


def _key_folder(signatures: Rows, work: str) -> str | None:
    """Where keys of these signatures go by files: if they are few and tasks share a folder."""
    if signatures.files is None or sum(file.bytes for file in signatures.files) > _FEW_BYTES:
        return None
    return make_folder(f"{work}/keys")


def _packed(signatures: Rows, pack: Kernel, folder: str | None) -> DataFrame:
    """What ``pack`` makes of the keys of these signatures; or, put into the folder, where it lies."""
    if folder is None:
        return signatures.map(_KEYS, pack, PACKED)
    return signatures.map(_KEYS, lambda batches: blocks.store(pack(batches), folder), _BLOCKS)


def contracted(packed: DataFrame) -> DataFrame:
    """The edges of packed keys (:func:`buckets.pack`), or of where they lie, those of each part joined up where
    they are found."""
    load = blocks.load if "path" in packed.columns else iter
    return map_parts(packed, lambda batches: stars.contract(buckets.edges(load(batches))), CONTRACTED)
