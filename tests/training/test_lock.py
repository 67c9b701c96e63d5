"""Two runs never work in one folder, and a run that is gone keeps nobody out."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobs.cli import main
from tests.commands import ROOT, environment
from tests.training.runs import disturb, losses, rank_processes, train_arguments
from training import lock, sft
from training.errors import RunRefused

HOLD = "import sys; from pathlib import Path; from training import lock\nwith lock.held(Path(sys.argv[1])):\n"


@contextmanager
def holding(out: Path, then: str = "sys.stdin.read()", **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds ``out``, and does ``then`` while it does."""
    code = f"{HOLD} print('held', flush=True)\n {then}"
    command = [sys.executable, "-c", code, str(out)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environment(**variables), stdin=pipe, stdout=pipe, text=True, cwd=ROOT
    ) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_is_refused_at_once_naming_the_process_and_what_to_do(
    chats: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with holding(out) as other:
        for more in ([], ["--prepare"], ["--check"]):
            begun = time.monotonic()
            assert main([*train_arguments(chats, out), *more]) == 2
            said = capsys.readouterr().err
            assert f"process {other.pid} on {os.uname().nodename}" in said
            assert "stop it (kill -USR1: it saves and stops), or give another --out" in said
            assert time.monotonic() - begun < lock.REQUEUE_SECONDS  # it did not wait
        with pytest.raises(RunRefused, match=f"process {other.pid}"):
            sft.run(out)
    assert not (out / "job.json").exists()


def test_a_second_run_beside_one_that_trains_is_refused_and_disturbs_nothing(
    chats: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, codes = tmp_path / "out", []
    code, said, _ = disturb(chats, out, act=lambda _: codes.append(main(train_arguments(chats, out))), after=2)
    assert (codes, code) == ([2], 0), said
    assert "expected no run at work in" in capsys.readouterr().err
    assert losses(out).keys() == set(range(1, 9))


def test_ranks_keep_others_out_until_they_have_ended_though_their_starter_is_killed(chats: str, tmp_path: Path) -> None:
    out, refusals = tmp_path / "out", []

    def act(process: subprocess.Popen[str]) -> None:
        process.kill()
        process.wait()
        try:
            lock.check(out)
        except RunRefused as refusal:
            refusals.append(str(refusal))

    disturb(chats, out, "schedule.max_steps=200", act=act, after=2)
    assert len(refusals) == 1 and "or a rank it started" in refusals[0]
    deadline = time.monotonic() + 60
    while rank_processes(out) and time.monotonic() < deadline:
        time.sleep(0.2)
    lock.check(out)


def test_a_killed_run_keeps_nobody_out_nor_do_the_children_it_forked(tmp_path: Path) -> None:
    fork = "import os, time; os.fork() or (print('forked', flush=True), os.close(1), time.sleep(30)); sys.stdin.read()"
    with holding(tmp_path, fork) as other:
        assert other.stdout and other.stdout.readline() == "forked\n"  # a child lets go of it as soon as it runs
        other.kill()
        other.wait()
        with lock.held(tmp_path):
            pass


def test_a_requeued_job_waits_for_its_own_last_attempt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    with holding(tmp_path, SLURM_JOB_ID="4711") as last:
        threading.Timer(1, last.kill).start()
        with lock.held(tmp_path):
            assert last.wait() < 0
    with holding(tmp_path, SLURM_JOB_ID="42"), pytest.raises(RunRefused, match=r"scancel 42"), lock.held(tmp_path):
        pass


def test_looking_whether_a_run_is_at_work_makes_nothing(tmp_path: Path) -> None:
    lock.check(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("below", [".", "run"])
def test_a_file_in_the_folders_place_is_refused_by_name(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(RunRefused, match=f"expected a folder, found the file {file}"):
        lock.check(file / below)
    with pytest.raises(RunRefused, match=f"expected a folder, found the file {file}"), lock.held(file / below):
        pass
