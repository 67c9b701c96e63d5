"""An adapter says where it comes from, and proves it."""

import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from conf import VERSION
from training import manifest
from training.corpus import open_version
from training.errors import RunRefused, TrainingError
from training.job import BaseModel, base_model, check_same, read
from training.tokens import open_prepared


@pytest.fixture
def adapter(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run / "adapter", tmp_path / "adapter"))


def test_a_manifest_names_data_base_template_settings_code_and_numbers(chats: str, run: Path) -> None:
    told, corpus, job = manifest.read(run / "adapter"), open_version(chats, pin="baseline"), read(run)
    assert job is not None
    assert told["dataset"] == {
        "lake": chats,
        "table_id": corpus.table_id,
        "version": corpus.version,
        "pin": "baseline",
        "digest": corpus.digest,
        "rows": corpus.rows,
    }
    assert told["base"] == {"model": job.base.folder, "digest": base_model(job.base.folder).digest}
    assert told["template"] == {"name": "chatml", "digest": open_prepared(job.tokens).digests["template"]}
    assert told["settings"]["lora"]["r"] == 4
    assert told["winnow"] == VERSION
    assert {"torch", "transformers", "peft", "deepspeed", "python"} <= told["packages"].keys()
    assert told["ranks"] == told["hardware"]["ranks"] == 2
    assert told["numbers"]["global_step"] == 8


def test_the_rows_of_the_manifest_are_the_rows_seen(run: Path) -> None:
    told = manifest.read(run / "adapter")
    assert told["tokens"]["train.rows"] + told["tokens"]["eval.rows"] == told["dataset"]["rows"] == 120


def test_a_run_does_not_go_on_with_other_rows_of_the_same_conversations(run: Path) -> None:
    job = read(run)
    assert job is not None
    check_same(job, job, run)
    other = replace(job, stats={**job.stats, "train.token_rows": job.stats["train.token_rows"] + 1})
    with pytest.raises(RunRefused, match="other rows of tokens"):
        check_same(job, other, run)
    check_same(job, replace(other, stats={**other.stats, "train.rows": 1}), run)  # of the first rows only: no telling


def test_the_card_shows_the_origin_the_numbers_and_the_curve(run: Path) -> None:
    told, card = manifest.read(run / "adapter"), (run / "adapter" / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: peft\nbase_model:")
    for text in (told["dataset"]["digest"], told["template"]["digest"], "train_loss", "eval_loss", "(loss.svg)"):
        assert text in card
    picture = ElementTree.parse(run / "adapter" / "loss.svg").getroot()
    line = picture.find("{http://www.w3.org/2000/svg}polyline")
    assert line is not None
    assert len(line.attrib["points"].split()) == 8
    assert len(picture.findall("{http://www.w3.org/2000/svg}circle")) == 2


def test_a_curve_of_one_point_or_none_is_a_picture_still() -> None:
    for losses in ([], [(1, 2.0)], [(1, 2.0), (2, 2.0)]):
        ElementTree.fromstring(manifest.curve_svg(losses, []))


def test_whichever_file_of_an_adapter_is_changed_or_missing_is_named(adapter: Path) -> None:
    told = manifest.read(adapter)
    manifest.check_files(adapter, told)
    assert told["files"].keys() == {path.name for path in adapter.iterdir()} - {manifest.FILE}
    for name in told["files"]:
        whole = (adapter / name).read_bytes()
        (adapter / name).write_bytes(whole[:-1])
        with pytest.raises(TrainingError, match=f"{name} not as written"):
            manifest.check_files(adapter, told)
        (adapter / name).unlink()
        with pytest.raises(TrainingError, match=name):
            manifest.check_files(adapter, told)
        (adapter / name).write_bytes(whole)


def test_another_base_is_refused_naming_both(run: Path) -> None:
    told = manifest.read(run / "adapter")
    with pytest.raises(RunRefused, match=r"trained on .*/tiny/.* and the base given is /models/other"):
        manifest.check_base(told, BaseModel("/models/other", "0" * 64))


def test_the_digest_of_a_base_model_covers_config_and_weights(run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(manifest.read(run / "adapter")["base"]["model"], tmp_path / "model"))
    before = base_model(str(folder)).digest
    assert before == manifest.read(run / "adapter")["base"]["digest"]
    weights = next(folder.glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    assert base_model(str(folder)).digest != before


def test_an_adapter_without_or_with_a_damaged_manifest_is_refused(adapter: Path) -> None:
    (adapter / manifest.FILE).write_text("{")
    with pytest.raises(RunRefused, match="is damaged"):
        manifest.read(adapter)
    (adapter / manifest.FILE).unlink()
    with pytest.raises(RunRefused, match="expected an adapter that `winnow train` wrote"):
        manifest.read(adapter)
