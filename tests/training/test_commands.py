"""What the options of the training commands take."""

import pytest

from jobs.cli import main

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
