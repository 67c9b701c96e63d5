"""``conversations`` -> ``signatures``, ``duplicates``, ``clusters``: every removal verified against its kept row.

spark-submit ... jobs/dedup.py --config conf/lmsys.yaml --lake lake
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf import recipe, tables
from conf.settings import Settings
from jobs import against, copies, increment, matching, outcome, signing
from jobs.lake import Lake, Lineage
from jobs.ledger import Run, is_done, lineage
from jobs.progress import Progress


def run(lake: Lake, settings: Settings, progress: Progress) -> bool:
    """Bring the tables up to the newest ``conversations``. Returns whether anything was committed.

    Where conversations were only added, and nothing else changed, the new ones are compared with what ``signatures``
    holds of the others; the result is the same as that of comparing all with all.
    """
    foreign = against.resolve(lake, settings.dedup.against)
    stamp = _stamp(lake, settings, foreign[1].digest if foreign else "")
    if is_done(lake, tables.CLUSTERS, stamp):
        return False
    last = lake.lineage(tables.CLUSTERS)
    with Run(lake, settings, stamp) as job:
        version = stamp.inputs[tables.CONVERSATIONS]
        with progress.stage("sign"):
            signing.bring_up(lake, job, version, signing.signing(settings.dedup))
        is_growing = not foreign and increment.can_grow(lake, job, last)
        with progress.stage("compare new with all" if is_growing else "compare all"):
            if is_growing and last is not None:
                found, members = increment.find(lake, last.inputs[tables.CONVERSATIONS], settings)
            else:
                extra = against.signatures(lake, foreign, settings) if foreign else None
                inputs = lake.read(tables.CONVERSATIONS, version), lake.read(tables.SIGNATURES)
                found, members = find(*inputs, settings, f"{lake.path}/.work", extra)
            found = found.localCheckpoint()
        job.counts = outcome.counts(found)
        with progress.stage("write"):
            _write(lake, job, found, members, settings, is_growing)
    return True


def find(
    conversations: DataFrame, signatures: DataFrame, settings: Settings, work: str, extra: DataFrame | None = None
) -> tuple[DataFrame, DataFrame]:
    """What became of every conversation that is a copy or shares a key with another (:func:`jobs.outcome.merged`), and
    the members of all components.

    Only conversations that nothing else drops take part, so that a row kept for another is kept in the end. ``extra``
    are signatures of another dataset: its rows are never removed and stand in the result as ``kept_id`` alone.
    ``work`` is a folder for what is needed meanwhile.
    """
    options = settings.dedup
    facts = copies.facts(conversations, settings)
    if extra is not None:
        extra = extra.persist()
        facts = facts.unionByName(against.facts(extra, options))
        signatures = signatures.unionByName(extra)
    groups = copies.grouped(facts, signatures, options).persist()
    members = matching.members(signatures, options, work).persist()
    chosen = groups.where(F.col("exact_id") == F.col("conversation_id")).join(members, "row")
    found = outcome.merged(groups.where("copies > 1"), matching.judged(signatures, chosen, options))
    if extra is not None:
        found = found.join(extra.select("conversation_id"), "conversation_id", "left_anti")
    return found, members


def _stamp(lake: Lake, settings: Settings, subject: str) -> Lineage:
    inputs = {tables.CONVERSATIONS: lake.version(tables.CONVERSATIONS)}
    return lineage("dedup", settings, recipe.sections(settings, "rules", "dedup"), inputs, subject)


def _write(lake: Lake, job: Run, found: DataFrame, members: DataFrame, settings: Settings, is_growing: bool) -> None:
    options = settings.dedup
    removed, tied = outcome.duplicates(found, signing.signing(options), options), outcome.clusters(found)
    if is_growing:
        removed = _renewed(lake.read(tables.DUPLICATES), removed, found)
        tied = _renewed(lake.read(tables.CLUSTERS), tied, found)
    job.commit(tables.DUPLICATES, removed, "overwrite")
    job.commit(tables.COMPONENTS, members.select("row", "component"), "overwrite")
    job.commit(tables.CLUSTERS, tied, "overwrite")


def _renewed(before: DataFrame, now: DataFrame, found: DataFrame) -> DataFrame:
    """The rows of conversations that were looked at as they are now, the others as they were."""
    return before.join(found.select("conversation_id"), "conversation_id", "left_anti").unionByName(now)


if __name__ == "__main__":
    import sys

    from jobs.cli import main

    raise SystemExit(main(["dedup", *sys.argv[1:]]))
