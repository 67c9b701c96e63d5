"""``conversations_raw`` -> ``conversations``: cleaned and labelled, never filtered, in one trip through Python.

spark-submit ... jobs/annotate.py --config conf/lmsys.yaml --lake lake
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from conf import recipe, tables
from conf.rules import Edits, Rules
from conf.settings import Settings
from jobs.errors import UsageError
from jobs.lake import Lake
from jobs.ledger import Run, has_only_grown, is_done, lineage
from jobs.progress import Progress
from jobs.tables import SCHEMAS
from udfs import keyfile, pii_names, sourcelabels, wordlists
from udfs.annotation import Plan
from udfs.batch import Limits
from udfs.columns import annotator
from udfs.pii_names import Model
from udfs.repair import Options, SystemPrompt
from udfs.sealing import Key

TIMES = ("timestamp", "tstamp", "created_at", "created", "create_time", "created_date", "date")
"""Keys under which sources say when a conversation was held; the first one found counts."""
_MILLISECONDS = 1e11
"""A number of seconds from here on would be after the year 5000."""


def run(lake: Lake, settings: Settings, progress: Progress) -> bool:
    """Label what ``conversations_raw`` has gained; all of it when the rules or the code changed. Returns whether
    anything was committed."""
    inputs = {tables.CONVERSATIONS_RAW: lake.version(tables.CONVERSATIONS_RAW)}
    key, names_by = pii_key(settings.rules, lake.path), names_model(settings.rules)
    stamp = lineage("annotate", settings, _labelling(settings.rules, key, names_by), inputs)
    if is_done(lake, tables.CONVERSATIONS, stamp):
        return False
    with Run(lake, settings, stamp) as job:
        raw = lake.read(tables.CONVERSATIONS_RAW, inputs[tables.CONVERSATIONS_RAW])
        is_growing = has_only_grown(lake, tables.CONVERSATIONS, tables.CONVERSATIONS_RAW, stamp)
        if is_growing:
            raw = raw.join(lake.read(tables.CONVERSATIONS), "conversation_id", "left_anti")
        with progress.stage("label"):
            labelled = label(raw, settings.rules, key, names_by)
            job.commit(tables.CONVERSATIONS, labelled, "append" if is_growing else "overwrite")
        job.counts = _counts(lake.read(tables.CONVERSATIONS))
    return True


def require_labelled(lake: Lake, settings: Settings) -> None:
    """Raise :class:`UsageError` unless ``conversations`` are all that was ingested, labelled under these rules."""
    found, rules = lake.lineage(tables.CONVERSATIONS), settings.rules
    if found is None:
        told = f"{lake.path} has no conversations as `winnow annotate` left them"
        raise UsageError(f"{told}: run it, then `winnow dedup`, before `winnow publish`")
    wanted = _labelling(rules, pii_key(rules, lake.path), names_model(rules))
    is_same = found.config_digest == recipe.digest(wanted)
    if not is_same or found.inputs[tables.CONVERSATIONS_RAW] != lake.version(tables.CONVERSATIONS_RAW):
        what = "are not all that was ingested" if is_same else "were labelled under other rules"
        told = f"conversations {what}: run `winnow annotate` with this config, then `winnow dedup`"
        raise UsageError(f"{told}, before `winnow publish`")


def _counts(conversations: DataFrame) -> dict[str, int]:
    """How many conversations there are, and of how many the source's own language label is another than ours."""
    found = conversations.groupBy("source_language", "language").count().collect()
    pairs = [(row["source_language"], row["language"], row["count"]) for row in found]
    return {"conversations": sum(count for _, _, count in pairs), **sourcelabels.compare(pairs)}


def _labelling(rules: Rules, key: Key | None, names_by: Model | None) -> Rules:
    """The rules without what only says which labels drop a conversation: changing that relabels nothing. Instead of
    where keyword lists, the key and the model of names are, it has what they say, a fingerprint and a digest."""
    return Rules(
        edits=rules.edits,
        pii=rules.pii,
        pii_key=key.fingerprint if key else "",
        pii_names=names_by.digest if names_by else "",
        language=rules.language.model_copy(update={"keep": []}),
        keywords=rules.keywords.model_copy(update={"drop": [], "folder": keyword_lists(rules).digest}),
        reasons=rules.reasons.model_copy(update={name: "tag" for name, policy in rules.reasons if policy == "drop"}),
        turns=rules.turns,
        limits=rules.limits,
    )


def keyword_lists(rules: Rules) -> wordlists.Lists:
    """All keyword lists, read here, so that executors need no folder; a mistake in one is a ``UsageError``, and so is
    a category to drop that none of them has."""
    try:
        lists = wordlists.read(rules.keywords.folder, rules.keywords.leet)
    except ValueError as error:
        raise UsageError(str(error)) from error
    known = {entry.category for entry in lists.entries}
    unknown = [name for name in rules.keywords.drop if name not in known]
    if unknown:
        told = f"expected categories that have a list ({', '.join(sorted(known))})"
        raise UsageError(f"rules.keywords.drop: {told}, found {', '.join(map(repr, unknown))}")
    return lists


def pii_key(rules: Rules, lake: str) -> Key | None:
    """The key that the rules name, None if none; a file that cannot be one is a ``UsageError``."""
    try:
        return keyfile.read(rules.pii_key, lake) if rules.pii_key else None
    except ValueError as error:
        raise UsageError(f"rules.pii_key: {error}") from error


def names_model(rules: Rules) -> Model | None:
    """The model that finds people's names, None if none; one that cannot be used is a ``UsageError``."""
    try:
        return pii_names.open_model(rules.pii_names) if rules.pii_names else None
    except ValueError as error:
        raise UsageError(f"rules.pii_names: {error}") from error


