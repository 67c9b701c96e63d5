"""What became of the conversations that were compared, as rows of the tables and as counts."""

from conf import tables
from conf.duplicates import Dedup
from jobs.tables import SCHEMAS
from jobs.tasks import Made, Rows, unchanged
from udfs.dedup import removals
from udfs.dedup.candidates import COUNTERS, LEVELS, NAMES
from udfs.dedup.signatures import Signing
from udfs.dedup.verifying import CONTAINED, NEAR

_TALLY = "level string, rows bigint, compared bigint, rejected bigint, hot_buckets bigint"


def duplicates(found: Rows, signing: Signing, options: Dedup) -> Made:
    """The removed ones as rows of ``duplicates``."""
    rules = {
        NAMES[NEAR]: f"{signing.rule}j{options.threshold}",
        NAMES[CONTAINED]: f"{signing.rule}c{options.containment}",
    }
    name = lambda batches: removals.duplicates(batches, rules)  # noqa: E731
    return Made(found, removals.DUPLICATES, name, SCHEMAS[tables.DUPLICATES])


def clusters(found: Rows) -> Made:
    """Those with near copies as rows of ``clusters``."""
    return Made(found, removals.CLUSTERS, removals.clusters, SCHEMAS[tables.CLUSTERS])


def components(members: Rows) -> Made:
    """The members of components as rows of ``components``."""
    return unchanged(members, SCHEMAS[tables.COMPONENTS])


def counts(found: Rows) -> dict[str, int]:
    """Removed rows by level, and the counters of the verification."""
    told = found.map(("level", *COUNTERS), removals.tally, _TALLY).collect()
    return {
        **{level: sum(row["rows"] for row in told if row["level"] == level) for level in LEVELS},
        **{name: sum(row[name] for row in told) for name in COUNTERS},
    }
