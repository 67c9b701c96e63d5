"""``conversations`` and ``duplicates`` -> ``verdicts`` -> ``dataset``: a new version, or none when nothing changed.

spark-submit ... jobs/publish.py --config conf/lmsys.yaml --lake lake
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf import recipe, tables
from conf.settings import Gates, Settings
from jobs import annotate, decontaminate, dedup, ingest, policy, shaping
from jobs.accounts import account
from jobs.digests import dataset_digest
from jobs.duplicates import increment
from jobs.errors import GateFailed, UsageError
from jobs.lake import Lake
from jobs.ledger import Run, is_current, is_done, lineage
from jobs.progress import Progress
from jobs.tables import SCHEMAS

_INPUTS = (
    tables.FILES,
    tables.CONVERSATIONS_RAW,
    tables.CONVERSATIONS,
    tables.CONTAMINATION,
    tables.DUPLICATES,
    tables.CLUSTERS,
)
_SECTIONS = ("rules", "decontaminate", "dedup", "publish")


def run(lake: Lake, settings: Settings, progress: Progress) -> bool:
    """Decide on every conversation and publish the kept ones. Returns whether a new dataset version was committed.

    Raises :class:`LakeDamaged` when a record is in no table or a turn in no row, :class:`GateFailed` when a gate does
    not hold; the dataset is then left as it was.
    """
    wanted = shaping.prepare(settings.publish)
    # Before the checks: what an ingest beside this run commits after them is not this version's.
    inputs = {table: lake.version(table) for table in _INPUTS}
    refused = lake.version(tables.QUARANTINE)
    _require_fresh(lake, settings)
    contaminated = decontaminate.contaminated(lake, settings)
    subject = wanted.subject if wanted else ""
    stamp = lineage("publish", settings, recipe.sections(settings, *_SECTIONS), inputs, subject)
    if is_done(lake, tables.DATASET, stamp) and is_current(lake, tables.VERDICTS, stamp):
        return False
    with Run(lake, settings, stamp) as job:
        conversations = lake.read(tables.CONVERSATIONS, inputs[tables.CONVERSATIONS])
        duplicates = lake.read(tables.DUPLICATES, inputs[tables.DUPLICATES])
        with progress.stage("decide"):
            verdicts = decide(conversations, duplicates, settings, contaminated)
            job.commit(tables.VERDICTS, verdicts, "overwrite")
        verdicts = lake.read(tables.VERDICTS, job.outputs[tables.VERDICTS])
        job.counts = account(lake, verdicts, {**inputs, tables.QUARANTINE: refused})
        gates = settings.publish.gates
        _require_gates(job.counts, gates)
        clusters = lake.read(tables.CLUSTERS, inputs[tables.CLUSTERS])
        rows = dataset(conversations, verdicts, duplicates, clusters, settings)
        if wanted:
            with progress.stage("shape"):
                rows, kept = shaping.shape(rows, conversations, wanted), rows
                job.counts |= shaping.account(kept, rows)
        _require_rows(job.counts.get("rows", job.counts["kept"]), gates)
        content = dataset_digest(rows)
        last = lake.lineage(tables.DATASET)
        if last is not None and last.digest == content and _has_same_facts(rows, lake.read(tables.DATASET)):
            job.outputs[tables.DATASET] = lake.version(tables.DATASET)
            return False
        with progress.stage("publish"):
            job.commit(tables.DATASET, rows, "overwrite", content)
    return True


def _require_fresh(lake: Lake, settings: Settings) -> None:
    """Raise :class:`UsageError` unless duplicates were found in the newest conversations, all under these settings, and
    no ingest is writing more."""
    found = lake.lineage(tables.CLUSTERS)
    if found is None:
        raise UsageError(f"{lake.path} has no duplicates that dedup left: run `winnow dedup` before `winnow publish`")
    ingest.require_finished(lake)
    annotate.require_labelled(lake, settings)
    is_newest = all(found.inputs[table] == lake.version(table) for table in found.inputs)
    wrong = {
        "other rules or dedup settings": found.config_digest != recipe.digest(dedup.section(settings)),
        "older conversations or findings": not is_newest,
        "another dataset than dedup.against means now": not dedup.is_against(lake, settings, found),
        "a run that was stopped, or were changed by hand": not increment.is_whole(lake, found),
    }
    for what in (what for what, is_wrong in wrong.items() if is_wrong):
        raise UsageError(f"duplicates come from {what}: run `winnow dedup` with this config before `winnow publish`")


def decide(
    conversations: DataFrame, duplicates: DataFrame, settings: Settings, contaminated: DataFrame | None = None
) -> DataFrame:
    """One verdict a conversation: its reasons in the order of the journey, and the row kept for it, if a copy.

    ``contaminated`` has the ``conversation_id`` of those that contain a benchmark's question.
    """
    dropping = policy.dropping(settings.dedup)
    copies = duplicates.where(F.col("level").isin(*dropping)).select("conversation_id", "kept_id", "level")
    named = F.concat("level", F.lit(policy.DUPLICATE))
    joined = conversations.withColumn("dropped", policy.drop_reasons(settings.rules))
    joined = joined.join(copies, "conversation_id", "left")
    benchmark = F.lit(None).cast("string")
    if contaminated is not None:
        joined = joined.join(contaminated.withColumn("known", F.lit(policy.BENCHMARK)), "conversation_id", "left")
        benchmark = F.col("known")
    reasons = F.concat("dropped", F.array_compact(F.array(benchmark, named)))
    return joined.select(
        *("conversation_id", "source"), (F.size(reasons) == 0).alias("keep"), reasons.alias("reasons"), "kept_id"
    )


def _require_gates(counts: dict[str, int], gates: Gates) -> None:
    seen = max(counts["records"], 1)
    share, kept = counts["unreadable"] / seen, counts["kept"] / max(counts["conversations"], 1)
    if share > gates.max_quarantined:
        limit = f"publish.gates.max_quarantined = {gates.max_quarantined:.1%}"
        raise GateFailed(f"{share:.1%} of records could not be read, {limit}: see `winnow show --quarantine`")
    if kept < gates.min_kept:
        raise GateFailed(f"{kept:.1%} of conversations kept, below publish.gates.min_kept = {gates.min_kept:.1%}")


def _require_rows(rows: int, gates: Gates) -> None:
    """Asked of the rows to be published: of conversations that are cut or joined there are others than were kept."""
    if rows < gates.min_rows:
        raise GateFailed(f"{rows:,} rows to publish, below publish.gates.min_rows = {gates.min_rows:,}")


def dataset(
    conversations: DataFrame, verdicts: DataFrame, duplicates: DataFrame, clusters: DataFrame, settings: Settings
) -> DataFrame:
    """The kept conversations. ``split`` follows from the cluster, so near copies are never on both sides; ``copies``
    counts the conversations a row stands for, itself included (not those of other content that a cap removed, nor those
    that are only tagged)."""
    equals = duplicates.where(F.col("level").isin(*policy.comparing(settings.dedup)))
    copies = equals.groupBy(F.col("kept_id").alias("conversation_id")).agg(F.count(F.lit(1)).alias("others"))
    kept = conversations.join(verdicts.where("keep").select("conversation_id"), "conversation_id", "left_semi")
    joined = kept.join(clusters, "conversation_id", "left").join(copies, "conversation_id", "left")
    key = F.coalesce("cluster_id", F.substring("digest", 1, 32))
    rows = joined.withColumn("split", F.when(share_of(key) < settings.publish.eval_share, "eval").otherwise("train"))
    rows = rows.withColumn("copies", F.coalesce("others", F.lit(0)) + 1)
    message = lambda m: F.struct(m["role"].alias("role"), m["content"].alias("content"))  # noqa: E731
    rows = rows.withColumn("messages", F.transform("messages", message))
    rows = rows.withColumn("made_of", shaping.whole("conversation_id"))
    return rows.select(*SCHEMAS[tables.DATASET].names)


def _has_same_facts(rows: DataFrame, published: DataFrame) -> bool:
    """Is what the digest does not cover as it was published, of the same rows?"""
    facts = ("conversation_id", "model", "language", "copies")
    return rows.select(*facts).exceptAll(published.select(*facts)).isEmpty()


def share_of(key: Column) -> Column:
    """A number in [0, 1) that follows from the key alone: the first 32 bits of its SHA-256."""
    return F.conv(F.substring(F.sha2(key, 256), 1, 8), 16, 10).cast("double") / float(2**32)


if __name__ == "__main__":
    import sys

    from jobs.cli import main

    raise SystemExit(main(["publish", *sys.argv[1:]]))
