"""What both ways of capping share: what they find, the caps as settings, and which prompts are nearly the same."""

from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from conf.duplicates import Dedup, PromptLevel, TemplateLevel
from jobs.duplicates import matching
from jobs.duplicates.connected import components
from jobs.parts import PACKED, map_parts, parts
from jobs.tables import frame
from jobs.tasks import Rows
from jobs.upsert import Named
from udfs.dedup import prompts
from udfs.dedup.capping import PROMPT, TEMPLATE, Cap
from udfs.dedup.prompts import Likeness

_UNITED = from_arrow_schema(prompts.UNITED)


class Found(NamedTuple):
    """What the levels ``prompt`` and ``template`` say of conversations that begin alike.

    ``members``: a row a conversation they say something about, and level (:data:`udfs.dedup.capping.FOUND`):

    - ``is_removed``: gone at ``level`` for ``kept_id``, which is kept in the end. Some of these rows were removed
      before: the row kept for them went, and this is what holds now. Once at most for each conversation.
    - else a member of a family that stays at this level, or is told anew at the next, ``kept_id`` null: a prompt of
      more than ``keep`` conversations, or a template.
    - ``similarity``: Jaccard of the prompt with that of the family's first row (1.0: same tokens); at ``template`` the
      share of its tokens that is the template's (of the founder's tokens, where it is nearly the same).
    - ``family``: 32 hexadecimal digits, of the first row's prompt or of the template.

    ``gone`` are the removed ones, ``counts`` how many of each level. ``families``: rows of the table.
    """

    members: Rows
    gone: Named
    counts: dict[str, int]
    families: DataFrame


def caps(options: Dedup) -> tuple[Cap, Cap]:
    """The two levels as settings have them."""
    by_prompt = _cap(PROMPT, "family", "similarity", options.prompt)
    return by_prompt, _cap(TEMPLATE, "template", "coverage", options.template)


def _cap(level: str, group: str, likeness: str, how: PromptLevel | TemplateLevel) -> Cap:
    keep = how.keep if how.policy in ("keep", "best") else None
    return Cap(level, group, likeness, keep, how.policy == "best")


def ascending() -> Column:
    """``order`` of facts, of which larger is better, with smaller numbers for what is better."""
    return F.transform("order", lambda number: -number)


def near_same(distinct: Rows, options: Dedup, work: str) -> DataFrame:
    """The prompts that go with another: ``key``, ``founder``, ``similarity``.

    ``distinct``: a row a prompt: ``row`` (a number of its own), ``key`` (:func:`prompts.keys`), ``prompt``; its
    place among them, that of its first conversation: ``order`` (list of numbers, smaller is better), ``digest``,
    ``conversation_id``.
    """
    level = options.prompt
    if level.policy == "off" or level.threshold == 1.0:
        return frame(distinct.spark, [], _UNITED)
    how = Likeness(
        level.threshold,
        *(options.shingle, options.min_shingles, options.bands, options.rows, options.seed, options.bucket_limit),
    )
    count = parts(distinct.spark)
    filed = distinct.map(["row", "prompt"], lambda batches: prompts.file(batches, how, count), PACKED)
    groups = components(matching.contracted(filed), options.max_edges, count, work)
    candidates = distinct.frame().join(groups.frame(), "row")
    return map_parts(candidates, lambda batches: prompts.unite(batches, how), _UNITED)
