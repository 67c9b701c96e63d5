"""Too many conversations of one prompt, or of one template? Of conversations that the driver can be told of.

The same as :mod:`caps_on_spark`, whose joins take some sixty small Spark jobs: the driver reads id, digest and key
of each conversation and looks them up by place (:mod:`udfs.dedup.openings`). Texts stay with the tasks.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import from_arrow_schema

from conf.duplicates import Dedup
from jobs import policy
from jobs.duplicates.prompts import Found, ascending, caps, near_same
from jobs.duplicates.signing import id_hashes
from jobs.duplicates.templates import templates, written
from jobs.lake import FILE
from jobs.tasks import Rows, make_folder, read_frame, rows_from_memory, rows_from_tasks
from udfs.dedup import openings
from udfs.dedup.capping import FOUND
from udfs.dedup.capping import cap as judge
from udfs.dedup.members import among
from udfs.dedup.openings import Conversations
from udfs.dedup.prompts import UNITED
from udfs.dedup.templates import GIVEN
from udfs.delta import datafiles
from udfs.places import one, places

_ORDER = pa.field("order", pa.list_(pa.float64()))
_ID = pa.field("conversation_id", pa.string())
_SIGNED = pa.schema([_ID, ("digest", pa.string()), ("prompt_key", pa.binary()), ("row", pa.int64())])
_MATCH = pa.schema([_ID, ("kept_id", pa.string()), ("level", pa.string())])
_TEXT = pa.schema([("row", pa.int64()), ("prompt", pa.string())])
_PROMPT = pa.schema([*_TEXT, ("key", pa.binary()), _ORDER, ("digest", pa.string()), _ID])
_READ = ("row", "prompt", "prompt_key", "digest", "conversation_id")
_EXAMPLES = ("example", "other")


def cap(facts: DataFrame, signatures: Rows, matches: Rows, options: Dedup, work: str) -> Found:
    """See :func:`jobs.duplicates.caps.cap`. Signatures are in files."""
    spark = signatures.spark
    everyone = _everyone(facts, signatures, matches, options)
    by_order = options.prompt.policy == "best"
    prompts = openings.distinct(everyone, by_order)
    first = everyone.told.take(pa.array(prompts.first))
    distinct = _filed(first if by_order else _unordered(first), signatures, f"{work}/prompts")
    united = read_frame(near_same(distinct, options, work), UNITED)
    slots = _slots(distinct, prompts.row[places(united["key"], prompts.keys)], options)
    least = None if options.prompt.policy == "off" else options.prompt.keep + 1
    units = openings.judged_together(everyone, prompts, openings.known(prompts, united, slots, least))
    members = pa.Table.from_batches(judge([units], *caps(options)), FOUND)
    removed = members.filter(members["is_removed"])
    gone = spark.sparkContext.broadcast(np.unique(id_hashes(removed["conversation_id"].to_pylist())))
    counts = {told["values"]: told["counts"] for told in removed["level"].value_counts().to_pylist()}
    families = _told(openings.families(members, everyone, prompts), distinct, f"{work}/families")
    return Found(rows_from_memory(spark, members, f"{work}/capped"), gone, counts, families)


def _everyone(facts: DataFrame, signatures: Rows, matches: Rows, options: Dedup) -> Conversations:
    """The conversations of these facts, with the rows that they were removed for."""
    asked, order = _asked(facts, "best" in (options.prompt.policy, options.template.policy))
    signed = signatures.read(_SIGNED)
    place = pc.index_in(signed["conversation_id"], value_set=asked)
    signed, place = signed.filter(place.is_valid()), place.drop_null()
    told = signed.rename_columns(["conversation_id", "digest", "key", "row"]).append_column(_ORDER, order.take(place))
    found = matches.read(_MATCH)
    dropped = found.filter(pc.is_in(found["level"], value_set=pa.array(policy.comparing(options), pa.string())))
    kept = dropped["kept_id"].take(pc.index_in(told["conversation_id"], value_set=dropped["conversation_id"]))
    batch = pa.RecordBatch.from_arrays([one(column) for column in told.columns], schema=told.schema)
    return Conversations(batch, one(kept))


def _asked(facts: DataFrame, is_ordered: bool) -> tuple[pa.ChunkedArray, pa.Array]:
    """The ids of these facts, and their orders (smaller is better), which are empty unless asked for."""
    if not is_ordered:
        names = read_frame(facts, pa.schema([_ID]))["conversation_id"]
        return names, _no_orders(len(names))
    found = read_frame(facts.select("conversation_id", ascending().alias("order")), pa.schema([_ID, _ORDER]))
    return found["conversation_id"], one(found["order"])


def _no_orders(count: int) -> pa.Array:
    return pa.ListArray.from_arrays(np.zeros(count + 1, np.int32), pa.array([], pa.float64()))


def _unordered(told: pa.RecordBatch) -> pa.RecordBatch:
    """The same without orders, which level template alone may have asked for."""
    return told.set_column(told.schema.get_field_index(_ORDER.name), _ORDER, _no_orders(len(told)))


def _filed(first: pa.RecordBatch, signatures: Rows, work: str) -> Rows:
    """The prompts of these conversations, one each, in files below ``work``, as :func:`prompts.near_same` takes
    them."""
    spark, folder = signatures.spark, make_folder(work)
    wanted = spark.sparkContext.broadcast(first.select(["row", "key", "order"]).sort_by("row"))
    file = lambda batches: datafiles.write_as_row(_chosen(batches, wanted.value), Path(folder), _PROMPT)  # noqa: E731
    return rows_from_tasks(spark, folder, signatures.map(_READ, file, FILE), from_arrow_schema(_PROMPT))


def _chosen(batches: Iterable[pa.RecordBatch], wanted: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Signatures -> the prompts of those wanted (``row``, ascending; ``key``; ``order``)."""
    for batch in among(batches, "row", wanted.column("row").to_numpy()):
        at = np.searchsorted(wanted.column("row").to_numpy(), batch.column("row").to_numpy())
        about = wanted.take(pa.array(at))
        # A row number may be another conversation's too, hardly ever.
        is_meant = pc.equal(batch.column("prompt_key"), about.column("key"))
        found = batch.drop_columns(["prompt_key"]).append_column("key", about.column("key"))
        yield found.append_column(_ORDER, about.column("order")).filter(is_meant)


def _slots(distinct: Rows, others: np.ndarray, options: Dedup) -> pa.Table:
    """The templates of these prompts but for those of the ``others`` (row numbers)."""
    if options.template.policy == "off":
        return GIVEN.empty_table()
    left_out = distinct.spark.sparkContext.broadcast(np.sort(others))
    return read_frame(templates(distinct, left_out, options.template), GIVEN)


def _told(found: pa.Table, distinct: Rows, work: str) -> DataFrame:
    """Families as rows of the table, with texts where they have row numbers of prompts."""
    rows = np.unique(np.concatenate([found[name].to_numpy() for name in _EXAMPLES]))
    wanted = distinct.spark.sparkContext.broadcast(rows)
    texts = distinct.map(_TEXT.names, lambda batches: among(batches, "row", wanted.value), from_arrow_schema(_TEXT))
    told = read_frame(texts, _TEXT)
    for at, name in enumerate(found.schema.names):
        if name in _EXAMPLES:
            found = found.set_column(at, name, told["prompt"].take(pc.index_in(found[name], value_set=told["row"])))
    return written(rows_from_memory(distinct.spark, found, work).frame())
