"""Which folder holds a pretrained Spark NLP model, and can it run here? Told before a session starts.

A model is a folder that Spark ML saved, or an unpacked download, on the driver's disk; nothing is ever downloaded.
Spark ML writes its class into ``metadata``, and of a pipeline its stages below ``stages``.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from conf.settings import Models
from jobs import session
from jobs.errors import UsageError

PIPELINE = "org.apache.spark.ml.PipelineModel"
DETECTOR = "com.johnsnowlabs.nlp.annotators.ld.dl.LanguageDetectorDL"
_OURS = "com.johnsnowlabs.nlp."
_TENSORFLOW = ".dl."
"""In the package of every annotator that runs on TensorFlow alone."""


class Pretrained(NamedTuple):
    """One model: its key in ``linguistics.models``, its folder, whether it is a pipeline, and the column it ends in."""

    name: str
    folder: str
    is_pipeline: bool
    column: str


def find(models: Models) -> list[Pretrained]:
    """The models that are asked for.

    Raises :class:`UsageError`, with key and folder, for one that is missing, is no saved model, is of a class that
    cannot be used so, or needs an engine whose jar is not here.
    """
    return [_open(name, folder) for name, folder in models if folder]


def _open(name: str, folder: str) -> Pretrained:
    place = f"linguistics.models.{name}: {folder}"
    if not Path(folder).is_dir():
        raise UsageError(f"{place} is not a folder: expected a saved Spark NLP model on this machine")
    facts = _metadata(Path(folder), place)
    is_pipeline = facts["class"] == PIPELINE
    if not is_pipeline and (name, facts["class"]) != ("language", DETECTOR):
        kind = "a saved pipeline" + (" or a LanguageDetectorDL" if name == "language" else "")
        raise UsageError(f"{place} holds a {facts['class']}: expected {kind}")
    stages = [_metadata(stage, place) for stage in _stages(Path(folder))] if is_pipeline else [facts]
    if not stages:
        raise UsageError(f"{place} holds a pipeline without stages")
    _require_engine(place, [stage["class"] for stage in stages])
    return Pretrained(name, folder, is_pipeline, _output(stages[-1], place))


def _stages(folder: Path) -> list[Path]:
    """The folders of a pipeline's stages, ``<number>_<uid>``, in order."""
    return sorted(folder.glob("stages/*_*"), key=lambda stage: int(stage.name.split("_")[0]))


def _metadata(folder: Path, place: str) -> dict[str, Any]:
    parts = sorted(folder.glob("metadata/part-*"))
    try:
        facts = json.loads(parts[0].read_text(encoding="utf-8").splitlines()[0])
        return {**facts, "class": str(facts["class"])}
    except (IndexError, OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{place} is not a saved Spark NLP model: {folder} has no readable metadata") from error


def _output(stage: dict[str, Any], place: str) -> str:
    column = stage.get("paramMap", {}).get("outputCol")
    if not stage["class"].startswith(_OURS) or not isinstance(column, str):
        raise UsageError(f"{place} ends in a {stage['class']}: expected an annotator with an output column")
    return column


def _require_engine(place: str, classes: list[str]) -> None:
    """TensorFlow's jar is not fetched with the others; without it a model fails after the first rows are read."""
    needing = [name.rsplit(".", 1)[-1] for name in classes if _TENSORFLOW in name]
    engine = session.ENGINES[0]
    has_engine = session.is_submitted() or any(engine in Path(jar).name for jar in session.nlp_jars())
    if needing and not has_engine:
        raise UsageError(
            f"{place} needs TensorFlow ({', '.join(needing)}): put {engine} into {session.nlp_jar_folder()}"
        )
