"""What became of the conversations that were compared (:func:`candidates.thin`), as rows of tables and counts."""

from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from udfs.dedup.candidates import COUNTERS

FOLDED = "folded"
"""The rule of levels that compare folded messages for equality."""
DUPLICATES = ("level", "conversation_id", "kept_id", "copy_of", "cluster_id", "similarity", "bands_shared")
CAPPED = ("conversation_id", "level", "kept_id", "similarity", "is_removed")
CLUSTERS = ("conversation_id", "cluster_id", "nearest_id", "similarity", "bands_shared")


def duplicates(batches: Iterable[pa.RecordBatch], rules: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
    """The removed ones, with the ``rule`` that ``rules`` have for their level, else :data:`FOLDED`."""
    for batch in batches:
        removed = batch.filter(batch.column("kept_id").is_valid()).select(DUPLICATES)
        yield removed.append_column("rule", pc.fill_null(_rules_of(removed, rules), FOLDED))


def capped(batches: Iterable[pa.RecordBatch], rules: Mapping[str, str], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The removed ones of :data:`udfs.dedup.capping.FOUND` as rows of ``duplicates``, which have this schema."""
    for batch in batches:
        gone = batch.filter(batch.column("is_removed"))
        known = {name: gone.column(name) for name in CAPPED if name in schema.names}
        known["rule"] = _rules_of(gone, rules)
        columns = [known.get(field.name, pa.nulls(len(gone), field.type)) for field in schema]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _rules_of(removed: pa.RecordBatch, rules: Mapping[str, str]) -> pa.Array:
    """The rule of each row's level, null where it has none."""
    levels, names = pa.array(list(rules), pa.string()), pa.array(list(rules.values()), pa.string())
    return names.take(pc.index_in(removed.column("level"), value_set=levels))


def clusters(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Those with near copies; scores only beside the conversation they are shared with."""
    for batch in batches:
        tied = batch.filter(batch.column("cluster_id").is_valid()).select(CLUSTERS)
        for place, name in enumerate(CLUSTERS[3:], 3):
            nothing = pa.scalar(None, tied.schema.field(name).type)
            scores = pc.if_else(tied.column("nearest_id").is_valid(), tied.column(name), nothing)
            tied = tied.set_column(place, name, scores)
        yield tied


def tally(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """``level`` (null: kept), how many ``rows`` of it, and sums of the ``COUNTERS``; several times a level."""
    for batch in batches:
        sums = pa.table(batch).group_by("level").aggregate([([], "count_all"), *((name, "sum") for name in COUNTERS)])
        yield from sums.select(["level", "count_all", *(f"{name}_sum" for name in COUNTERS)]).to_batches()
