"""A recipe and its overrides become the settings that they say, and the settings can be told and compared."""

import re
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from conf.recipe import describe, digest, load
from conf.settings import Settings

VALUES = {
    # YAML 1.1 would read these as booleans
    "off_stays_text": ("dedup.near=off", "off"),
    "no_stays_text_in_a_list": ("rules.keywords.drop=[no, yes, on, y]", ["no", "yes", "on", "y"]),
    "date_stays_text": ("name=2024-01-01", "2024-01-01"),
    "base_60_stays_text": ("input.format=12:30:45", "12:30:45"),
    "only_true_and_false": ("rules.edits.fix_unicode=False", False),
    # numbers
    "exponent_for_whole": ("dedup.max_edges=5e6", 5_000_000),
    "underscores": ("dedup.max_edges=1_000", 1000),
    "leading_zero_is_decimal": ("dedup.bands=010", 10),
    "hexadecimal": ("dedup.seed=0x10", 16),
    "octal": ("dedup.seed=0o10", 8),
    "whole_float_for_whole": ("dedup.bands=20.0", 20),
    "whole_for_number": ("dedup.threshold=1", 1.0),
    "short_number": ("dedup.threshold=.7", 0.7),
    # text
    "quoted_number": ('name="2024"', "2024"),
    "empty_text": ('rules.keywords.folder=""', ""),
    "equals_sign": ("input.mt_bench.questions=a=b", "a=b"),
    "spaces_around": ("name = x", "x"),
    "empty_list": ("dedup.survivor=[]", []),
}


def at(settings: Settings, key: str) -> Any:
    value: Any = settings
    for part in key.strip().split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize(("override", "value"), VALUES.values(), ids=VALUES)
def test_a_plain_value_means_what_it_looks_like(override, value):
    found = at(load(None, [override]), override.partition("=")[0])
    assert (found, type(found)) == (value, type(value))


def test_no_recipe_is_the_defaults():
    assert load(None) == Settings()


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}", "\ufeff", "dedup:\nspark:\nrules:\n  edits:\n"])
def test_an_empty_recipe_or_section_is_the_defaults(tmp_path, text):
    (tmp_path / "my.yaml").write_text(text, encoding="utf-8")
    assert load(str(tmp_path / "my.yaml")) == Settings()


def test_an_override_wins_over_the_recipe_and_a_later_one_over_an_earlier(tmp_path):
    (tmp_path / "my.yaml").write_text("dedup:\n  threshold: 0.6\n  rows: 4\n")
    settings = load(str(tmp_path / "my.yaml"), ["dedup.threshold=0.8", "dedup.threshold=0.9"])
    assert (settings.dedup.threshold, settings.dedup.rows) == (0.9, 4)


def test_an_override_of_a_section_replaces_what_the_recipe_says_there(tmp_path):
    (tmp_path / "my.yaml").write_text("dedup:\n  threshold: 0.6\n  rows: 4\n")
    assert load(str(tmp_path / "my.yaml"), ["dedup={bands: 9}"]) == load(None, ["dedup.bands=9"])


def test_spark_settings_are_text_as_written():
    overrides = ["spark.spark.sql.shuffle.partitions=4", "spark.spark.ui.enabled=false", "spark.spark.a.b=5e6"]
    assert load(None, overrides).spark == {
        "spark.sql.shuffle.partitions": "4",
        "spark.ui.enabled": "false",
        "spark.a.b": "5e6",
    }


def leaves(section: BaseModel, prefix: str = "") -> Iterator[str]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_describe_has_one_line_for_every_value_in_tree_order():
    assert [line.partition(" = ")[0] for line in describe(Settings())] == list(leaves(Settings()))


def test_describe_marks_only_what_differs_from_the_default():
    overrides = ["dedup.threshold=0.8", "rules.keywords.drop=[refusal]", "spark.spark.x=1", "dedup.rows=5"]
    lines = describe(load(None, overrides))
    assert [line for line in lines if "(default" in line] == [
        "rules.keywords.drop = [refusal]  (default [])",
        "dedup.threshold = 0.8  (default 0.7)",
        'spark.spark.x = "1"  (default unset)',
    ]


@pytest.mark.parametrize(
    "key",
    [
        "fs.s3a.secret.key",
        "fs.s3a.access.key",
        "fs.s3a.encryption.key",
        "fs.azure.account.key.us.dfs.core.windows.net",
        "fs.azure.sas.box.us.blob.core.windows.net",
        "fs.gs.auth.service.account.private.key",
    ],
)
def test_describe_hides_secrets(key):
    lines = describe(load(None, [f"spark.spark.hadoop.{key}=abc"]))
    assert lines[-1] == f"spark.spark.hadoop.{key} = ***  (default unset)"


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.from_regex(r"\A[A-Za-z0-9_.-]{1,8}\Z"),
        "rules": st.fixed_dictionaries({"keywords": st.fixed_dictionaries({"folder": TEXT, "drop": st.lists(TEXT)})}),
        "dedup": st.fixed_dictionaries(
            {
                "threshold": st.floats(0.5, 1),
                "rows": st.integers(1, 64),
                "near": st.sampled_from(["drop", "tag", "off"]),
            }
        ),
        "spark": st.dictionaries(st.from_regex(r"\Aspark(\.[a-z]{1,4}){1,3}\Z"), TEXT, max_size=3),
    },
)


@given(CHANGES)
@hypothesis.settings(max_examples=40)
def test_lines_of_describe_are_overrides_that_give_the_same_settings(changes):
    settings = Settings.model_validate(changes)
    lines = describe(settings)
    assert all(len(line.splitlines()) == 1 for line in lines)
    overrides = [re.sub(r"  \(default .*\)\Z", "", line) for line in lines]
    assert load(None, overrides) == settings


def test_the_order_of_keys_does_not_change_the_digest(tmp_path):
    (tmp_path / "a.yaml").write_text("name: x\ndedup: {rows: 4, bands: 9}\nspark: {spark.a: 1, spark.b: 2}")
    (tmp_path / "b.yaml").write_text("spark: {spark.b: 2, spark.a: 1}\ndedup: {bands: 9, rows: 4}\nname: x")
    assert digest(load(str(tmp_path / "a.yaml"))) == digest(load(str(tmp_path / "b.yaml")))


def test_a_default_written_out_or_written_otherwise_does_not_change_the_digest():
    assert digest(load(None, ["dedup.max_edges=1e7", "dedup.threshold=0.70"])) == digest(Settings())


@pytest.mark.parametrize(
    "override", ["dedup.rows=4", "rules.edits.fix_unicode=false", "spark.spark.a=1", "dedup.survivor=[]"]
)
def test_a_changed_value_changes_the_digest(override):
    assert digest(load(None, [override])) != digest(Settings())


def test_the_digest_of_a_section_depends_on_that_section_alone():
    changed = load(None, ["dedup.rows=4", "name=x"])
    assert digest(changed.rules) == digest(Settings().rules)
    assert digest(changed.dedup) != digest(Settings().dedup)
    assert re.fullmatch("[0-9a-f]{16}", digest(changed.dedup))
