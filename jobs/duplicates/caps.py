"""After the comparisons: at most so many conversations of a prompt and of a template stay. What is removed in all?"""

from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema

from conf import tables
from conf.duplicates import Dedup
from jobs.duplicates import caps_on_driver, caps_on_spark
from jobs.tables import SCHEMAS
from jobs.tasks import Made, Rows
from jobs.upsert import upserted
from udfs.dedup import removals
from udfs.dedup.capping import PROMPT, TEMPLATE

_FEW = 2_000_000
"""Conversations of which the driver is told id, digest and key, some 300 bytes each."""


class Capped(NamedTuple):
    """Rows of ``duplicates`` and of ``families``, and how many rows each of these levels removed."""

    duplicates: Made
    families: DataFrame
    counts: dict[str, int]


def is_on(options: Dedup) -> bool:
    """Is there a cap at all? Else all that is removed is what ``matches`` has."""
    return not options.prompt.policy == options.template.policy == "off"


def cap(facts: DataFrame, signatures: Rows, matches: Rows, options: Dedup, work: str) -> Capped:
    """What is removed of the conversations ``facts``, ``matches`` being removed already. ``work`` is a folder for what
    is needed until the result is written.

    A row of ``matches`` whose kept row goes now goes with it, to the same kept row.
    """
    way = caps_on_driver if _are_few(signatures) else caps_on_spark
    found = way.cap(facts, signatures, matches, options, work)
    return Capped(upserted(matches, _removed(found.members, options), found.gone), found.families, found.counts)


def _removed(members: Rows, options: Dedup) -> Made:
    """Those of them that are removed, as rows of ``duplicates``."""
    prompt, template, schema = options.prompt, options.template, SCHEMAS[tables.DUPLICATES]
    rules = {PROMPT: f"{prompt.policy}{prompt.keep}", TEMPLATE: f"{template.policy}{template.keep}"}
    arrow = to_arrow_schema(schema)
    return Made(members, removals.CAPPED, lambda batches: removals.capped(batches, rules, arrow), schema)


def _are_few(signatures: Rows) -> bool:
    """Are there so few, in files, that the driver can be told of all?"""
    return signatures.files is not None and signatures.count() <= _FEW
