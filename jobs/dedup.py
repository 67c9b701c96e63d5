"""``conversations`` -> ``signatures``, ``duplicates``, ``clusters``: every removal verified against its kept row.

spark-submit ... jobs/dedup.py --config conf/lmsys.yaml --lake lake
"""

from pyspark.sql import DataFrame

from conf import recipe, tables
from conf.duplicates import Dedup
from conf.settings import Settings
from jobs import decontaminate, personas, stores
from jobs.duplicates import against, caps, increment, matching, outcome, signing, survivors
from jobs.lake import Lake, Lineage
from jobs.ledger import Run, is_done, lineage
from jobs.progress import Progress
from jobs.tables import SCHEMAS, frame
from jobs.tasks import Made, Rows, table_rows
from jobs.upsert import Named, upserted
from udfs.delta.versions import Version


def run(lake: Lake, settings: Settings, progress: Progress) -> bool:
    """Bring the tables up to the newest ``conversations``. Returns whether anything was committed.

    Where conversations were only added, and nothing else changed, the new ones are compared with what ``signatures``
    holds of the others; the result is the same as that of comparing all with all.
    """
    foreign = against.resolve(lake, settings.dedup.against)
    stamp = _stamp(lake, settings, foreign)
    if increment.is_whole(lake, stamp) and is_done(lake, tables.CLUSTERS, stamp):
        return False
    last, options, work = lake.lineage(tables.CLUSTERS), settings.dedup, f"{lake.path}/.work/{stamp.run_id}"
    with Run(lake, settings, stamp) as job:
        with progress.stage("sign"):
            signing.bring_up(lake, job, stamp.inputs[tables.CONVERSATIONS], signing.signing(options))
        facts = _facts(lake, settings)
        is_growing = not foreign and increment.can_grow(lake, job, last)
        seen: Named | None = None
        with progress.stage("compare new with all" if is_growing else "compare all"):
            if is_growing and last is not None:
                found, members, seen = increment.find(lake, facts, last.inputs[tables.CONVERSATIONS], options, work)
            else:
                extra = against.signatures(lake, foreign, settings) if foreign else None
                found, members = find(facts, table_rows(lake, tables.SIGNATURES), options, work, extra)
        job.counts = outcome.counts(found)
        with progress.stage("write"):
            _write_compared(lake, job, found, members, options, seen)
        if caps.is_on(options):
            with progress.stage("cap prompts and templates"):
                _write_capped(lake, job, facts, options, f"{work}-prompts")
        personas.write(lake, job, facts, options, progress)
        with progress.stage("clusters"):
            _write_clusters(lake, job, found, seen)
        lake.spark.catalog.clearCache()  # what the stages above shared; nothing of it is read again
        stores.clear(lake.spark, f"{lake.path}/.work")  # what runs left that were killed goes as well
    return True


def find(
    facts: DataFrame, signatures: Rows, options: Dedup, work: str, extra: DataFrame | None = None
) -> tuple[Rows, Rows]:
    """What became of every conversation that shares a key with another (:func:`candidates.thin`), and the members
    of all components.

    Only the conversations in ``facts`` take part. ``extra`` are signatures of another dataset: its rows are never
    removed and stand in the result as ``kept_id`` and the like alone. ``work`` is a folder for what is needed
    meanwhile.
    """
    if extra is not None:
        extra = extra.persist()
        facts = facts.unionByName(against.facts(extra, options))
        together = signatures.frame().unionByName(extra)
        signatures = Rows(signatures.spark, lambda: together)
    members = matching.members(signatures, options, work)
    return matching.judged(signatures, facts, members, options, work), members


def section(settings: Settings) -> Settings:
    """The settings that duplicates depend on."""
    return recipe.sections(settings, "rules", "decontaminate", "dedup")


def is_against(lake: Lake, settings: Settings, found: Lineage) -> bool:
    """Did that run compare with the dataset that ``dedup.against`` means now, if it names one?"""
    name = settings.dedup.against
    return not name or found.run_id == _stamp(lake, settings, against.resolve(lake, name)).run_id


def _stamp(lake: Lake, settings: Settings, foreign: tuple[str, Version] | None) -> Lineage:
    subject = foreign[1].digest if foreign else ""
    used = [tables.CONVERSATIONS, *([tables.CONTAMINATION] if decontaminate.drops(settings) else [])]
    return lineage("dedup", settings, section(settings), {table: lake.version(table) for table in used}, subject)


def _facts(lake: Lake, settings: Settings) -> DataFrame:
    """The conversations that nothing else drops, so that a row kept for another is kept in the end."""
    found = survivors.facts(lake.read(tables.CONVERSATIONS), settings)
    if decontaminate.drops(settings):
        found = found.join(decontaminate.contaminated(lake, settings), "conversation_id", "left_anti")
    return found


def _write_compared(lake: Lake, job: Run, found: Rows, members: Rows, options: Dedup, seen: Named | None) -> None:
    matches = _with_others(lake, tables.MATCHES, outcome.duplicates(found, signing.signing(options), options), seen)
    compared: dict[str, DataFrame | Made] = {tables.MATCHES: matches, tables.COMPONENTS: outcome.components(members)}
    if not caps.is_on(options):
        compared |= {tables.DUPLICATES: matches, tables.FAMILIES: frame(lake.spark, [], SCHEMAS[tables.FAMILIES])}
    job.commit_all(compared, "overwrite")


def _write_capped(lake: Lake, job: Run, facts: DataFrame, options: Dedup, work: str) -> None:
    matches = table_rows(lake, tables.MATCHES)
    capped = caps.cap(facts, table_rows(lake, tables.SIGNATURES), matches, options, work)
    job.counts |= capped.counts
    job.commit_all({tables.DUPLICATES: capped.duplicates, tables.FAMILIES: capped.families}, "overwrite")


def _write_clusters(lake: Lake, job: Run, found: Rows, seen: Named | None) -> None:
    job.commit(tables.CLUSTERS, _with_others(lake, tables.CLUSTERS, outcome.clusters(found), seen), "overwrite")


def _with_others(lake: Lake, table: str, now: Made, seen: Named | None) -> Made:
    """The table's rows of conversations that were not looked at as they were; None: all were."""
    return now if seen is None else upserted(table_rows(lake, table), now, seen)


if __name__ == "__main__":
    import sys

    from jobs.cli import main

    raise SystemExit(main(["dedup", *sys.argv[1:]]))
