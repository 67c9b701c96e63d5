"""``conversations`` -> ``linguistics``: what Spark NLP counts and finds in each conversation, in a table of its own.

spark-submit ... jobs/linguistics.py --config conf/lmsys.yaml --lake lake

Nothing else reads the table. Needs the Spark 3.5 environment (``make install35``); much slower than ``annotate``.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Linguistics, Settings
from jobs import nlp, pretrained, session
from jobs.errors import UsageError
from jobs.lake import Lake
from jobs.ledger import Run, has_only_grown, is_done, lineage
from jobs.nlp import TEXT, Phrases
from jobs.pretrained import Pretrained
from jobs.progress import Progress
from jobs.tables import SCHEMAS
from udfs import digest

_LABELS = (("language", "languages"), ("names", "names"), ("toxicity", "toxicity"))
"""Each model and the column of its labels."""

_APOSTROPHES = "‘’‛"
"""Are ' in keyword lists."""


class Work(NamedTuple):
    """What is looked for: terms by category, and pretrained models."""

    phrases: Phrases
    models: list[Pretrained]


def prepare(settings: Settings) -> Work:
    """What the settings ask for. Raises :class:`UsageError`, before there is a session, without Spark NLP, for a model
    that cannot be used and for a phrase list that cannot be read."""
    if not session.nlp_package():
        line = ".".join(map(str, session.spark_line()))
        raise UsageError(f"no Spark NLP beside Spark {line}: run `make install35`, then .venv35/bin/winnow")
    models = pretrained.find(settings.linguistics.models)
    try:
        return Work(nlp.read_phrases(settings.rules.keywords.folder), models)
    except ValueError as error:
        raise UsageError(str(error)) from error


def run(lake: Lake, settings: Settings, progress: Progress) -> bool:
    """Count in what ``conversations`` has gained; in all of it when settings, lists, models or the code changed.
    Returns whether anything was committed."""
    work, options = prepare(settings), settings.linguistics
    inputs = {tables.CONVERSATIONS: lake.version(tables.CONVERSATIONS)}
    rule = name_rule(work)
    stamp = lineage("linguistics", settings, options.model_copy(update={"enabled": True}), inputs, rule)
    if is_done(lake, tables.LINGUISTICS, stamp):
        return False
    with Run(lake, settings, stamp) as job:
        conversations = lake.read(tables.CONVERSATIONS, inputs[tables.CONVERSATIONS])
        is_growing = has_only_grown(lake, tables.LINGUISTICS, tables.CONVERSATIONS, stamp, rule)
        if is_growing:
            conversations = conversations.join(lake.read(tables.LINGUISTICS), "conversation_id", "left_anti")
        with progress.stage("count"):
            rows = count(conversations, work, options)
            job.commit(tables.LINGUISTICS, rows, "append" if is_growing else "overwrite", rule)
        job.counts = {"conversations": lake.read(tables.LINGUISTICS).count()}
    return True


def name_rule(work: Work) -> str:
    """A digest of what the settings only point to: the content of phrases and models, and the version of Spark NLP."""
    stamps = [[model.name, digest.folder(Path(model.folder))] for model in work.models]
    facts = json.dumps([session.nlp_package(), work.phrases, stamps], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


def count(conversations: DataFrame, work: Work, options: Linguistics) -> DataFrame:
    """Rows of ``linguistics`` for rows of ``conversations``, one for one.

    Messages go through Spark NLP one by one, and numbers and labels are put together again: text is not shuffled.
    """
    messages = conversations.select("conversation_id", F.explode_outer("messages").alias("message"))
    content = F.coalesce("message.content", F.lit(""))
    cut = F.greatest(F.length(content) - options.max_characters, F.lit(0))
    texts = messages.select(
        "conversation_id",
        F.col("message.role").alias("role"),
        cut.alias("cut"),
        F.translate(F.substring(content, 1, options.max_characters), _APOSTROPHES, "'" * 3).alias(TEXT),
    )
    annotated = nlp.build(conversations.sparkSession, [*work.phrases.categories], options).transform(texts)
    found = _of_messages(annotated, work.phrases)
    for model in work.models:
        found = nlp.add_labels(found, model)
    return _of_conversations(found, {model.name for model in work.models})


def _of_messages(annotated: DataFrame, phrases: Phrases) -> DataFrame:
    """Text and numbers of each message, without its annotations."""
    return annotated.select(
        *("conversation_id", TEXT, "cut"),
        F.size("sentence").alias("sentences"),
        F.size("token").alias("tokens"),
        F.size("word").alias("words"),
        F.size("ngram").alias("ngrams"),
        F.size(F.array_distinct("ngram.result")).alias("distinct"),
        _categories(phrases).alias("phrases"),
    )


def _categories(phrases: Phrases) -> Column:
    """The categories of the terms found in a message, one an occurrence, but those of lists for other roles."""
    terms = [(_fold(F.lit(term)), F.array(*map(F.lit, names))) for term, names in phrases.categories.items()]
    known = F.create_map(*(part for pair in terms for part in pair))
    hits = F.concat("phrase.result", "literal.result")
    categories = F.flatten(F.transform(hits, lambda hit: F.coalesce(known[_fold(hit)], F.array())))
    limited = [
        F.when(~F.coalesce(F.col("role").isin(*roles), F.lit(False)), F.array(F.lit(name)))
        for name, roles in phrases.roles.items()
    ]
    barred = F.flatten(F.array_compact(F.array(*limited)))
    return F.filter(categories, lambda name: ~F.array_contains(barred, name))


def _fold(text: Column) -> Column:
    """A term as it is looked up: lower case, no spaces, for the text's may be line breaks and Spark NLP puts its own
    between tokens."""
    return F.regexp_replace(F.lower(text), "\\s+", "")


def _of_conversations(messages: DataFrame, models: set[str]) -> DataFrame:
    """Messages put together. The labels of a model that was not asked for are null."""
    totals = [F.sum(name).alias(name) for name in ("sentences", "tokens", "words", "ngrams", "distinct", "cut")]
    labels = [F.array_sort(F.array_distinct(_all(name))).alias(column) for name, column in _LABELS if name in models]
    lacking = [F.lit(None).cast("array<string>").alias(column) for name, column in _LABELS if name not in models]
    rows = messages.groupBy("conversation_id").agg(*totals, _tally(_all("phrases")).alias("phrases"), *labels)
    rows = rows.select(
        "*",
        _without("words", "tokens").alias("stop_words"),
        _without("distinct", "ngrams").alias("repeated"),
        *lacking,
    )
    return rows.select(*SCHEMAS[tables.LINGUISTICS].names)


def _without(part: str, whole: str) -> Column:
    """The share that is not in the part; null of nothing."""
    return F.when(F.col(whole) > 0, 1 - F.col(part) / F.col(whole))


def _all(name: str) -> Column:
    return F.flatten(F.collect_list(name))


def _tally(names: Column) -> Column:
    """How often each string stands in an array."""
    every = F.array_sort(F.array_distinct(names))
    counts = F.transform(every, lambda one: F.size(F.filter(names, lambda other: other == one)).cast("long"))
    return F.map_from_arrays(every, counts)


if __name__ == "__main__":
    import sys

    from jobs.cli import main

    raise SystemExit(main(["linguistics", *sys.argv[1:]]))
