"""``conversations_raw`` -> ``conversations``: cleaned and labelled, never filtered, in one trip through Python.

spark-submit ... jobs/annotate.py --config conf/lmsys.yaml --lake lake
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.settings import Rules, Settings
from jobs.lake import Lake
from jobs.ledger import Run, is_done, lineage
from jobs.progress import Progress
from jobs.tables import SCHEMAS
from udfs import sourcelabels
from udfs.annotation import Plan
from udfs.batch import Limits
from udfs.columns import annotator


def run(lake: Lake, settings: Settings, progress: Progress) -> bool:
    """Label what ``conversations_raw`` has gained; all of it when the rules or the code changed. Returns whether
    anything was committed."""
    inputs = {tables.CONVERSATIONS_RAW: lake.version(tables.CONVERSATIONS_RAW)}
    stamp = lineage("annotate", settings, _labelling(settings.rules), inputs)
    if is_done(lake, tables.CONVERSATIONS, stamp):
        return False
    with Run(lake, settings, stamp) as job:
        raw = lake.read(tables.CONVERSATIONS_RAW, inputs[tables.CONVERSATIONS_RAW])
        last = lake.lineage(tables.CONVERSATIONS)
        is_growing = (
            last is not None
            and (last.config_digest, last.code_version) == (stamp.config_digest, stamp.code_version)
            and lake.is_grown(tables.CONVERSATIONS_RAW, last.inputs.get(tables.CONVERSATIONS_RAW, -1))
        )
        if is_growing:
            raw = raw.join(lake.read(tables.CONVERSATIONS), "conversation_id", "left_anti")
        with progress.stage("label"):
            job.commit(tables.CONVERSATIONS, label(raw, settings.rules), "append" if is_growing else "overwrite")
        job.counts = _counts(lake.read(tables.CONVERSATIONS))
    return True


def _counts(conversations: DataFrame) -> dict[str, int]:
    """How many conversations there are, and of how many the source's own language label is another than ours."""
    found = conversations.groupBy("source_language", "language").count().collect()
    pairs = [(row["source_language"], row["language"], row["count"]) for row in found]
    return {"conversations": sum(count for _, _, count in pairs), **sourcelabels.compare(pairs)}


def _labelling(rules: Rules) -> Rules:
    """The rules without what only says which labels drop a conversation: changing that relabels nothing."""
    return Rules(
        edits=rules.edits,
        language=rules.language.model_copy(update={"keep": []}),
        keywords=rules.keywords.model_copy(update={"drop": []}),
        reasons=rules.reasons.model_copy(update={name: "tag" for name, policy in rules.reasons if policy == "drop"}),
        limits=rules.limits,
    )


def plan(rules: Rules) -> Plan:
    """What the rules ask of one pass over the text."""
    return Plan(
        edits=tuple(name for name, is_on in rules.edits if is_on),
        facts=tuple(name for name, policy in rules.reasons if policy != "off"),
        limits=Limits(**rules.limits.model_dump()),
        min_confidence=rules.language.min_confidence,
        keywords_folder=rules.keywords.folder,
    )


def label(raw: DataFrame, rules: Rules) -> DataFrame:
    """Rows of ``conversations`` for rows of ``conversations_raw``, one for one."""
    annotate = annotator(plan(rules))
    labelled = raw.withColumn("found", annotate(F.col("messages.role"), F.col("messages.content")))
    flagged = F.exists(F.coalesce("moderation", F.array()), lambda entry: entry["flagged"])
    rows = labelled.select(
        *("conversation_id", "source", "model"),
        _messages().alias("messages"),
        "found.language",
        F.col("language").alias("source_language"),
        *("found.keywords", "found.reasons", "redacted"),
        F.when(F.col("moderation").isNotNull(), flagged).alias("flagged"),
        *("found.turns", "found.characters", "found.digest"),
    )
    return rows.select(*SCHEMAS[tables.CONVERSATIONS].names)


def _messages() -> Column:
    """The messages again, each with its cleaned content and its labels."""
    labels = {
        "content": "contents",
        "language": "languages",
        "confidence": "confidences",
        "keywords": "message_keywords",
        "edits": "edits",
    }

    def one(message: Column, index: Column) -> Column:
        found = {name: F.col(f"found.{column}")[index] for name, column in labels.items()}
        fields = {"role": message["role"], "name": message["name"], **found}
        return F.struct(*(fields[f.name].alias(f.name) for f in _MESSAGE.fields))

    return F.transform("messages", one)


_MESSAGE = SCHEMAS[tables.CONVERSATIONS]["messages"].dataType.elementType  # type: ignore[attr-defined]


if __name__ == "__main__":
    import sys

    from jobs.cli import main

    raise SystemExit(main(["annotate", *sys.argv[1:]]))
