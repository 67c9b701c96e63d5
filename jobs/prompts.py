"""Too many conversations of one prompt, or of one template? Keep K of each, and name the kept row for every other.

Runs after the levels that compare whole conversations, on what they left. Distinct prompts are compared, once each;
conversations that begin alike are then judged together (:mod:`udfs.capping`), some 200 bytes each.
"""

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from conf.settings import Dedup, PromptLevel, TemplateLevel
from jobs import matching
from jobs.connected import components
from jobs.parts import map_groups, map_parts, parts
from jobs.tables import digits
from jobs.templates import templates
from udfs import capping, prompts
from udfs.capping import PROMPT, TEMPLATE, Cap
from udfs.prompts import Likeness

_PACKED = "part int, keys binary, values binary"
_UNITED = "key binary, founder binary, similarity double"
_FOUND = "conversation_id string, level string, kept_id string, similarity double, family string, is_removed boolean"


def members(survivors: DataFrame, removed: DataFrame, texts: DataFrame, options: Dedup, work: str) -> DataFrame:
    """What the levels ``prompt`` and ``template`` say: one row a conversation they say something about, and level.

    - ``survivors``: ``conversation_id``, ``key`` (:func:`udfs.prompts.keys` of the first user message; null: none),
      ``digest`` (of the content), ``order`` (array<double>, larger is better) of each row still kept. Read twice.
    - ``removed``: ``conversation_id``, ``kept_id``, ``key`` of each row that earlier levels removed. A kept row
      stays if one of its rows has a prompt of another family, or none.
    - ``texts``: ``conversation_id``, ``prompt`` of all of them. One text of each distinct prompt goes to Python.

    Returns ``conversation_id, level, kept_id, similarity, family, is_removed``, materialised:

    - ``is_removed``: gone at ``level`` for ``kept_id``, which is kept in the end. Some of these rows are from
      ``removed``: the row kept for them went, and this is what holds now. Once at most for each conversation.
    - else a kept member of a family, ``kept_id`` null: a prompt of more than ``keep`` conversations, or a template.
    - ``similarity``: Jaccard of the prompt with that of the family's first row (1.0: same tokens); at ``template`` the
      share of its tokens that is the template's (of the founder's tokens, where it is nearly the same).
    - ``family``: 32 hexadecimal digits, of the first row's prompt or of the template.
    """
    spark = survivors.sparkSession
    if options.prompt.policy == options.template.policy == "off":
        return _nothing(spark, _FOUND)
    keyed = survivors.where(F.col("key").isNotNull())
    distinct = _distinct(keyed, texts, options.prompt).persist(StorageLevel.MEMORY_AND_DISK)
    united = _near_same(distinct, options, work).localCheckpoint()
    known = _known(distinct, united, _slots(distinct, united, options.template), options).localCheckpoint()
    distinct.unpersist()
    rows = keyed.join(known, "key").drop("key").localCheckpoint()
    standing = rows.withColumn("kept_id", F.lit(None).cast("string")).withColumn("order", _ascending())
    units = standing.unionByName(_dependents(rows, removed, known))
    by_prompt = _cap(PROMPT, "family", "similarity", options.prompt)
    by_template = _cap(TEMPLATE, "template", "coverage", options.template)
    cap = lambda batches: capping.cap(batches, by_prompt, by_template)  # noqa: E731
    return map_groups(units, "unit", cap, _FOUND).localCheckpoint()


def _cap(level: str, group: str, likeness: str, how: PromptLevel | TemplateLevel) -> Cap:
    keep = how.keep if how.policy in ("keep", "best") else None
    return Cap(level, group, likeness, keep, how.policy == "best")


def _dependents(rows: DataFrame, removed: DataFrame, known: DataFrame) -> DataFrame:
    """The rows that were removed for one of ``rows``, in that one's unit, with what is known of their own prompts."""
    heads = rows.select(F.col("conversation_id").alias("kept_id"), F.col("unit").alias("of_unit"))
    own = removed.join(heads, "kept_id").join(known.drop("unit"), "key", "left").drop("key")
    own = own.withColumn("digest", F.lit("")).withColumn("order", F.array().cast("array<double>"))
    return own.withColumnRenamed("of_unit", "unit")


