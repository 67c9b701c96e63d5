"""Keep ``signatures`` in step with ``conversations``: exactly one row for each, by the rule in force.

Where the lake is a folder, tasks go from file to file by Arrow: Java would take longer to hand the texts over than
signing them takes (0091).
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.duplicates import Dedup
from jobs.lake import FILE, Lake
from jobs.ledger import Run
from jobs.tables import SCHEMAS
from jobs.tasks import table_rows
from udfs.dedup import signatures
from udfs.dedup.signatures import Signing

_READ = ("conversation_id", "digest", "messages.role", "messages.content")
_SPARK_SEED = 42


def signing(options: Dedup) -> Signing:
    """How these settings make signatures."""
    return Signing(options.shingle, options.min_shingles, options.bands, options.rows, options.seed)


def bring_up(lake: Lake, job: Run, version: int, how: Signing) -> None:
    """Sign what has no signature at this version of ``conversations``: what was appended where the table only grew,
    what is new or has other messages where it changed, all of it under a new rule."""
    if job.has_written(tables.SIGNATURES):
        return
    last = lake.lineage(tables.SIGNATURES)
    if last is None or table_rows(lake, tables.SIGNATURES).first("rule") != how.rule:
        _sign(lake, job, version, -1, how)
        return
    since = last.inputs.get(tables.CONVERSATIONS, -1)
    if lake.is_grown(tables.CONVERSATIONS, since):
        if since < version:
            _sign(lake, job, version, since, how)
        return
    key, conversations = ["conversation_id", "digest"], lake.read(tables.CONVERSATIONS, version)
    known = lake.read(tables.SIGNATURES).join(conversations.select(key), key, "left_semi")
    known = known.select(*SCHEMAS[tables.SIGNATURES].names)
    missing = conversations.join(known.select(key), key, "left_anti")
    job.commit(tables.SIGNATURES, known.unionByName(sign(missing, how)), "overwrite")


def version_for(lake: Lake, conversations: int) -> int:
    """The version of ``signatures`` that belongs to this version of ``conversations``; -1 where there is none."""
    for commit in lake.commits(tables.SIGNATURES):
        if commit.lineage and commit.lineage.get("inputs", {}).get(tables.CONVERSATIONS, -1) <= conversations:
            return commit.version
    return -1


def _sign(lake: Lake, job: Run, version: int, since: int, how: Signing) -> None:
    """Sign what this version of ``conversations`` has more than version ``since``; all of it where that is -1."""
    mode = "overwrite" if since < 0 else "append"
    read = table_rows(lake, tables.CONVERSATIONS, version, since)
    if read.files is None or not lake.takes_files(tables.SIGNATURES):
        job.commit(tables.SIGNATURES, sign(read.frame(), how), mode)
        return
    file = lake.filing(tables.SIGNATURES)
    made = read.map(_READ, lambda batches: file(signatures.sign(map(_texts, batches), how)), FILE)
    job.commit_files(tables.SIGNATURES, made, mode)


def _texts(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of ``conversations`` as :func:`udfs.dedup.signatures.sign` takes it."""
    ids, messages = batch.column("conversation_id"), batch.column("messages")
    columns = {"conversation_id": ids, "row": pa.array(id_hashes(ids.to_pylist())), "digest": batch.column("digest")}
    for name, field in (("roles", "role"), ("contents", "content")):
        values = pc.struct_field(messages.values, field)
        columns[name] = pa.ListArray.from_arrays(messages.offsets, values, mask=messages.is_null())
    return pa.RecordBatch.from_pydict(columns)


def sign(conversations: DataFrame, how: Signing) -> DataFrame:
    """The signatures of these rows (``conversation_id``, ``digest``, ``messages``), one each; text crosses once."""
    texts = conversations.select(
        "conversation_id",
        id_hash("conversation_id").alias("row"),
        "digest",
        F.col("messages.role").alias("roles"),
        F.col("messages.content").alias("contents"),
    )
    return texts.mapInArrow(lambda batches: signatures.sign(batches, how), SCHEMAS[tables.SIGNATURES])


def id_hash(name: str) -> Column:
    """The 64-bit number that stands for a conversation id where ids are many."""
    return F.xxhash64(name)


def id_hashes(ids: Iterable[str]) -> np.ndarray:
    """The same numbers (int64) of ids that Spark does not see."""
    return np.array([xxhash.xxh64_intdigest(each, _SPARK_SEED) for each in ids], np.uint64).view(np.int64)
