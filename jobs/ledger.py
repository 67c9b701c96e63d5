"""Who did what: the lineage a job stamps on its commits, and its line in the ``runs`` table."""

import hashlib
import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame

from conf import VERSION, recipe, tables
from conf.settings import Settings
from jobs.lake import Lake, Lineage
from jobs.tables import SCHEMAS, frame
from jobs.tasks import Made


def lineage(job: str, settings: Settings, section: Any, inputs: Mapping[str, int], subject: str = "") -> Lineage:
    """The lineage of ``job`` on table versions ``inputs`` under ``section`` of the settings. ``subject`` is whatever
    else decides the result (for ingest: the files). Same arguments, same ``run_id``."""
    digest = recipe.digest(section)
    facts = json.dumps([job, digest, VERSION, dict(inputs), subject], sort_keys=True)
    run_id = hashlib.sha256(facts.encode()).hexdigest()[:16]
    return Lineage(run_id, job, settings.name, digest, VERSION, dict(inputs))


@dataclass
class Run(AbstractContextManager):
    """One run of one job. On leaving without an error its line stands in ``runs``, once per ``run_id``."""

    lake: Lake
    settings: Settings
    lineage: Lineage
    outputs: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    bytes: int = 0

    def __enter__(self) -> "Run":
        self._started, self._clock = datetime.now(UTC), time.monotonic()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is None:
            self._record(time.monotonic() - self._clock)

    def commit(self, table: str, rows: DataFrame | Made, mode: str, digest: str = "") -> None:
        """Write one table of this run, unless this very run, killed later, has written it already."""
        if isinstance(rows, Made):
            if self.lake.takes_files(table):
                self.commit_files(table, rows.filed(self.lake.filing(table)), mode)
                return
            rows = rows.frame()
        if not self.has_written(table):
            self.write(table, rows, mode, digest)
        self.outputs[table] = self.lake.version(table)

    def commit_all(self, rows: Mapping[str, DataFrame | Made], mode: str) -> None:
        """:meth:`commit` several tables, all at a time: what one waits for (a log, a store), others compute in."""
        with ThreadPoolExecutor(len(rows)) as pool:
            for done in [pool.submit(self.commit, table, each, mode) for table, each in rows.items()]:
                done.result()

    def commit_files(self, table: str, made: DataFrame, mode: str) -> None:
        """:meth:`commit` a table whose rows tasks write to files themselves (:meth:`jobs.lake.Lake.write_files`)."""
        if not self.has_written(table):
            self.lake.write_files(table, made, replace(self.lineage, counts=dict(self.counts)), mode)
        self.outputs[table] = self.lake.version(table)

    def write(self, table: str, rows: DataFrame, mode: str, digest: str = "") -> None:
        """Write one table of this run, whatever an earlier try of it wrote."""
        stamp = replace(self.lineage, counts=dict(self.counts), digest=digest)
        self.outputs[table] = self.lake.write(table, rows, stamp, mode)

    def has_written(self, table: str) -> bool:
        """Is the table's newest commit this run's (a run that was killed later, or one that finished)?"""
        return is_current(self.lake, table, self.lineage)

    def _record(self, seconds: float) -> None:
        facts = self.lineage
        if not _is_recorded(self.lake, facts):
            measured = (self.outputs, self.counts, self._started, seconds, self.bytes)
            _append(self.lake, facts, self.settings.model_dump_json(exclude={"spark"}), measured)


def is_current(lake: Lake, table: str, wanted: Lineage) -> bool:
    """Does the table's newest commit come from a run with this ``run_id``?"""
    found = lake.lineage(table)
    return found is not None and found.run_id == wanted.run_id


def is_done(lake: Lake, table: str, wanted: Lineage) -> bool:
    """Has this very run finished, ``table`` being what it writes last? A run killed before its line in ``runs`` gets
    the line now, without what only it could measure."""
    if not is_current(lake, table, wanted):
        return False
    complete(lake, table)
    return True


def has_only_grown(lake: Lake, table: str, source: str, wanted: Lineage, digest: str = "") -> bool:
    """Was ``table`` last written under the settings and code of ``wanted``, with this digest, and has its ``source``
    only been added to since? Then what is new in the source is all there is to do."""
    last = lake.lineage(table)
    if last is None:
        return False
    is_same = (last.config_digest, last.code_version, last.digest) == (
        wanted.config_digest,
        wanted.code_version,
        digest,
    )
    return is_same and lake.is_grown(source, last.inputs.get(source, -1))


def complete(lake: Lake, table: str) -> None:
    """Give the run that last wrote ``table`` its line in ``runs`` if it was killed before writing it."""
    found = lake.lineage(table)
    if found is not None and not _is_recorded(lake, found):
        _append(lake, found, None, ({table: lake.version(table)}, dict(found.counts), None, None, None))


def _is_recorded(lake: Lake, facts: Lineage) -> bool:
    return any(commit.lineage.get("run_id") == facts.run_id for commit in lake.commits(tables.RUNS) if commit.lineage)


def _append(lake: Lake, facts: Lineage, config: str | None, measured: tuple[Any, ...]) -> None:
    told = (facts.run_id, facts.job, facts.recipe, config, facts.config_digest, facts.code_version, dict(facts.inputs))
    rows = frame(lake.spark, [(*told, *measured)], SCHEMAS[tables.RUNS])
    lake.write(tables.RUNS, rows.coalesce(1), facts)
