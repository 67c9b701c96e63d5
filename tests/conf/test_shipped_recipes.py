"""Every shipped recipe loads, names only real keys, says what each does, and is found without a path."""

import re
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

from conf.recipe import describe, load, shipped
from conf.settings import Settings

NAMES = ["character", "lmsys", "sharegpt", "smoke"]


def text(name: str) -> str:
    return resources.files("conf").joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def keys(values: dict, prefix: str = "") -> list[str]:
    found = []
    for key, value in values.items():
        found += keys(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]
    return found


def test_the_shipped_recipes_are_listed_sorted():
    assert shipped() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_recipe_is_found_by_name_from_any_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load(name)
    assert settings.name == name
    assert load(f"{name}.yaml") == load(f"conf/{name}.yaml") == settings


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_the_same_name_does_not_hide_a_shipped_recipe(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    assert load(name).name == name


def test_a_file_hides_a_shipped_recipe_of_the_same_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lmsys.yaml").write_text("name: mine")
    assert load("lmsys.yaml").name == "mine"


def test_shipped_recipes_load_from_a_zip(tmp_path):
    folder = Path(str(resources.files("conf")))
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as app:
        for file in [*folder.glob("*.py"), *folder.glob("*.yaml")]:
            app.write(file, f"conf/{file.name}")
    code = (
        "import sys; sys.path.insert(0, 'app.zip'); from conf import recipe; print(recipe.load('conf/lmsys.yaml').name)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("lmsys\n", "")


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_starts_with_the_line_that_runs_it(name):
    first = text(name).splitlines()[0]
    assert re.fullmatch(rf"# winnow run --config conf/{name}\.yaml --input \S+/ --lake lake", first)


@pytest.mark.parametrize("name", NAMES)
def test_every_key_of_a_recipe_is_in_the_description_of_its_settings(name):
    described = {line.partition(" = ")[0] for line in describe(load(name))}
    assert set(keys(yaml.safe_load(text(name)))) <= described


@pytest.mark.parametrize(
    ("name", "source", "dropped"),
    [
        ("lmsys", "lmsys", []),
        ("sharegpt", "sharegpt", []),
        ("character", "character", ["refusal", "serving_error", "advert"]),
        ("smoke", "sample", ["serving_error"]),
    ],
)
def test_a_recipe_has_its_source_and_drops_its_keywords(name, source, dropped):
    settings = load(name)
    assert (settings.input.source, settings.rules.keywords.drop) == (source, dropped)


def test_lmsys_changes_no_default_but_its_names():
    values = {"name": "lmsys", "input": {"source": "lmsys"}}
    assert load("lmsys") == Settings.model_validate(values)
