"""Too many conversations of one prompt, or of one template? Keep K of each, and name the kept row for every other.

Runs after the levels that compare whole conversations, on what they left. Distinct prompts are compared, once each;
conversations are counted and sorted by Spark, so no prompt is too frequent.
"""

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from conf.settings import Dedup, PromptLevel, TemplateLevel
from jobs import matching
from jobs.connected import components
from jobs.templates import templates
from udfs import buckets, prompts
from udfs.prompts import Likeness

PROMPT, TEMPLATE = "prompt", "template"

_ROW = "conversation_id string, digest string, `order` array<double>, prompt string, key binary"
_DEPENDENT = "conversation_id string, kept_id string, prompt string, key binary"
_PACKED = "part int, keys binary, values binary"
_EDGES = "a bigint, b bigint"
_UNITED = "key binary, founder binary, similarity double"
_FOUND = "conversation_id string, level string, kept_id string, similarity double, family string, is_removed boolean"


def cap(survivors: DataFrame, removed: DataFrame, options: Dedup, work: str) -> DataFrame:
    """What the levels ``prompt`` and ``template`` say: one row a conversation they say something about.

    - ``survivors``: ``conversation_id``, ``prompt`` (the first user message; null: none), ``digest`` (of the content),
      ``order`` (array<double>, larger is better) of each row still kept. Read twice.
    - ``removed``: ``conversation_id``, ``kept_id``, ``prompt`` of each row that earlier levels removed. A kept row
      stays if one of its rows has a prompt of another family, or none (as all have without such a column).

    Returns ``conversation_id, level, kept_id, similarity, family, is_removed``, materialised:

    - ``is_removed``: gone at ``level`` for ``kept_id``, which is kept in the end. Some of these rows are from
      ``removed``: the row kept for them went, and this is what holds now.
    - else a kept member of a family, ``kept_id`` null: a prompt of more than ``keep`` conversations, or a template.
    - ``similarity``: Jaccard of the prompt with that of the family's first row (1.0: same tokens); at ``template`` the
      share of its tokens that is the template's (of the founder's tokens, where it is nearly the same).
    - ``family``: 32 hexadecimal digits, of the first row's prompt or of the template.
    """
    first = Window.partitionBy("conversation_id").orderBy(F.desc("is_removed"), F.desc("level"))
    found = members(survivors, removed, options, work).withColumn("place", F.row_number().over(first))
    return found.where("place = 1").drop("place")


def members(survivors: DataFrame, removed: DataFrame, options: Dedup, work: str) -> DataFrame:
    """The same with one row a conversation *and level*, so that families are whole; one of them at most is removed."""
    if options.prompt.policy == options.template.policy == "off":
        return survivors.sparkSession.createDataFrame([], _FOUND)
    keyed = _keyed(survivors, _ROW).where(F.col("key").isNotNull())
    distinct = _distinct(keyed, options.prompt).persist(StorageLevel.MEMORY_AND_DISK)
    united = _near_same(distinct, options, work).localCheckpoint()
    known = _known(distinct, united, _slots(distinct, united, options.template), options).localCheckpoint()
    distinct.unpersist()
    rows = keyed.drop("prompt").join(known, "key").drop("key").localCheckpoint()
    heads = rows.select(F.col("conversation_id").alias("kept_id"))
    waiting = _keyed(_with_prompt(removed).join(heads, "kept_id", "left_semi"), _DEPENDENT)
    dependents = waiting.drop("prompt").join(known, "key", "left").drop("key").localCheckpoint()
    by_prompt = _by_prompt(rows, dependents, options.prompt).localCheckpoint()
    by_template = _by_template(rows, dependents, by_prompt, options.template).localCheckpoint()
    anew = by_template.where("is_removed").select("conversation_id", "is_removed")
    return by_prompt.join(anew, anew.columns, "left_anti").unionByName(by_template)


def _keyed(frame: DataFrame, schema: str) -> DataFrame:
    """The rows with the key of their prompt, null where it has none."""
    names = [name.split()[0].strip("`") for name in schema.split(", ")][:-1]
    return frame.select(*names).mapInArrow(prompts.key, schema)


def _with_prompt(removed: DataFrame) -> DataFrame:
    return removed if "prompt" in removed.columns else removed.withColumn("prompt", F.lit(None).cast("string"))


def _rank(policy: str) -> Column:
    """A conversation's place among those of its family: least first, never two alike."""
    numbers = F.transform("order", lambda number: -number) if policy == "best" else F.array().cast("array<double>")
    return F.struct(F.coalesce(numbers, F.array().cast("array<double>")).alias("order"), "digest", "conversation_id")


def _distinct(keyed: DataFrame, level: PromptLevel) -> DataFrame:
    """One row a prompt: ``key``, ``rows``, its first one's ``rank``, ``prompt`` (the least of its spellings)."""
    rank = F.min(_rank(level.policy)).alias("rank")
    return keyed.groupBy("key").agg(F.count(F.lit(1)).alias("rows"), rank, F.min("prompt").alias("prompt"))


