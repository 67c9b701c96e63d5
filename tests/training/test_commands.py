"""What the options of the training commands take."""

import sys
from pathlib import Path

import pytest

from jobs.cli import main
from training import lock, ranks

RUN = ["--lake", "lake", "--out", "out"]
MEANINGLESS = {
    "no_rank": ["train", *RUN, "--ranks", "0"],
    "fewer_than_no_rank": ["train", *RUN, "--check", "--ranks", "-1"],
    "half_a_rank": ["train", *RUN, "--ranks", "1.5"],
    "no_time": ["jobs", "--follow", "--every", "-1"],
    "no_size": ["adapter", "merge", "adapter", "--out", "out", "--shard-gb", "0"],
    "endless": ["jobs", "--follow", "--every", "inf"],
    "no_answer": ["chat", "--adapter", "adapter", "--max-tokens", "0"],
}


@pytest.mark.parametrize("words", MEANINGLESS.values(), ids=MEANINGLESS)
def test_a_number_that_means_nothing_is_refused_by_the_options_name(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"argument {words[-2]}: expected a " in said
    assert f"found {words[-1]!r}" in said


def test_debug_is_for_the_ranks_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WINNOW_DEBUG", "")
    out = str(tmp_path / "run")
    assert main(["train", "--lake", "none", "--out", out, "--set", "launch.gpus_per_node=0", "--debug"]) == 2
    capfd.readouterr()
    with lock.held(Path(out)) as file:
        assert ranks.run([sys.executable, "-m", "training.sft", out], 1, 1, file) == 2
    assert "Traceback" in capfd.readouterr().err
