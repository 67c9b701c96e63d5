"""A pretrained model that cannot be used is told at start, with its key and folder; so is a missing Spark NLP."""

import json
import os
from pathlib import Path

import pytest

from conf.settings import Models
from jobs import linguistics, pretrained, session
from jobs.cli import main
from jobs.errors import UsageError
from jobs.linguistics import Work
from jobs.nlp import Phrases

NER = "com.johnsnowlabs.nlp.annotators.ner.dl.NerDLModel"
CONVERTER = "com.johnsnowlabs.nlp.annotators.ner.NerConverter"


def save(folder: Path, kind: str, **params: str) -> Path:
    """What Spark ML writes of a model besides its data."""
    (folder / "metadata").mkdir(parents=True)
    (folder / "metadata" / "part-00000").write_text(json.dumps({"class": kind, "paramMap": params}) + "\n")
    return folder


def pipeline(folder: Path, *kinds: str) -> Path:
    save(folder, pretrained.PIPELINE)
    for number, kind in enumerate(kinds):
        save(folder / "stages" / f"{number}_Stage_{number:x}", kind, outputCol=f"out{number}")
    return folder


def told(**models: str) -> str:
    with pytest.raises(UsageError) as raised:
        pretrained.find(Models(**models))
    return str(raised.value)


def test_a_missing_folder_is_told_with_its_key(tmp_path: Path) -> None:
    assert told(names=str(tmp_path / "none")) == (
        f"linguistics.models.names: {tmp_path}/none is not a folder: expected a saved Spark NLP model on this machine"
    )


@pytest.mark.parametrize("content", [None, "", "not json", "[]", '"text"', '{"uid": 1}'])
def test_a_folder_that_is_no_model_is_told(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "metadata").mkdir()
        (tmp_path / "metadata" / "part-00000").write_text(content)
    assert "is not a saved Spark NLP model" in told(language=str(tmp_path))


def test_a_model_of_another_class_is_told(tmp_path: Path) -> None:
    folder = save(tmp_path, NER, outputCol="ner")
    assert f"holds a {NER}: expected a saved pipeline or a LanguageDetectorDL" in told(language=str(folder))
    assert told(names=str(folder)).endswith("expected a saved pipeline")


def test_a_pipeline_without_annotators_is_told(tmp_path: Path) -> None:
    assert "without stages" in told(names=str(pipeline(tmp_path / "empty")))
    foreign = pipeline(tmp_path / "foreign", "org.apache.spark.ml.feature.HashingTF")
    assert "expected an annotator" in told(names=str(foreign))


def test_a_model_that_needs_tensorflow_is_told_where_its_jar_belongs(tmp_path: Path) -> None:
    folder = pipeline(tmp_path, NER, CONVERTER)
    assert "needs TensorFlow (NerDLModel)" in told(names=str(folder))
    assert str(session.nlp_jar_folder()) in told(names=str(folder))


def test_a_pipeline_ends_in_the_column_of_its_last_stage_however_many_there_are(tmp_path: Path) -> None:
    folder = pipeline(tmp_path, *[CONVERTER] * 12)
    assert pretrained.find(Models(names=str(folder))) == [pretrained.Pretrained("names", str(folder), True, "out11")]
    assert pretrained.find(Models()) == []


def test_the_rule_follows_from_what_is_in_the_folder_of_a_model(tmp_path: Path) -> None:
    def rule() -> str:
        return linguistics.name_rule(Work(Phrases({}, {}), pretrained.find(Models(names=str(folder)))))

    folder = pipeline(tmp_path / "model", CONVERTER)
    weights = folder / "stages" / "0_Stage_0" / "weights"
    weights.write_bytes(b"1")
    first = rule()
    os.utime(folder)
    assert rule() == first
    weights.write_bytes(b"2")
    assert rule() != first


def test_the_command_stops_before_a_session_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = f"linguistics.models.toxicity={tmp_path}/none"
    assert main(["linguistics", "--lake", str(tmp_path / "lake"), "--set", missing]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert ("make install35" if session.spark_line() >= (4, 0) else f"{tmp_path}/none is not a folder") in line
    assert not (tmp_path / "lake").exists()


def test_delta_and_spark_nlp_are_chosen_by_the_running_spark() -> None:
    if session.spark_line() >= (4, 0):
        assert session.delta_package().startswith("io.delta:delta-spark_4.1_2.13:4.4.")
        assert session.nlp_package() == ""
    else:
        assert session.delta_package().startswith("io.delta:delta-spark_2.12:3.3.")
        assert session.nlp_package().startswith("com.johnsnowlabs.nlp:spark-nlp_2.12:5.5.")