def plan(rules: Rules, key: Key | None = None, names_by: Model | None = None) -> Plan:
    """What the rules ask of one pass over the text, with the key and the model of names that they name."""
    return Plan(
        edits=rules.edits.enabled,
        pii=tuple(name for name, is_on in rules.pii if is_on),
        repairs=_repairs(rules),
        facts=tuple(name for name, policy in rules.reasons if policy != "off"),
        limits=Limits(**rules.limits.model_dump()),
        options=_options(rules.edits),
        min_confidence=rules.language.min_confidence,
        lists=keyword_lists(rules),
        key=key,
        names_by=names_by,
    )


def _options(edits: Edits) -> Options:
    prompt = edits.system_prompt
    return Options(
        newlines=edits.collapse_newlines,
        names=tuple(edits.persona_names.items()),
        system=SystemPrompt(prompt.mode, prompt.text, tuple(prompt.like)),
    )


def _repairs(rules: Rules) -> tuple[str, ...]:
    reasons, turns = rules.reasons, rules.turns
    is_mended = reasons.bad_roles == "repair"
    wanted = {
        "drop_blank": reasons.blank_message == "repair",
        "drop_roles": is_mended and turns.drop,
        "trim_start": is_mended and turns.trim,
        "merge_roles": is_mended and turns.merge,
        "drop_unanswered": reasons.unanswered == "repair",
    }
    return tuple(name for name, is_on in wanted.items() if is_on)


def label(raw: DataFrame, rules: Rules, key: Key | None = None, names_by: Model | None = None) -> DataFrame:
    """Rows of ``conversations`` for rows of ``conversations_raw``, one for one."""
    annotate = annotator(plan(rules, key, names_by))
    if rules.edits.system_prompt.mode in ("set", "replace"):
        raw = raw.withColumn("messages", _one_system_in_a_row())
    if rules.edits.system_prompt.mode == "set":
        raw = raw.withColumn("messages", _with_system())
    found = annotate(F.col("conversation_id"), F.col("messages.role"), F.col("messages.content"))
    labelled = raw.withColumn("told", _told()).withColumn("found", found)
    flagged = F.exists(F.coalesce("moderation", F.array()), lambda entry: entry["flagged"])
    rows = labelled.select(
        *("conversation_id", "source", "model"),
        _messages().alias("messages"),
        "found.language",
        F.col("language").alias("source_language"),
        *("found.keywords", "found.hits", "found.reasons", "found.repairs", "found.quality", "redacted"),
        F.when(F.col("moderation").isNotNull(), flagged).alias("flagged"),
        _time("told").alias("time"),
        *("found.turns", "found.characters", "found.digest", "found.sealed"),
    )
    return rows.select(*SCHEMAS[tables.CONVERSATIONS].names)


def _one_system_in_a_row() -> Column:
    """The messages without system messages that follow another one: the edit would write the same text into each."""

    def is_kept(message: Column, index: Column) -> Column:
        before = F.get("messages", index - 1)  # null before the first
        return ~(message["role"].eqNullSafe("system") & before["role"].eqNullSafe("system"))

    return F.filter("messages", is_kept)


def _with_system() -> Column:
    """The messages, with an empty system message first where they begin with none; the edit writes the text into it.
    One that comes later is none to rely on: the repair of turns takes it out."""
    parts = {"role": F.lit("system"), "content": F.lit("")}
    fields = SCHEMAS[tables.CONVERSATIONS_RAW]["messages"].dataType.elementType.fields  # type: ignore[attr-defined]
    empty = F.struct(*(parts.get(f.name, F.lit(None).cast(f.dataType)).alias(f.name) for f in fields))
    begins_with_one = F.get("messages", F.lit(0))["role"] == "system"
    return F.when(begins_with_one, F.col("messages")).otherwise(F.concat(F.array(empty), F.col("messages")))


def _messages() -> Column:
    """The messages after repair, each with its labels and the name that its raw message had."""
    labels = {
        "role": "roles",
        "content": "contents",
        "language": "languages",
        "confidence": "confidences",
        "keywords": "message_keywords",
        "edits": "edits",
    }

    def one(origin: Column, index: Column) -> Column:
        found = {name: F.col(f"found.{column}")[index] for name, column in labels.items()}
        fields = {"name": F.col("messages")[origin]["name"], **found}
        return F.struct(*(fields[f.name].alias(f.name) for f in _MESSAGE.fields))

    return F.transform("found.origins", one)


def _told() -> Column:
    """The time that the source's record names, as text; null if none."""
    return F.coalesce(*(F.get_json_object("metadata", f"$.{key}") for key in TIMES))


def _time(told: str) -> Column:
    """The text in that column in seconds since 1970: a number (seconds, or milliseconds) or an ISO 8601 time, UTC
    where it names no zone; null for any other text."""
    number, written = F.expr(f"try_cast({told} as double)"), F.expr(f"try_cast({told} as timestamp)")
    seconds = F.when(number >= _MILLISECONDS, number / 1000).otherwise(number)
    finite = F.when(F.abs(number) < float("inf"), seconds)  # Spark reads NaN and Infinity as numbers too
    return F.coalesce(finite, F.unix_micros(written) / 1_000_000)


_MESSAGE = SCHEMAS[tables.CONVERSATIONS]["messages"].dataType.elementType  # type: ignore[attr-defined]


if __name__ == "__main__":
    import sys

    from jobs.cli import main

    raise SystemExit(main(["annotate", *sys.argv[1:]]))
