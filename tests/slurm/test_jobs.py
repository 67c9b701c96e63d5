"""A real Slurm runs the real training job on two nodes, one process each, over gloo."""

import hashlib
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.slurm.runs import Cluster, log, losses, preparing_process, rank_process
from training.slurm import queue


@pytest.fixture(scope="session")
def finished(slurm: Cluster) -> tuple[str, Path]:
    """A run that nothing interrupted: the job's id and the run's folder."""
    job_id, out = slurm.submit("whole")
    assert slurm.until_ended(job_id) == ("COMPLETED", "0:0"), log(out)
    return job_id, out


def test_a_finished_run_has_its_adapter_and_says_so(slurm: Cluster, finished: tuple[str, Path]) -> None:
    job_id, out = finished
    state = slurm.state(out)
    assert (state["state"], state["detail"], state["job"]) == ("COMPLETED", "exit code 0", job_id)
    assert (state["step"], state["max_steps"]) == (12, 12) and state["tokens_per_second"] > 0
    assert (out / "adapter" / "manifest.json").is_file()
    assert (out / f"smoke-{job_id}.out").is_file()


def test_a_run_requeued_at_its_time_limit_gives_the_losses_and_the_adapter_of_an_uninterrupted_one(
    slurm: Cluster, finished: tuple[str, Path]
) -> None:
    job_id, out = slurm.submit("requeued")
    slurm.sees(job_id, "some steps are done", lambda: (out / "metrics.jsonl").is_file() and len(losses(out)) >= 3)
    # Slurm looks at time limits every half minute; the run waits for it here, so that it is not over before.
    slurm.ask("scancel", "--signal=STOP", job_id)
    _is_refused_for(slurm, out, f"found job {job_id}, ")
    by_hand = slurm.ask("sbatch", "--parsable", str(out / "launch" / "train.sbatch"))
    assert slurm.until_ended(by_hand) == ("FAILED", "2:0")
    slurm.ask("scontrol", "update", f"JobId={job_id}", "TimeLimit=10")
    slurm.sees(job_id, "Slurm has told of the limit", lambda: "the time limit is near" in log(out))
    slurm.ask("scancel", "--signal=CONT", job_id)
    slurm.until(job_id, "PENDING")
    slurm.ask("scontrol", "update", f"JobId={job_id}", "TimeLimit=60")
    saved = max(int(folder.name.removeprefix("checkpoint-")) for folder in out.glob("checkpoint-*"))
    assert 3 <= saved < 12
    assert slurm.until_ended(job_id) == ("COMPLETED", "0:0"), log(out)
    assert slurm.job(job_id)["Restarts"] == "1"
    assert f"going on from checkpoint-{saved}" in log(out)
    whole = finished[1]
    assert losses(out) == losses(whole)
    assert _digest(out) == _digest(whole)


def test_a_job_the_queue_has_forgotten_is_found_in_the_log_of_jobs(
    slurm: Cluster, finished: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sacct").symlink_to(shutil.which("sacct") or "")
    monkeypatch.setenv("PATH", str(tmp_path))  # no squeue there
    monkeypatch.setenv("SLURM_CONF", str(slurm.conf))
    assert queue.state(finished[0]) == queue.JobState("COMPLETED")


def test_a_rank_that_is_killed_ends_the_job_with_its_own_code(slurm: Cluster) -> None:
    job_id, out = slurm.submit("killed")
    rank = slurm.sees(job_id, "rank 1 has started", lambda: rank_process(out, 1))
    os.kill(rank, signal.SIGKILL)
    assert slurm.until_ended(job_id) == ("FAILED", "137:0")
    assert "rank 1 ended first, with exit code 137" in log(out)
    assert slurm.state(out)["detail"] == "exit code 137"
    assert not (out / "adapter").exists()


def test_a_run_that_is_refused_ends_the_job_with_that_code_before_a_rank_starts(slurm: Cluster) -> None:
    job_id, out = slurm.submit("refused", settings=("base.tiny=off", "base.model=/nowhere"))
    assert slurm.until_ended(job_id) == ("FAILED", "2:0")
    assert "/nowhere" in log(out) and "Traceback" not in log(out)


def test_a_run_out_of_time_before_it_is_prepared_ends_and_says_what_to_do(slurm: Cluster) -> None:
    job_id, out = slurm.submit("hasty")
    slurm.sees(job_id, "it prepares", lambda: preparing_process(out))
    slurm.ask("scancel", "--batch", "--signal=USR1", job_id)
    assert slurm.until_ended(job_id)[0] == "FAILED", log(out)
    assert "no time to prepare: raise launch.time_limit" in log(out) and "Traceback" not in log(out)
    assert slurm.job(job_id)["Restarts"] == "0"  # it would only run out of time again
    assert not (out / "job.json").exists() and slurm.state(out)["state"] == "FAILED"


def test_a_run_waits_for_the_job_it_depends_on_and_is_cancelled_when_told(slurm: Cluster) -> None:
    data_job = slurm.ask("sbatch", "--parsable", "--hold", "--output=/dev/null", "--wrap=true")
    # The pin need not be there yet: that job may be the one that makes it.
    job_id, out = slurm.submit("after 100%", "--after", data_job, "--pin", "tomorrow")
    assert slurm.job(job_id)["Reason"] == "Dependency"
    assert slurm.state(out)["state"] == "PENDING"
    _is_refused_for(slurm, out, f"found job {job_id}, PENDING")
    slurm.ask("scontrol", "release", data_job)
    slurm.until(job_id, "RUNNING")
    slurm.sees(job_id, "the log is where it should be", lambda: "attempt 1" in log(out))
    slurm.ask("scancel", job_id)
    assert slurm.until_ended(job_id)[0] == "CANCELLED"
    assert slurm.job(job_id)["Restarts"] == "0"
    assert slurm.state(out)["state"] == "CANCELLED"


def test_a_run_whose_data_job_failed_never_starts(slurm: Cluster) -> None:
    data_job = slurm.ask("sbatch", "--parsable", "--hold", "--output=/dev/null", "--wrap=false")
    job_id, out = slurm.submit("never", "--after", data_job)
    slurm.ask("scontrol", "release", data_job)
    assert slurm.until_ended(job_id)[0] == "CANCELLED"
    assert log(out) == ""


def test_a_wrong_pin_is_told_before_anything_is_submitted(slurm: Cluster) -> None:
    words = ["submit", "--config", "smoke", "--scheduler", "slurm", "--pin", "nothing", "--out", str(slurm.data / "no")]
    refused = slurm.winnow(*words, "--lake", str(slurm.data / "lake"))
    assert refused.returncode == 2 and "nothing" in refused.stderr and "baseline" in refused.stderr
    assert not (slurm.data / "no").exists()


def _is_refused_for(slurm: Cluster, out: Path, reason: str) -> None:
    """Another job for the same folder."""
    before = (out / "launch" / "launch.json").read_bytes()
    words = ["submit", "--config", "smoke", "--scheduler", "slurm", "--lake", str(slurm.data / "lake")]
    refused = slurm.winnow(*words, "--out", str(out), "--pin", "baseline")
    assert refused.returncode == 2 and reason in refused.stderr and "scancel" in refused.stderr
    assert (out / "launch" / "launch.json").read_bytes() == before
    assert slurm.winnow(*words, "--out", str(out), "--pin", "baseline", "--dry-run").returncode == 0


def _digest(out: Path) -> str:
    return hashlib.sha256((out / "adapter" / "adapter_model.safetensors").read_bytes()).hexdigest()
