"""Which labels drop a conversation? The recipe's choice, as one column of reasons; labels themselves never change."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from conf.duplicates import Dedup
from conf.rules import Rules
from udfs.dedup.candidates import LEVELS

KEYWORD = "keyword_"
"""Prefix of the reasons that keyword categories give."""
LANGUAGE = "language"
BENCHMARK = "benchmark"
DUPLICATE = "_duplicate"
"""Ending of the reasons that levels of dedup give."""


def drop_reasons(rules: Rules) -> Column:
    """Why a row of ``conversations`` is not to be published, in the order of the rules; empty: nothing against it."""
    labels = [F.array_intersect(_strings(rules.reasons.dropping), F.col("reasons"))]
    if rules.keywords.drop:
        hits = F.array_intersect(_strings(rules.keywords.drop), F.col("keywords"))
        labels.append(F.transform(hits, lambda name: F.concat(F.lit(KEYWORD), name)))
    if rules.language.keep:
        is_other = ~F.col("language").isin(*rules.language.keep)
        labels.append(F.when(is_other, F.array(F.lit(LANGUAGE))).otherwise(_strings([])))
    return F.concat(*labels)


def _strings(values: list[str]) -> Column:
    return F.array(*map(F.lit, values)).cast("array<string>")


def comparing(options: Dedup) -> list[str]:
    """The levels that compare whole conversations whose removed rows are left out of the dataset."""
    return [level for level in LEVELS if getattr(options, level) == "drop"]


def dropping(options: Dedup) -> list[str]:
    """All levels of dedup whose removed rows are left out of the dataset."""
    capping = [name for name in ("prompt", "template") if getattr(options, name).policy in ("keep", "best")]
    return comparing(options) + capping
