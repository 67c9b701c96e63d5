"""Another dataset to compare with: what it has is removed here, and the match is named."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from conf import tables
from conf.duplicates import Dedup
from conf.settings import Settings
from jobs import unshaping
from jobs.duplicates import signing
from jobs.lake import Lake
from udfs.delta import versions
from udfs.delta.lake import LakeError
from udfs.delta.versions import Version


def resolve(lake: Lake, name: str) -> tuple[str, Version] | None:
    """The lake and dataset version that ``name`` means: a pin of this lake, or ``LAKE#PIN``; None where it is empty.

    Raises LakeError if there is none.
    """
    if not name:
        return None
    place, _, pin = name.rpartition("#")
    try:
        return place or lake.path, versions.resolve(place or lake.path, pin, None, None)
    except LakeError as error:
        raise LakeError(f"dedup.against = {name}: {error}", error.exit_code) from error


def signatures(lake: Lake, foreign: tuple[str, Version], settings: Settings) -> DataFrame:
    """The signatures of that dataset's conversations, whose ids get the name in front: ``PIN/ID``."""
    place, version = foreign
    name = settings.dedup.against
    rows = lake.spark.read.format("delta").option("versionAsOf", version.version).load(f"{place}/{tables.DATASET}")
    named = unshaping.conversations(rows).withColumn("conversation_id", F.concat(F.lit(f"{name}/"), "conversation_id"))
    return signing.sign(named, signing.signing(settings.dedup))


def facts(extra: DataFrame, options: Dedup) -> DataFrame:
    """Facts as :func:`survivors.facts` gives them: these rows come before all others and are never removed."""
    order = F.array(*(F.lit(0.0) for _ in options.survivor)).alias("order")
    return extra.select("conversation_id", "row", "digest", order, F.lit(True).alias("is_fixed"))