def _rank(policy: str) -> Column:
    """A conversation's place among those of its family: least first, never two alike."""
    numbers = _ascending() if policy == "best" else F.array().cast("array<double>")
    return F.struct(numbers.alias("order"), "digest", "conversation_id")


def _ascending() -> Column:
    """``order`` with smaller numbers for what is better."""
    return F.transform("order", lambda number: -number)


def _distinct(keyed: DataFrame, texts: DataFrame, level: PromptLevel) -> DataFrame:
    """One row a prompt: ``key``, ``rows``, the ``rank`` of its first one and, as that one spells it, ``prompt``."""
    first = F.min(_rank(level.policy)).alias("rank")
    found = keyed.groupBy("key").agg(F.count(F.lit(1)).alias("rows"), first)
    found = found.withColumn("conversation_id", F.col("rank.conversation_id"))
    return texts.join(matching.kept_at_hand(found), "conversation_id").drop("conversation_id")


def _near_same(distinct: DataFrame, options: Dedup, work: str) -> DataFrame:
    """The prompts that go with another: ``key``, ``founder``, ``similarity``."""
    spark, level = distinct.sparkSession, options.prompt
    if level.policy == "off" or level.threshold == 1.0:
        return _nothing(spark, _UNITED)
    how = Likeness(
        level.threshold,
        *(options.shingle, options.min_shingles, options.bands, options.rows, options.seed, options.bucket_limit),
    )
    count = parts(spark)
    filed = distinct.select(F.xxhash64("key").alias("row"), "prompt").mapInArrow(
        lambda batches: prompts.file(batches, how, count), _PACKED
    )
    groups = components(matching.contracted(filed), options.max_edges, count, work)
    candidates = distinct.select(F.xxhash64("key").alias("row"), "key", "prompt", "rank.*").join(groups.frame(), "row")
    return map_parts(candidates, lambda batches: prompts.unite(batches, how), _UNITED)


def _slots(distinct: DataFrame, united: DataFrame, level: TemplateLevel) -> DataFrame:
    """``founder``, ``template``, ``coverage`` of prompts of a template. Nearly the same prompts are one prompt here."""
    if level.policy == "off":
        return _nothing(distinct.sparkSession, "founder binary, template string, coverage double")
    founders = distinct.select("key", "prompt").join(united.select("key"), "key", "left_anti")
    return templates(founders, level).withColumnRenamed("key", "founder")


def _nothing(spark: SparkSession, schema: str) -> DataFrame:
    return spark.range(0).select(F.from_json(F.lit(""), schema).alias("row")).select("row.*")


def _known(distinct: DataFrame, united: DataFrame, slots: DataFrame, options: Dedup) -> DataFrame:
    """What is known of each prompt in a template or in a family of more than ``keep`` rows, a small part of all.

    ``key``; ``unit``, the template or else the family; ``family`` of nearly the same prompts, null if smaller, and
    ``similarity``; ``template`` if any, and ``coverage``.
    """
    founder, similarity = F.coalesce("founder", "key"), F.coalesce("similarity", F.lit(1.0))
    founded = distinct.select("key", "rows").join(united, "key", "left")
    founded = founded.select("key", "rows", founder.alias("founder"), similarity.alias("similarity"))
    is_large = (F.sum("rows") > options.prompt.keep) & F.lit(options.prompt.policy != "off")
    sizes = founded.groupBy("founder").agg(is_large.alias("is_large")).join(slots, "founder", "left")
    concerned = sizes.where("is_large or template is not null")
    family = F.when(F.col("is_large"), digits("founder")).alias("family")
    unit = F.coalesce("template", digits("founder")).alias("unit")
    return founded.join(concerned, "founder").select("key", unit, family, "similarity", "template", "coverage")
