"""`winnow jobs` where no scheduler answers: what a run's own files say."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from conf.training import Training
from training import monitor, record
from training.errors import RunRefused

GONE = 2**22 + 1
"""A process id that Linux never gives."""


def run(
    folder: Path, files: dict[str, str], job_id: str | None = None, pid: int | None = GONE, **more: str
) -> monitor.RunState:
    """The state of a run with these files."""
    placed = {"name": "smoke", "scheduler": "local", "job_id": job_id, "pid": pid, **more}
    for name, text in {"launch/launch.json": json.dumps(placed), **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return monitor.state(folder)


CASES: list[tuple[dict[str, str], str]] = [
    ({"adapter/manifest.json": "{}"}, "COMPLETED"),
    ({"launch/exit-code": "2\n", "launch/exit-code-4711": "2\n"}, "FAILED"),
    ({"launch/exit-code": "0\n", "launch/exit-code-4711": "0\n"}, "COMPLETED"),  # its adapter was moved since
    ({"launch/exit-code": "75\n", "launch/exit-code-4711": "75\n"}, "SAVED"),
    ({"launch/exit-code-42": "2\n"}, "GONE"),  # of another job
    ({}, "GONE"),
]


@pytest.mark.parametrize(("files", "state"), CASES)
@pytest.mark.parametrize("job_id", [None, "4711"])
def test_a_run_nobody_knows_any_more_is_what_it_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], state: str, job_id: str | None
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(tmp_path, files, job_id).state == state


def test_a_record_that_is_written_meanwhile_is_read_whole(tmp_path: Path) -> None:
    record.write(tmp_path, Training(), None, os.getpid())
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(lambda: [record.write(tmp_path, Training(), None, os.getpid()) for _ in range(200)])
        while not written.done():
            assert monitor.state(tmp_path).state == "RUNNING"
    written.result()


def test_a_local_run_is_running_while_its_process_is(tmp_path: Path) -> None:
    assert run(tmp_path, {}, pid=os.getpid()).state == "RUNNING"
    record.write(tmp_path, Training(), None, os.getpid())
    assert monitor.state(tmp_path).state == "RUNNING"
    record.write(tmp_path, Training(), None, GONE)
    assert monitor.state(tmp_path).state == "GONE"


ELSEWHERE = [
    ({}, "UNKNOWN", "unknown here: runs on gpu-7"),
    ({"launch/exit-code": "0\n"}, "COMPLETED", "exit code 0"),
    ({"launch/exit-code": "2\n"}, "FAILED", "exit code 2"),
    ({"adapter/manifest.json": "{}"}, "COMPLETED", ""),
]


@pytest.mark.parametrize(("files", "state", "detail"), ELSEWHERE)
@pytest.mark.parametrize("pid", [GONE, 1])
def test_a_local_run_of_another_host_is_not_judged_by_a_process_of_this_one(
    tmp_path: Path, files: dict[str, str], state: str, detail: str, pid: int
) -> None:
    found = run(tmp_path, files, pid=pid, host="gpu-7")
    assert (found.state, found.detail) == (state, detail)
    assert found.has_ended == (state != "UNKNOWN")


@pytest.mark.parametrize("state", ["FAILED", "PREEMPTED", "REVOKED", "TIMEOUT"])
def test_a_run_has_ended_in_every_state_that_nothing_follows(state: str) -> None:
    assert monitor.RunState("run", "4711", state, "", {}).has_ended


@pytest.mark.parametrize("state", ["PENDING", "RUNNING", "SUSPENDED", "COMPLETING"])
def test_a_run_that_may_go_on_has_not_ended(state: str) -> None:
    assert not monitor.RunState("run", "4711", state, "", {}).has_ended


def test_a_local_run_that_has_ended_is_not_running_though_its_process_number_is_taken(tmp_path: Path) -> None:
    found = run(tmp_path, {"launch/exit-code": "137\n"}, pid=os.getpid())
    assert (found.state, found.detail) == ("FAILED", "exit code 137")


METRICS: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ('{"step": 1, "loss": 2.0}\n', {"step": 1, "loss": 2.0}),
    ('{"step": 1, "loss": 2.0}\n{"step": 1, "eval_loss": 3.0}\n', {"step": 1, "loss": 2.0, "eval_loss": 3.0}),
    ('{"step": 1, "loss": 2.0}\n{"step": 2, "lo', {"step": 1, "loss": 2.0}),
    ('{"pad": 0}\n' * 20_000 + '{"step": 9}\n', {"pad": 0, "step": 9}),
]


@pytest.mark.parametrize(("text", "found"), METRICS)
def test_the_numbers_are_those_of_the_newest_whole_lines(tmp_path: Path, text: str, found: dict[str, Any]) -> None:
    (tmp_path / "metrics.jsonl").write_text(text)
    assert monitor.last_metrics(tmp_path / "metrics.jsonl") == found


def test_runs_are_found_by_their_folder_or_the_one_above(tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(tmp_path / name, {})
    assert [one.name for one in monitor.find([str(tmp_path)])] == ["one", "two"]
    assert [one.name for one in monitor.find([str(tmp_path / "two")])] == ["two"]
    assert [one.name for one in monitor.find([str(tmp_path / "two"), str(tmp_path)])] == ["two", "one"]
    with pytest.raises(RunRefused, match="winnow submit"):
        monitor.find([str(tmp_path / "three")])
