"""No module of ours is imported in the place of another: the price of plain top-level packages, paid once."""

import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.commands import ROOT

ROOMS = ("conf", "udfs", "jobs", "training")
KNOWN = {
    "training/numbers.py": "ranks are started by `python -m training.sft`: no folder of training's is on the path",
    "training/slurm/queue.py": "the same",
    "udfs/delta": "nothing in udfs is started as a script",
}
"""Names that others have too, and why nothing can take them for the others."""


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_a_package_of_ours_alone(room: str) -> None:
    assert set(packages_distributions()[room]) == {"chat-winnow"}


def test_no_module_is_named_as_one_of_python_or_of_a_dependency() -> None:
    """`spark-submit jobs/dedup.py` puts `jobs/` first on the path: a `jobs/delta.py` would be everybody's `delta`."""
    others = {*sys.stdlib_module_names, *packages_distributions()} - {*ROOMS, "__init__"}
    modules = [path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*") if is_module(path)]
    assert {str(path.relative_to(ROOT)) for path in modules if path.stem in others} == KNOWN.keys()


def is_module(path: Path) -> bool:
    """Can it be imported: a file of Python, or a folder of them?"""
    return path.suffix == ".py" or (path / "__init__.py").is_file()
