"""Too many conversations of one prompt, or of one template? Keep K of each, and name the kept row for every other.

Runs after the levels that compare whole conversations, on what they left. Distinct prompts are compared, once each;
conversations are counted and sorted by Spark, so no prompt is too frequent.
"""

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from conf.settings import Dedup, PromptLevel, TemplateLevel
from jobs.connected import components
from jobs.templates import templates
from udfs import blocks, prompts
from udfs.prompts import Likeness

PROMPT, TEMPLATE = "prompt", "template"

_ROW = "conversation_id string, digest string, `order` array<double>, prompt string, key binary"
_DEPENDENT = "conversation_id string, kept_id string, prompt string, key binary"
_PACKED = "part int, keys binary, values binary"
_EDGES = "a bigint, b bigint"
_MEMBER = "row bigint, component bigint, part int"
_UNITED = "key binary, founder binary, similarity double"
_FOUND = "conversation_id string, level string, kept_id string, similarity double, family string, is_removed boolean"


def cap(survivors: DataFrame, removed: DataFrame, options: Dedup) -> DataFrame:
    """What the levels ``prompt`` and ``template`` say: one row a conversation they say something about.

    - ``survivors``: ``conversation_id``, ``prompt`` (the first user message; null: none), ``digest`` (of the content),
      ``order`` (array<double>, larger is better) of each row still kept. Read twice.
    - ``removed``: ``conversation_id``, ``kept_id``, ``prompt`` of each row that earlier levels removed. A kept row stays
      if one of its rows has a prompt of another family, or a null one (as all have where there is no such column).

    Returns ``conversation_id, level, kept_id, similarity, family, is_removed``, materialised:

    - ``is_removed``: gone at ``level`` for ``kept_id``, which is kept in the end. Some of these rows are from
      ``removed``: the row kept for them went, and this is what holds now.
    - else a kept member of a family, ``kept_id`` null: a prompt of more than ``keep`` conversations, or a template.
    - ``similarity``: Jaccard of the prompt with that of the family's first row (1.0: same tokens); at ``template`` the
      share of the prompt's tokens that is the template's.
    - ``family``: 32 hexadecimal digits, of the first row's prompt or of the template.
    """
    first = Window.partitionBy("conversation_id").orderBy(F.desc("is_removed"), F.desc("level"))
    found = members(survivors, removed, options).withColumn("place", F.row_number().over(first))
    return found.where("place = 1").drop("place")


def members(survivors: DataFrame, removed: DataFrame, options: Dedup) -> DataFrame:
    """The same with one row a conversation *and level*, so that families are whole; at most one of them is a removal."""
    keyed = _keyed(survivors, _ROW)
    rows = keyed.drop("prompt").persist(StorageLevel.MEMORY_AND_DISK)
    distinct = _distinct(keyed, options.prompt).persist(StorageLevel.MEMORY_AND_DISK)
    united = _near_same(distinct, options).localCheckpoint()
    founded = _with_founder(rows, united)
    dependents = _with_founder(_keyed(_with_prompt(removed), _DEPENDENT, keep_blank=True), united)
    by_prompt = _by_prompt(founded, dependents, options.prompt).localCheckpoint()
    slots = _slots(distinct, united, options.template).localCheckpoint()
    by_template = _by_template(founded, dependents, by_prompt, slots, options.template).localCheckpoint()
    for frame in (rows, distinct):
        frame.unpersist()
    anew = by_template.where("is_removed").select("conversation_id")
    return by_prompt.join(anew, "conversation_id", "left_anti").unionByName(by_template)


def _keyed(frame: DataFrame, schema: str, keep_blank: bool = False) -> DataFrame:
    """The rows with the key of their prompt; without the rows that have no prompt."""
    names = [name.split()[0].strip("`") for name in schema.split(", ")][:-1]
    keyed = frame.select(*names).mapInArrow(prompts.key, schema)
    return keyed if keep_blank else keyed.where(F.col("key").isNotNull())


def _with_prompt(removed: DataFrame) -> DataFrame:
    return removed if "prompt" in removed.columns else removed.withColumn("prompt", F.lit(None).cast("string"))


def _rank(policy: str) -> Column:
    """A conversation's place among those of its family: least first, never two alike."""
    numbers = F.transform("order", lambda number: -number) if policy == "best" else F.array().cast("array<double>")
    return F.struct(F.coalesce(numbers, F.array().cast("array<double>")).alias("order"), "digest", "conversation_id")


def _distinct(keyed: DataFrame, level: PromptLevel) -> DataFrame:
    """One row a prompt: ``key``, its first conversation's ``rank``, ``prompt`` (the least of its spellings)."""
    ranked = keyed.select("key", "prompt", _rank(level.policy).alias("rank"))
    return ranked.groupBy("key").agg(F.min("rank").alias("rank"), F.min("prompt").alias("prompt"))


