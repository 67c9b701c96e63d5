"""A lake that took several jobs to make, for each of the tests that go on from it."""

import shutil
from pathlib import Path

from jobs.lake import Lake, open_lake


def copy_of(lake: Lake, folder: Path) -> Lake:
    """The same lake in another folder, which is not there yet."""
    return open_lake(lake.spark, shutil.copytree(lake.path, str(folder)))
