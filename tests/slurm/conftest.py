"""One Slurm of two nodes, one lake, and the small run of two ranks, for all tests here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.pins import pin
from tests.commands import lacking
from tests.slurm import cluster
from tests.slurm.runs import Cluster
from tests.versions.lakes import make_lake


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of 300 conversations, pinned as ``baseline``, and nothing else in its folder."""
    folder = tmp_path_factory.mktemp("slurm")
    pin(make_lake(folder / "lake", 300), "baseline", 0)
    return folder


@pytest.fixture(scope="session")
def slurm(data: Path) -> Iterator[Cluster]:
    """The cluster; where there is none to start, the tests say what to install."""
    if missing := cluster.missing():
        lacking(f"no {', '.join(missing)} on this machine: apt-get install slurm-wlm munge, as root")
    with cluster.running() as conf:
        yield Cluster(conf, data)
