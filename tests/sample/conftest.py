"""One small sample for all tests here."""

from pathlib import Path

import pytest

from jobs.sample import write_sample

CONVERSATIONS = 600


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sample of :data:`CONVERSATIONS` conversations."""
    folder = tmp_path_factory.mktemp("sample") / "out"
    write_sample(folder, CONVERSATIONS, seed=3)
    return folder
