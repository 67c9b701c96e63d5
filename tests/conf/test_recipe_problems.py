"""Every mistake in a recipe is told at once: where it is, what was expected, what was found, what to write instead."""

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf.recipe import SettingsError, digest, load, shipped
from conf.rules import LanguageCode

KEYS = "`version`, `name`, `input`, `rules`, `linguistics`, `decontaminate`, `dedup`, `publish`, `spark`"
NAME = "a name of letters, digits, `_`, `.` and `-`"
CODES = "one of " + ", ".join(f"`{code}`" for code in get_args(LanguageCode))
LEVELS = "one of `drop`, `tag`, `off`"

CASES = {
    # keys
    "misspelt_key": ("dedup:\n  treshold: 0.8", ["2: unknown key `dedup.treshold`; nearest valid: `dedup.threshold`"]),
    "misspelt_section": ("publsh:\n  eval_share: 0.1", ["1: unknown key `publsh`; nearest valid: `publish`"]),
    "key_of_another_section": (
        "\nrules:\n  language: {threshold: 0.8}",
        ["3: unknown key `rules.language.threshold`; nearest valid: `dedup.threshold`"],
    ),
    "key_without_its_section": ("keep: [en]", ["1: unknown key `keep`; nearest valid: `rules.language.keep`"]),
    "key_near_nothing": ("qqqqzzzz: 1", [f"1: unknown key `qqqqzzzz`; valid keys here: {KEYS}"]),
    "dotted_key": (
        "dedup.threshold: 0.8",
        ["1: unknown key `dedup.threshold`; write `threshold:` on a line of its own under `dedup:`"],
    ),
    "number_as_key": ("7: x", [f"1: unknown key `7`; valid keys here: {KEYS}"]),
    "empty_key": ('"": x', ['1: the recipe: expected plain text as a key, found ""']),
    "list_as_key": ("dedup: {[a, b]: 1}", ["1: `dedup`: expected plain text as a key, found a list or a section"]),
    "merge_key": ("<<: {name: x}", [f"1: unknown key `<<`; valid keys here: {KEYS}"]),
    "duplicate_key": (
        "dedup:\n  rows: 5\n  bands: 25\n  rows: 5",
        ["4: duplicate key `dedup.rows`, first on line 2; keep one of them"],
    ),
    "duplicate_section": ("dedup: {}\ndedup: {}", ["2: duplicate key `dedup`, first on line 1; keep one of them"]),
    # values
    "quoted_number": (
        'dedup:\n  threshold: "0.7"',
        ['2: `dedup.threshold`: expected a number above 0 and at most 1, found the text "0.7"'],
    ),
    "out_of_bounds": (
        "dedup: {rows: 0}",
        ["1: `dedup.rows`: expected a whole number from 1 to 64, found the number 0"],
    ),
    "shingles_too_few_to_compare": (
        "dedup: {min_shingles: 2}",
        ["1: `dedup.min_shingles`: expected a whole number of at least 3, found the number 2"],
    ),
    "one_bound": (
        "input: {max_expansion: 1}",
        ["1: `input.max_expansion`: expected a number above 1, found the number 1"],
    ),
    "fraction_for_whole": (
        "dedup: {bands: 2.5}",
        ["1: `dedup.bands`: expected a whole number from 1 to 256, found the number 2.5"],
    ),
    "yes_for_true": (
        "rules:\n  edits:\n    fix_unicode: yes",
        ['3: `rules.edits.fix_unicode`: expected true or false, found the text "yes"'],
    ),
    "number_for_true": (
        "rules: {edits: {fix_unicode: 1}}",
        ["1: `rules.edits.fix_unicode`: expected true or false, found the number 1"],
    ),
    "true_for_number": (
        "publish: {eval_share: true}",
        ["1: `publish.eval_share`: expected a number from 0 to 1, found true"],
    ),
    "on_for_level": ("dedup: {near: on}", [f'1: `dedup.near`: expected {LEVELS}, found the text "on"']),
    "false_for_level": ("dedup: {near: false}", [f"1: `dedup.near`: expected {LEVELS}, found false"]),
    "number_for_text": ("name: 2024", [f"1: `name`: expected {NAME}, found the number 2024; put it in quotes"]),
    "space_in_name": ('name: "a b"', [f'1: `name`: expected {NAME}, found the text "a b"']),
    "nothing_for_text": ("name:", [f'1: `name`: expected {NAME}, found nothing; empty text is written ""']),
    "text_for_list": (
        "rules: {keywords: {drop: refusal}}",
        ['1: `rules.keywords.drop`: expected a list, each entry text, found the text "refusal"'],
    ),
    "wrong_entry_of_list": (
        "dedup:\n  survivor:\n    - turns\n    - chars",
        [
            "4: `dedup.survivor[1]`: expected one of `complete`, `answered`, `quality`, `not_redacted`, `turns`, "
            '`characters`, `earliest`, found the text "chars"'
        ],
    ),
    "name_for_code_of_language": (
        "rules:\n  language:\n    keep: [en, English, zh-cn, jp, xx]",
        [
            f'3: `rules.language.keep[1]`: expected {CODES}, found the text "English"; nearest valid: `en`',
            f'3: `rules.language.keep[2]`: expected {CODES}, found the text "zh-cn"; nearest valid: `zh`',
            f'3: `rules.language.keep[3]`: expected {CODES}, found the text "jp"; nearest valid: `ja`',
            f'3: `rules.language.keep[4]`: expected {CODES}, found the text "xx"; nearest valid: `xh`',
        ],
    ),
    "number_for_code_of_language": (
        "rules: {language: {keep: [7]}}",
        [f"1: `rules.language.keep[0]`: expected {CODES}, found the number 7"],
    ),
    "value_for_section": (
        "input: 3",
        ["1: `input`: expected a section with keys such as `source`, `format`, `max_record_bytes`, found the number 3"],
    ),
    "list_for_spark": ("spark: {a: [1]}", ["1: `spark.a`: expected text, found a list"]),
    "setting_of_spark_by_half_its_name": (
        "spark:\n  driver.memory: 4g\n  spark.ui.enabled: false",
        [
            "2: `spark`: Spark's settings begin with `spark.` and it ignores `driver.memory`: "
            "write `spark.driver.memory`"
        ],
    ),
    "not_a_number": ("dedup: {threshold: .nan}", ["1: `dedup.threshold`: expected a finite number, found .nan"]),
    "infinite": ("input: {max_expansion: .inf}", ["1: `input.max_expansion`: expected a finite number, found .inf"]),
    "overflow": ("input: {max_expansion: 1e999}", ["1: `input.max_expansion`: expected a finite number, found 1e999"]),
    "too_many_digits": (
        f"dedup: {{bands: {'9' * 20}}}",
        [f"1: `dedup.bands`: expected a number of at most 63 bits, found {'9' * 20}"],
    ),
    "lone_surrogate_in_a_key": (
        'spark: {"\\ud800": 1}',
        ['1: `spark`: expected plain text as a key, found "\\U0000d800"'],
    ),
    "lone_surrogate": ('name: "\\ud800"', ["1: `name`: expected valid Unicode, found \\U0000d800"]),
    "rule_over_two_keys": (
        "dedup:\n  related: 0.9\n  rows: 5",
        ["2: `dedup`: related (0.9) must not exceed threshold (0.7)"],
    ),
    # the recipe as a whole
    "list_at_the_top": (
        "- a",
        ["1: the recipe: expected a section with keys such as `version`, `name`, `input`, found a list"],
    ),
    "text_at_the_top": (
        "\nlmsys",
        ['2: the recipe: expected a section with keys such as `version`, `name`, `input`, found the text "lmsys"'],
    ),
    "another_version": (
        "name: x\nversion: 2\nnew: 1",
        ["2: `version`: this Winnow reads recipe version 1, found the number 2"],
    ),
    "version_true": ("version: true", ["1: `version`: this Winnow reads recipe version 1, found true"]),
    "version_as_text": ('version: "1"', ['1: `version`: this Winnow reads recipe version 1, found the text "1"']),
    # YAML
    "tab": (
        "dedup:\n\tnear: off",
        ["2:1: not valid YAML: found character '\\t' that cannot start any token (indent with spaces, not tabs)"],
    ),
    "bad_indentation": (
        "dedup:\n  near: drop\n rows: 5",
        [
            "3:2: not valid YAML: expected <block end>, but found '<block mapping start>' "
            "(the indentation does not match the lines above)"
        ],
    ),
    "missing_colon": (
        "dedup\nname: x",
        [
            "2:5: not valid YAML: mapping values are not allowed here "
            "(a key needs a colon, and text that holds `: ` needs quotes)"
        ],
    ),
    "two_documents": ("name: a\n---\nname: b", ["2:1: not valid YAML: but found another document"]),
    "control_character": ("name: a\n\x01", ["2: not valid YAML: character U+0001 is not allowed"]),
    "escape_out_of_range": ('# x\nname: "\\UFFFFFFFF"', ["2: not valid YAML: a number or an escape is out of range"]),
    "too_deep": (f"name: {'[' * 40}", ["1: nested deeper than 32 levels"]),
    "tag": (
        "name: !!python/name:os.system x",
        ['1: tag "tag:yaml.org,2002:python/name:os.system": recipes have no tags; leave it out'],
    ),
    "alias": ("name: &a x\ninput: {source: *a}", ["2: alias `*a`: recipes have no aliases; write the value again"]),
    "undefined_alias": ("name: *a", ["1: alias `*a`: recipes have no aliases; write the value again"]),
    "recursive_alias": (
        "rules: &a {language: *a}",
        ["1: alias `*a`: recipes have no aliases; write the value again"],
    ),
    # several
    "several_by_line": (
        "spark: {a: }\ndedup:\n  rows: 5\n  rows: 6\n  bands: .inf\nversions: 1",
        [
            '1: `spark.a`: expected text, found nothing; empty text is written ""',
            "4: duplicate key `dedup.rows`, first on line 3; keep one of them",
            "5: `dedup.bands`: expected a finite number, found .inf",
            "6: unknown key `versions`; nearest valid: `version`",
        ],
    ),
}


