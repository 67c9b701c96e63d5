"""Every shipped training recipe loads, names only real keys, says what each does; errors are as good as the jobs'."""

import re
from importlib import resources

import pytest
import yaml  # type: ignore[import-untyped]

from conf.recipe import SettingsError, describe, digest, load, shipped
from conf.settings import Settings
from conf.training import Training, seconds

NAMES = ["smoke", "zephyr-7b-lora"]


def text(name: str) -> str:
    return resources.files("conf").joinpath("train", f"{name}.yaml").read_text(encoding="utf-8")


def keys(values: dict, prefix: str = "") -> list[str]:
    found = []
    for key, value in values.items():
        found += keys(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]
    return found


def test_the_shipped_training_recipes_are_listed_sorted():
    assert shipped(Training) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_training_recipe_is_found_by_name_from_any_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load(name, tree=Training)
    assert (type(settings), settings.name) == (Training, name)
    assert load(f"conf/train/{name}.yaml", tree=Training) == load(f"{name}.yaml", tree=Training) == settings


@pytest.mark.parametrize("name", NAMES)
def test_a_training_recipe_starts_with_the_line_that_runs_it(name):
    first = text(name).splitlines()[0]
    assert re.fullmatch(rf"# winnow train --config conf/train/{name}\.yaml --lake \S+( --pin \S+)? --out \S+", first)


@pytest.mark.parametrize("name", NAMES)
def test_every_key_of_a_training_recipe_is_in_the_description_of_its_settings(name):
    described = {line.partition(" = ")[0] for line in describe(load(name, tree=Training))}
    assert set(keys(yaml.safe_load(text(name)))) <= described


def test_smoke_of_one_tree_is_not_smoke_of_the_other():
    assert isinstance(load("smoke"), Settings)
    assert isinstance(load("smoke", tree=Training), Training)
    assert digest(load("smoke")) != digest(load("smoke", tree=Training))


PROBLEMS = {
    "choice_of_numbers": ("zero.stage=5", "`zero.stage`: expected one of `0`, `1`, `2`, `3`, found the number 5"),
    "nearest_key": ("data.maxtokens=3", "unknown key `data.maxtokens`; nearest valid: `data.max_tokens`"),
    "digits_want_quotes": ("launch.partition=12", "found the number 12; put it in quotes"),
    "bounds": ("lora.r=0", "`lora.r`: expected a whole number from 1 to 4096, found the number 0"),
    "time": ("launch.time_limit=soon", "expected a time such as 04:00:00 or 1-12:00:00"),
    "another_version": ("version=2", "this Winnow reads recipe version 1, found the number 2"),
    "key_of_the_other_tree": ("dedup.threshold=0.7", "unknown key `dedup`"),
    "option_without_dash": (
        "launch.options=[exclusive]",
        "`launch.options[0]`: expected an option of sbatch on one line",
    ),
    "option_of_two_lines": ('launch.options=["--exclusive\\nrm"]', "expected an option of sbatch on one line"),
    "partition_of_two_lines": ('launch.partition="a\\nb"', "`launch.partition`: expected a name"),
    "no_name_of_a_variable": ("launch.env={NCCL-DEBUG: INFO}", "`launch`: env has 'NCCL-DEBUG'"),
    "signal_before_the_start": (
        "launch.time_limit='5'",
        "signal_seconds 300 is not below time_limit 5, which is 300 seconds",
    ),
    "no_cache": ('data.cache=""', "`data.cache`: expected a folder"),
    "no_loss_on_nobody": ("data.loss_on=user", "expected one of `assistant`, `last`, `all`"),
}


@pytest.mark.parametrize(("override", "problem"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_wrong_training_setting_is_told_as_the_jobs_tell_theirs(override, problem):
    with pytest.raises(SettingsError, match=re.escape(problem)):
        load(None, [override], tree=Training)


LIMITS = {"5": 300, "5:30": 330, "01:00:00": 3600, "1-2": 93_600, "1-02:03": 93_780, "1-02:03:04": 93_784, "0": 0}


@pytest.mark.parametrize(("limit", "expected"), LIMITS.items())
def test_a_time_limit_is_read_as_slurm_reads_it(limit, expected):
    assert seconds(limit) == expected
    assert not expected or load(None, [f"launch.time_limit='{limit}'", "launch.signal_seconds=10"], tree=Training)


def test_offload_without_a_stage_is_told_at_the_key_that_was_written():
    with pytest.raises(SettingsError, match=re.escape("--set zero.offload=cpu: `zero`: offload needs stage 1, 2 or 3")):
        load("smoke", ["zero.stage=0", "zero.offload=cpu"], tree=Training)


def test_environment_variables_stay_text_as_written():
    assert load(None, ["launch.env.NCCL_DEBUG=1"], tree=Training).launch.env == {"NCCL_DEBUG": "1"}


def test_the_2023_recipe_has_24_conversations_a_step_on_its_one_gpu():
    settings = load("zephyr-7b-lora", tree=Training)
    gpus = settings.launch.nodes * settings.launch.gpus_per_node
    assert settings.schedule.per_device_batch * settings.schedule.accumulation * gpus == 24
    assert (settings.schedule.epochs, settings.schedule.scheduler, settings.data.packing) == (2, "cosine", False)
