"""``conversations`` -> ``signatures``, ``duplicates``, ``clusters``: every removal verified against its kept row.

spark-submit ... jobs/dedup.py --config conf/lmsys.yaml --lake lake
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from conf import recipe, tables
from conf.settings import Dedup, Settings
from jobs import policy
from jobs.connected import components
from jobs.lake import Lake
from jobs.ledger import Run, is_done, lineage
from jobs.progress import Progress
from jobs.tables import SCHEMAS, only_row
from udfs import near
from udfs.near import EXACT, NEAR, Signing, Thinning

_SIGNATURE = "level string, conversation_id string, digest string, shingles int, bands array<bigint>, rule string"
_PACKED = "part int, keys binary, rows binary"
_EDGES = "a bigint, b bigint"
_MEMBERS = "row bigint, component bigint, part int"
_THINNED = (
    "conversation_id string, kept_id string, similarity double, bands_shared int, cluster_id string, "
    "compared bigint, rejected bigint, hot_buckets bigint"
)


def run(lake: Lake, settings: Settings, progress: Progress) -> bool:
    """Bring the three tables up to the newest ``conversations``. Returns whether anything was committed."""
    inputs = {tables.CONVERSATIONS: lake.version(tables.CONVERSATIONS)}
    stamp = lineage("dedup", settings, recipe.sections(settings, "rules", "dedup"), inputs)
    if is_done(lake, tables.CLUSTERS, stamp):
        return False
    with Run(lake, settings, stamp) as job:
        conversations = lake.read(tables.CONVERSATIONS, inputs[tables.CONVERSATIONS])
        signing = _signing(settings.dedup)
        with progress.stage("sign"):
            _sign(lake, job, conversations, signing)
        with progress.stage("find"):
            found = find(conversations, lake.read(tables.SIGNATURES), settings).localCheckpoint()
        job.counts = _counts(found)
        with progress.stage("write"):
            job.commit(tables.DUPLICATES, _duplicates(found, signing, settings.dedup), "overwrite")
            job.commit(tables.CLUSTERS, _clusters(found), "overwrite")
    return True


def _signing(options: Dedup) -> Signing:
    return Signing(options.shingle, options.min_shingles, options.bands, options.rows, options.seed)


def _sign(lake: Lake, job: Run, conversations: DataFrame, signing: Signing) -> None:
    """Add the signatures that are missing; all of them when the rule changed or a conversation did."""
    if job.has_written(tables.SIGNATURES):
        return
    signed = lake.read(tables.SIGNATURES)
    known = signed.where(F.col("rule") == signing.rule) if lake.has(tables.SIGNATURES) else signed
    last = lake.lineage(tables.SIGNATURES)
    is_growing = last is not None and lake.is_grown(tables.CONVERSATIONS, last.inputs.get(tables.CONVERSATIONS, -1))
    missing = conversations.join(known, "conversation_id", "left_anti") if is_growing else conversations
    job.commit(tables.SIGNATURES, sign(missing, signing), "append" if is_growing else "overwrite")


def sign(conversations: DataFrame, signing: Signing) -> DataFrame:
    """The signatures of these conversations, a row a level."""
    texts = conversations.select(
        "conversation_id", F.col("messages.role").alias("roles"), F.col("messages.content").alias("contents")
    )
    return texts.mapInArrow(lambda batches: near.sign(batches, signing), _SIGNATURE)


def find(conversations: DataFrame, signatures: DataFrame, settings: Settings) -> DataFrame:
    """What became of every conversation that is a copy or has a near copy; the others have no row.

    Only conversations that nothing else drops take part, so that a row kept for another is kept in the end. Columns:
    ``conversation_id, level, kept_id, similarity, bands_shared, cluster_id`` and the counters of the verification.
    """
    options, signing = settings.dedup, _signing(settings.dedup)
    eligible = conversations.where(F.size(policy.drop_reasons(settings.rules)) == 0)
    ranked = eligible.select("conversation_id", "digest", order(options.survivor).alias("order"))
    exact = exact_copies(ranked, signatures.where(F.col("level") == EXACT), options).persist()
    distinct = exact.where(F.col("exact_id") == F.col("conversation_id"))
    wanted = (F.col("level") == NEAR) & (F.col("rule") == signing.rule)
    signed = signatures.where(wanted).join(distinct.select("conversation_id"), "conversation_id", "left_semi")
    if options.near == "off":
        return _merged(exact, conversations.sparkSession.createDataFrame([], _THINNED))
    return _merged(exact, near_copies(signed, eligible, distinct, options, signing))


def order(names: Sequence[str]) -> Column:
    """The survivor's order as an array of numbers, larger is better; the id breaks ties, smaller first."""
    numbers = {
        "answered": (~F.array_contains("reasons", "unanswered")).cast("double"),
        "not_redacted": (~F.coalesce("redacted", F.lit(False))).cast("double"),
        "turns": F.col("turns").cast("double"),
        "characters": F.col("characters").cast("double"),
    }
    return F.array(*(numbers[name] for name in names)).cast("array<double>")