def problems(path: Path | str | None, *overrides: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        load(None if path is None else str(path), overrides)
    assert str(raised.value) == "\n".join(raised.value.problems)
    return raised.value.problems


def write(folder: Path, data: str | bytes) -> Path:
    path = folder / "my.yaml"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_each_mistake_is_told_with_its_line_and_what_to_write(tmp_path, text, expected):
    path = write(tmp_path, text)
    assert problems(path) == [f"{path}:{line}" for line in expected]


def test_a_missing_file_names_the_shipped_recipes(tmp_path):
    path = tmp_path / "mine.yaml"
    assert problems(path) == [f"{path}: no such file; shipped recipes: {', '.join(shipped())}"]


def test_a_missing_file_is_not_replaced_by_a_shipped_recipe_of_the_same_name(tmp_path):
    assert "no such file" in problems(tmp_path / "lmsys.yaml")[0]


def test_a_folder_is_not_a_recipe(tmp_path):
    assert problems(tmp_path)[0].startswith(f"{tmp_path}: a folder, not a recipe; shipped recipes: ")


def test_a_file_too_large_to_be_a_recipe_is_refused_before_parsing(tmp_path):
    path = write(tmp_path, "[" * 100_000)
    assert problems(path) == [f"{path}: larger than 64,000 bytes, so not a recipe"]


def test_a_path_that_cannot_be_opened_is_told(tmp_path):
    assert problems("a\0b") == ["a\\U00000000b: cannot be read: embedded null byte"]


def test_a_file_that_is_not_utf_8_is_told_with_the_line(tmp_path):
    path = write(tmp_path, "name: a\n# caf\xe9".encode("latin-1"))
    assert problems(path) == [f"{path}:2: not UTF-8 text (byte 0xe9); save the file as UTF-8"]


def test_a_missing_file_does_not_hide_mistakes_in_overrides(tmp_path):
    assert len(problems(tmp_path / "mine.yaml", "dedup.rows=0")) == 2


OVERRIDES = {
    "dedup.treshold=1": "unknown key `dedup.treshold`; nearest valid: `dedup.threshold`",
    "dedup.rows=a": '`dedup.rows`: expected a whole number from 1 to 64, found the text "a"',
    "dedup.rows=": "`dedup.rows`: expected a whole number from 1 to 64, found nothing",
    "dedup.rows=[": "not valid YAML: expected the node content, but found '<stream end>'",
    "dedup.threshold=0.4": "`dedup`: related (0.5) must not exceed threshold (0.4)",
    "dedup.threshold.x=1": "`dedup.threshold`: expected a number above 0 and at most 1, found a section of keys",
    "dedup.threshold": "expected KEY=VALUE, such as dedup.threshold=0.75",
    "=1": "expected KEY=VALUE, such as dedup.threshold=0.75",
    "dedup..rows=1": "expected KEY=VALUE, such as dedup.threshold=0.75",
    "spark.=1": "expected KEY=VALUE, such as dedup.threshold=0.75",
    "version=2": "`version`: this Winnow reads recipe version 1, found the number 2",
}


@pytest.mark.parametrize(("override", "expected"), OVERRIDES.items(), ids=OVERRIDES)
def test_a_wrong_override_is_told_by_its_own_text(override, expected):
    assert problems(None, override) == [f"--set {override}: {expected}"]


def test_overrides_are_told_after_the_recipe_in_their_order(tmp_path):
    path = write(tmp_path, "name: 1\ninput: 2")
    places = [line.split(": ")[0] for line in problems(path, "dedup.rows=0", "dedup.bands=0", "input.source=x")]
    assert places == [f"{path}:1", f"{path}:2", "--set dedup.rows=0", "--set dedup.bands=0"]


MARKS = [
    "&a ",
    "*a",
    "!",
    "!!int ",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "[",
    "]",
    "{",
    "}",
    "? ",
    ">",
    "'",
    '"',
    "%",
    "---\n",
    "#",
]
ODDITIES = [
    "\t",
    "\r",
    "\0",
    "\u2028",
    "\\U",
    "\\ud800",
    ".nan",
    "1e999",
    "0x",
    "<<",
    "~",
    ",",
    "=",
    "off",
    "true",
    "5e6",
]
KEYWORDS = ["version", "name", "rules", "keep", "dedup", "threshold", "0.7", "spark"]
FRAGMENTS = st.sampled_from(MARKS + ODDITIES + KEYWORDS)


@given(
    st.one_of(st.binary(), st.text().map(str.encode), st.lists(FRAGMENTS).map(lambda parts: "".join(parts).encode()))
)
def test_any_file_loads_or_raises_settings_errors_of_one_line_each(tmp_path_factory, data):
    path = write(tmp_path_factory.getbasetemp(), data)
    try:
        assert len(digest(load(str(path)))) == 16
    except SettingsError as error:
        assert error.problems
        assert all(len(problem.splitlines()) == 1 for problem in error.problems)
        str(error).encode()


@given(st.one_of(st.text(), st.lists(FRAGMENTS).map("".join), st.text().map("dedup.threshold={}".format)))
def test_any_override_loads_or_raises_settings_errors(override):
    try:
        load(None, [override])
    except SettingsError as error:
        assert error.problems
