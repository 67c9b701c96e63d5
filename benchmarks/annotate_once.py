"""One measured run in a process of its own: the annotate job on a lake, the least that it must do, or naive code.

    python -m benchmarks.annotate_once annotate --lake LAKE [--set rules.keywords.leet=true]
    python -m benchmarks.annotate_once floor --lake LAKE      (Spark reads the same texts and counts their characters)
    python -m benchmarks.annotate_once naive --lake LAKE      (edits and masks, a UDF each: benchmarks/annotate_rows.py)

Prints one line of JSON: ``stages`` (wall and CPU seconds of each; ``job`` is all but ``session``), ``peak`` (bytes of
memory, Java and Python), ``java`` and ``worker`` (of the largest process of each), and for the floor the ``characters``
and ``bytes`` of the text. ``naive`` runs twice, and its ``job`` is the second time, when all is imported and compiled.
"""

import json

from pyspark.sql import functions as F

from benchmarks import annotate_rows, growth
from benchmarks.meter import Meter
from conf import recipe, tables
from conf.settings import Settings
from jobs import annotate
from jobs.lake import Lake, open_lake
from jobs.session import open_session


def main() -> int:
    """Run, measure, print."""
    options = growth.once(__doc__, ["annotate", "floor", "naive"])
    settings = recipe.load("lmsys", options.set)
    run = {"annotate": _annotate, "floor": _floor, "naive": _naive}[options.what]
    with Meter() as meter:
        with meter.stage("session"):
            spark = open_session("benchmark")
        facts = run(open_lake(spark, options.lake), settings, meter)
    held = {"java": meter.largest.get("java", 0), "worker": meter.largest.get("python", 0)}
    print(json.dumps({"stages": meter.stages, "peak": meter.peak, **held, **facts}))
    return 0


def _annotate(lake: Lake, settings: Settings, meter: Meter) -> dict[str, int]:
    with meter.stage("job"):
        annotate.run(lake, settings, meter)  # type: ignore[arg-type]
    return {}


def _floor(lake: Lake, _: Settings, meter: Meter) -> dict[str, int]:
    with meter.stage("job"):
        characters = _sum_of_texts(lake, "length")
    return {"characters": characters, "bytes": _sum_of_texts(lake, "octet_length")}


def _sum_of_texts(lake: Lake, measure: str) -> int:
    each = F.expr(f"aggregate(messages, 0L, (sum, message) -> sum + {measure}(message.content))")
    return int(lake.read(tables.CONVERSATIONS_RAW).select(F.sum(each)).collect()[0][0])


def _naive(lake: Lake, settings: Settings, meter: Meter) -> dict[str, int]:
    found = lake.read(tables.CONVERSATIONS_RAW).select(*annotate_rows.columns(annotate.plan(settings.rules)))
    for stage in ("first time", "job"):
        with meter.stage(stage):
            found.write.format("noop").mode("overwrite").save()
    return {}


if __name__ == "__main__":
    raise SystemExit(main())