def _near_same(distinct: DataFrame, options: Dedup, work: str) -> DataFrame:
    """The prompts that go with another: ``key``, ``founder``, ``similarity``."""
    spark, level = distinct.sparkSession, options.prompt
    if level.policy == "off" or level.threshold == 1.0:
        return spark.createDataFrame([], _UNITED)
    how = Likeness(
        level.threshold,
        *(options.shingle, options.min_shingles, options.bands, options.rows, options.seed, options.bucket_limit),
    )
    parts = matching.parts(spark)
    filed = distinct.select(F.xxhash64("key").alias("row"), "prompt").mapInArrow(
        lambda batches: prompts.file(batches, how, 4 * parts), _PACKED
    )
    edges = filed.repartition(parts, "part").mapInArrow(buckets.edges, _EDGES)
    groups = components(edges, options.max_edges, parts, work)
    candidates = distinct.select(F.xxhash64("key").alias("row"), "key", "prompt", "rank.*").join(groups, "row")
    return candidates.repartition(parts, "part").mapInArrow(lambda batches: prompts.unite(batches, how), _UNITED)


def _slots(distinct: DataFrame, united: DataFrame, level: TemplateLevel) -> DataFrame:
    """``founder``, ``template``, ``coverage`` of prompts of a template. Nearly the same prompts are one prompt here."""
    if level.policy == "off":
        return distinct.sparkSession.createDataFrame([], "founder binary, template string, coverage double")
    founders = distinct.select("key", "prompt").join(united.select("key"), "key", "left_anti")
    return templates(founders, level).withColumnRenamed("key", "founder")


def _known(distinct: DataFrame, united: DataFrame, slots: DataFrame, options: Dedup) -> DataFrame:
    """What is known of each prompt in a template or in a family of more than ``keep`` rows, a small part of all.

    ``key``; ``family`` of nearly the same prompts, null if smaller, and ``similarity``; ``template`` if any, and
    ``coverage``.
    """
    founder, similarity = F.coalesce("founder", "key"), F.coalesce("similarity", F.lit(1.0))
    founded = distinct.select("key", "rows").join(united, "key", "left")
    founded = founded.select("key", "rows", founder.alias("founder"), similarity.alias("similarity"))
    is_large = (F.sum("rows") > options.prompt.keep) & F.lit(options.prompt.policy != "off")
    sizes = founded.groupBy("founder").agg(is_large.alias("is_large")).join(slots, "founder", "left")
    concerned = sizes.where("is_large or template is not null")
    family = F.when(F.col("is_large"), F.lower(F.hex("founder"))).alias("family")
    return founded.join(concerned, "founder").select("key", family, "similarity", "template", "coverage")


def _by_prompt(rows: DataFrame, dependents: DataFrame, level: PromptLevel) -> DataFrame:
    """What the level ``prompt`` says about survivors and dependents: families of more than ``keep``."""
    of_family = rows.where(F.col("family").isNotNull())
    return _capped(of_family, dependents, PROMPT, level)


def _by_template(rows: DataFrame, dependents: DataFrame, by_prompt: DataFrame, level: TemplateLevel) -> DataFrame:
    """What the level ``template`` says about what ``prompt`` left, and about all that hangs on it."""
    slots: list[Column | str] = [
        "conversation_id",
        F.col("template").alias("family"),
        F.col("coverage").alias("similarity"),
    ]
    gone = by_prompt.where("is_removed").select("conversation_id", "kept_id")
    left = rows.select(*slots, "digest", "order").where(F.col("family").isNotNull())
    everyone = rows.select(*slots).unionByName(dependents.select(*slots))
    waiting = dependents.select("kept_id", *slots).join(gone, "conversation_id", "left_anti")
    waiting = waiting.unionByName(gone.join(everyone, "conversation_id"))
    return _capped(left.join(gone, "conversation_id", "left_anti"), waiting, TEMPLATE, level)


def _capped(rows: DataFrame, dependents: DataFrame, level: str, how: PromptLevel | TemplateLevel) -> DataFrame:
    """Which of these ``rows`` of families stay: the first of each family; every row with a dependent of another family
    or none; then the next ones, up to ``keep``. Dependents of rows that go, go with them to the first."""
    heads = rows.select(F.col("conversation_id").alias("kept_id"), F.col("family").alias("own"))
    strangers = dependents.join(heads, "kept_id").where(~F.col("family").eqNullSafe(F.col("own")))
    pinned = strangers.select(F.col("kept_id").alias("conversation_id"), F.lit(True).alias("is_pinned")).distinct()
    by_rank = Window.partitionBy("family").orderBy("rank")
    ranked = rows.withColumn("rank", _rank(how.policy)).withColumn("first", F.first("conversation_id").over(by_rank))
    is_safe = (F.col("conversation_id") == F.col("first")) | F.coalesce("is_pinned", F.lit(False))
    placed = ranked.join(pinned, "conversation_id", "left").withColumn("is_safe", is_safe)
    place = F.row_number().over(Window.partitionBy("family").orderBy(F.desc("is_safe"), "rank"))
    is_removed = (place > how.keep) & ~F.col("is_safe") & F.lit(how.policy != "tag")
    judged = placed.withColumn("is_removed", is_removed)
    gone = judged.where("is_removed").select(F.col("conversation_id").alias("kept_id"), "first", "is_removed")
    kept = F.when(F.col("is_removed"), F.col("first")).alias("kept_id")
    columns: list[Column | str] = [
        "conversation_id",
        F.lit(level).alias("level"),
        kept,
        "similarity",
        "family",
        "is_removed",
    ]
    return judged.select(*columns).unionByName(dependents.join(gone, "kept_id").select(*columns))
