"""A long tokenising is never silent, and never a flood."""

import os
import time

import pytest

from training.progress import telling


@pytest.mark.parametrize(("every", "told"), [(0.0, [1, 2, 3]), (1.0, [2, 3]), (3600.0, [3])])
def test_a_log_has_a_line_when_it_is_time_and_one_at_the_end(
    capsys: pytest.CaptureFixture[str], every: float, told: list[int]
) -> None:
    tell = telling(every)
    tell(1, 3)
    time.sleep(1)
    tell(2, 3)
    tell(3, 3)
    assert capsys.readouterr().err == "".join(f"tokenising: {done} of 3 rows\n" for done in told)


def test_a_terminal_has_one_line_that_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.openpty()
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        tell = telling()
        for done in (1, 2, 3):
            tell(done, 3)
        said = ""
        while "\n" not in said:  # it comes as the terminal passes it on
            said += os.read(reader, 1000).decode()
    os.close(reader)
    assert said.split("\r")[1:4] == [f"tokenising: {done} of 3 rows" for done in (1, 2, 3)]
    assert said.count("\n") == 1
