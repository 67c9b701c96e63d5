"""What the documents name is there: commands and options, files, tables, columns, formats, targets of make."""

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from conf import tables
from jobs import cli, formats
from jobs.tables import SCHEMAS
from tests.commands import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
SOURCES = [
    *PAGES,
    ROOT / "Dockerfile",
    *ROOT.glob("conf/**/*.yaml"),
    *ROOT.glob("jobs/*.py"),
    *ROOT.glob("training/*.py"),
]
WINNOW = re.compile(r"^(?:\s*|# |.*docker run .* winnow )(winnow(?: [a-z]+-?[a-z]* .*| doctor))$", re.MULTILINE)
"""A line that is a command, as a shell or a comment has it."""
SUBMIT = re.compile(r"^(?:\$SUBMIT|spark-submit \.\.\.) +jobs/(\w+)\.py +(.*)$", re.MULTILINE)


def read(path: Path) -> str:
    """A file's text, lines that go on joined."""
    return re.sub(r"\\+\n *", "", path.read_text(encoding="utf-8"))


def commands() -> Iterator[str]:
    """What follows `winnow` in every command of the documents, comments left out."""
    for path in SOURCES:
        text = read(path)
        yield from (found[1].removeprefix("winnow ") for found in WINNOW.finditer(text) if "..." not in found[1])
        for job, arguments in SUBMIT.findall(text):
            yield arguments if job == "cli" else f"{job} {arguments}"


COMMANDS = sorted(set(commands()))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_documents_is_taken(command: str) -> None:
    words = shlex.split(command.replace("[--", "--").replace("]", ""), comments=True)
    assert cli._parser().parse_args(words).command == words[0]


def test_there_are_commands_to_look_at() -> None:
    assert len(COMMANDS) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        file = (page.parent / target) if target else page
        assert file.exists(), target
        headings = re.findall(r"^#+ (.*)$", file.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in [heading.lower().replace(" ", "-").replace("`", "") for heading in headings]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_target_or_module_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9.-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z0-9.-]+)`", text)) <= targets
    for module in re.findall(r"python -m\s+((?:benchmarks|training|jobs)[\w.]*\w)", text):
        assert find_spec(module), module


def test_every_column_is_explained_under_its_table() -> None:
    sections = re.split(r"^## ", (ROOT / "docs/tables.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    explained = {
        name: re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (.*?) \|", section, re.MULTILINE)))
        for section in sections
        for name in re.findall(r"`(\w+)`", section.partition("\n")[0])
    }
    assert {name: sorted(columns) for name, columns in explained.items()} == {
        name: sorted(schema.names) for name, schema in SCHEMAS.items()
    }


def test_the_readme_lists_every_table_and_every_format() -> None:
    text = read(ROOT / "README.md")
    lake, reads = (text.partition(f"## {title}\n")[2].partition("\n## ")[0] for title in ("The lake", "What it reads"))
    rows = re.findall(r"^\| (.*?) \|", lake, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", " ".join(rows))) == sorted(tables.TABLES)
    assert sorted(re.findall(r"^\| `(\w+)` \|", reads, re.MULTILINE)) == sorted(each.NAME for each in formats.FORMATS)