def _near_same(distinct: DataFrame, options: Dedup) -> DataFrame:
    """The prompts that go with another: ``key``, ``founder``, ``similarity``."""
    spark, level = distinct.sparkSession, options.prompt
    if level.policy == "off" or level.threshold == 1.0:
        return spark.createDataFrame([], _UNITED)
    how = Likeness(
        level.threshold,
        *(options.shingle, options.min_shingles, options.bands, options.rows, options.seed, options.bucket_limit),
    )
    parts = int(spark.conf.get("spark.sql.shuffle.partitions") or 200)
    filed = distinct.select(F.xxhash64("key").alias("row"), "prompt").mapInArrow(
        lambda batches: prompts.file(batches, how, 4 * parts), _PACKED
    )
    edges = filed.repartition(parts, "part").mapInArrow(blocks.stars, _EDGES)
    groups = spark.createDataFrame(components(edges, options.max_edges, parts), _MEMBER)
    candidates = distinct.select(F.xxhash64("key").alias("row"), "key", "prompt", "rank.*").join(
        F.broadcast(groups), "row"
    )
    return candidates.repartition(parts, "part").mapInArrow(lambda batches: prompts.unite(batches, how), _UNITED)


def _with_founder(rows: DataFrame, united: DataFrame) -> DataFrame:
    founder, similarity = F.coalesce("founder", "key"), F.coalesce("similarity", F.lit(1.0))
    joined = rows.drop("prompt").join(united, "key", "left")
    return joined.withColumn("founder", founder).withColumn("similarity", similarity).drop("key")


def _by_prompt(founded: DataFrame, dependents: DataFrame, level: PromptLevel) -> DataFrame:
    """What the level ``prompt`` says about survivors and dependents: families of more than ``keep``."""
    if level.policy == "off":
        return founded.sparkSession.createDataFrame([], _FOUND)
    family = F.lower(F.hex("founder")).alias("family")
    rows = founded.select("conversation_id", "digest", "order", "similarity", family)
    large = rows.groupBy("family").count().where(F.col("count") > level.keep)
    waiting = dependents.select("conversation_id", "kept_id", "similarity", family)
    return _capped(rows.join(large, "family", "left_semi"), waiting, PROMPT, level)


def _slots(distinct: DataFrame, united: DataFrame, level: TemplateLevel) -> DataFrame:
    """The template of each prompt that has one. Nearly the same prompts are one prompt here."""
    if level.policy == "off":
        return distinct.sparkSession.createDataFrame([], "founder binary, family string, coverage double")
    founders = distinct.select("key", "prompt").join(united.select("key"), "key", "left_anti")
    return templates(founders, level).withColumnRenamed("key", "founder")


def _by_template(
    founded: DataFrame, dependents: DataFrame, by_prompt: DataFrame, slots: DataFrame, level: TemplateLevel
) -> DataFrame:
    """What the level ``template`` says about what ``prompt`` left, and about all that hangs on it."""
    if slots.isEmpty():
        return founded.sparkSession.createDataFrame([], _FOUND)
    gone = by_prompt.where("is_removed").select("conversation_id", "kept_id")
    everyone = founded.select("conversation_id", "founder").unionByName(dependents.select("conversation_id", "founder"))
    waiting = (
        dependents.select("conversation_id", "kept_id", "founder")
        .join(gone, "conversation_id", "left_anti")
        .unionByName(gone.join(everyone, "conversation_id"))
    )
    rows = founded.drop("similarity").join(gone, "conversation_id", "left_anti").join(slots, "founder")
    columns = ["conversation_id", F.col("coverage").alias("similarity"), "family"]
    return _capped(
        rows.select(*columns, "digest", "order"),
        waiting.join(slots, "founder", "left").select(*columns, "kept_id"),
        TEMPLATE,
        level,
    )


def _capped(rows: DataFrame, dependents: DataFrame, level: str, how: PromptLevel | TemplateLevel) -> DataFrame:
    """Which of these ``rows`` of families stay. The first of each family does, and every row with a dependent of another
    family (or none); then the next ones, up to ``keep``. Dependents of rows that go, go with them to the first."""
    heads = rows.select(F.col("conversation_id").alias("kept_id"), F.col("family").alias("own"))
    strangers = dependents.join(heads, "kept_id").where(~F.col("family").eqNullSafe(F.col("own")))
    pinned = strangers.select(F.col("kept_id").alias("conversation_id"), F.lit(True).alias("is_pinned")).distinct()
    by_rank = Window.partitionBy("family").orderBy("rank")
    ranked = rows.withColumn("rank", _rank(how.policy)).withColumn("first", F.first("conversation_id").over(by_rank))
    is_safe = (F.col("conversation_id") == F.col("first")) | F.coalesce("is_pinned", F.lit(False))
    placed = ranked.join(pinned, "conversation_id", "left").withColumn("is_safe", is_safe)
    place = F.row_number().over(Window.partitionBy("family").orderBy(F.desc("is_safe"), "rank"))
    is_removed = (place > how.keep) & ~F.col("is_safe") & F.lit(how.policy != "tag")
    judged = placed.withColumn("is_removed", is_removed).withColumn("kept_id", F.when(F.col("is_removed"), F.col("first")))
    gone = judged.where("is_removed").select(F.col("conversation_id").alias("head"), F.col("kept_id").alias("first"))
    following = dependents.join(gone, F.col("kept_id") == F.col("head")).select(
        "conversation_id", F.col("first").alias("kept_id"), "similarity", "family", F.lit(True).alias("is_removed")
    )
    found = judged.select("conversation_id", "kept_id", "similarity", "family", "is_removed").unionByName(following)
    return found.select("conversation_id", F.lit(level).alias("level"), "kept_id", "similarity", "family", "is_removed")
