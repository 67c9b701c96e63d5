"""One lake of chats and one finished run, shared by all tests of training."""

from pathlib import Path

import pytest

from tests.training.runs import chat_lake, trained


@pytest.fixture(scope="session")
def chats(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A lake of 120 chats, pinned as `baseline`."""
    return chat_lake(tmp_path_factory.mktemp("training") / "lake")


@pytest.fixture(scope="session")
def run(chats: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of eight steps on two processes with ZeRO 2, never disturbed."""
    return trained(chats, tmp_path_factory.mktemp("runs") / "whole")