def exact_copies(ranked: DataFrame, signatures: DataFrame, options: Dedup) -> DataFrame:
    """Every ranked conversation with ``exact_id``: the best conversation of equal normalised messages, maybe itself."""
    keyed = ranked.join(signatures.select("conversation_id", F.col("digest").alias("normal")), "conversation_id")
    if options.exact == "off":
        return keyed.withColumn("exact_id", F.col("conversation_id"))
    best = Window.partitionBy("normal").orderBy(F.desc("order"), "conversation_id")
    return keyed.withColumn("exact_id", F.first("conversation_id").over(best))


def near_copies(
    signed: DataFrame, eligible: DataFrame, distinct: DataFrame, options: Dedup, signing: Signing
) -> DataFrame:
    """Verified near copies among the conversations with band keys ``signed``: one row a member of a component."""
    spark = signed.sparkSession
    parts = int(spark.conf.get("spark.sql.shuffle.partitions") or 200)
    keyed = signed.select(F.xxhash64("conversation_id").alias("row"), "bands")
    packed = keyed.mapInArrow(lambda batches: near.pack(batches, 4 * parts), _PACKED)
    edges = packed.repartition(parts, "part").mapInArrow(near.edges, _EDGES)
    members = spark.createDataFrame(components(edges, options.max_edges, parts), _MEMBERS)
    texts = eligible.select(
        F.xxhash64("conversation_id").alias("row"), "conversation_id", F.col("messages.content").alias("contents")
    )
    candidates = texts.join(F.broadcast(members), "row").join(
        distinct.select("conversation_id", "digest", "order"), "conversation_id"
    )
    thinning = Thinning(options.threshold, options.related, options.bucket_limit)
    grouped = candidates.repartition(parts, "part")
    return grouped.mapInArrow(lambda batches: near.thin(batches, signing, thinning), _THINNED)


def _merged(exact: DataFrame, thinned: DataFrame) -> DataFrame:
    """One row a removed or clustered conversation. An exact copy of a row that near removed goes to that row's kept
    row: the shingles are the same, so is the similarity."""
    of_kept = thinned.select(
        F.col("conversation_id").alias("exact_id"),
        F.col("kept_id").alias("near_id"),
        *("similarity", "bands_shared", "cluster_id", "compared", "rejected", "hot_buckets"),
    )
    copies = exact.groupBy("exact_id").agg(F.count(F.lit(1)).alias("copies"), F.min("digest").alias("least"))
    joined = exact.join(of_kept, "exact_id", "left").join(copies, "exact_id")
    is_copy = F.col("exact_id") != F.col("conversation_id")
    kept = F.coalesce("near_id", F.when(is_copy, F.col("exact_id")))
    level = F.when(F.col("near_id").isNotNull(), NEAR).when(is_copy, EXACT)
    own = F.when(F.col("copies") > 1, F.substring("least", 1, 32))
    counters = [F.when(is_copy, 0).otherwise(F.coalesce(n, F.lit(0))).alias(n) for n in _COUNTERS]
    found = joined.select(
        "conversation_id",
        level.alias("level"),
        kept.alias("kept_id"),
        F.when(level == EXACT, 1.0).otherwise(F.col("similarity")).alias("similarity"),
        F.when(level == NEAR, F.col("bands_shared")).alias("bands_shared"),
        F.coalesce("cluster_id", own).alias("cluster_id"),
        *counters,
    )
    return found.where(F.col("kept_id").isNotNull() | F.col("cluster_id").isNotNull() | (F.col("compared") > 0))


_COUNTERS = ("compared", "rejected", "hot_buckets")


def _duplicates(found: DataFrame, signing: Signing, options: Dedup) -> DataFrame:
    rule = F.when(F.col("level") == NEAR, F.lit(f"{signing.rule}t{options.threshold}")).otherwise(F.lit("normalised"))
    removed = found.where(F.col("kept_id").isNotNull()).withColumn("rule", rule)
    return removed.select(*SCHEMAS[tables.DUPLICATES].names)


def _clusters(found: DataFrame) -> DataFrame:
    return found.where(F.col("cluster_id").isNotNull()).select("conversation_id", "cluster_id")


def _counts(found: DataFrame) -> dict[str, int]:
    levels = {row["level"]: row["count"] for row in found.groupBy("level").count().collect()}
    totals = only_row(found.agg(*(F.coalesce(F.sum(name), F.lit(0)) for name in _COUNTERS)))
    counts = dict(zip(_COUNTERS, map(int, totals), strict=True))
    return {**counts, EXACT: levels.get(EXACT, 0), NEAR: levels.get(NEAR, 0)}


if __name__ == "__main__":
    import sys

    from jobs.cli import main

    raise SystemExit(main(["dedup", *sys.argv[1:]]))
