"""What `winnow submit` would tell Slurm, read without a cluster."""

import argparse
import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from conf import recipe
from conf.training import Training
from jobs.pins import pin
from tests.commands import ROOT
from tests.versions.lakes import make_lake
from training import lock, submit
from training.errors import RunRefused
from training.slurm import rank
from training.slurm.script import Run, render


def script(*overrides: str, out: str = "/runs/first", after: str | None = None) -> str:
    """The script of a run with these settings."""
    settings = recipe.load(None, overrides, tree=Training)
    return render(Run(None, overrides, "/lake", ("--pin", "baseline"), Path(out)), settings, after)


def asked(*words: str) -> int:
    """`winnow submit` with these words; its exit code."""
    parser = argparse.ArgumentParser()
    submit.add_commands(parser.add_subparsers())
    args = parser.parse_args(["submit", *words])
    code: int = args.run(args)
    return code


CASES = [
    (("launch.nodes=2", "launch.gpus_per_node=8"), ["--nodes=2", "--ntasks-per-node=8", "--gres=gpu:8"]),
    (("launch.gpus_per_node=0", "launch.processes_per_node=3"), ["--ntasks-per-node=3"]),
    (("launch.time_limit='1-00:00:00'",), ["--time=1-00:00:00", "--signal=B:USR1@300", "--requeue"]),
    (("launch.requeue=false", "launch.signal_seconds=60"), ["--no-requeue", "--signal=B:USR1@60"]),
    (("launch.partition=gpu", "launch.account=lab", "launch.qos=high"), ["--partition=gpu", "--account=lab"]),
    (("launch.constraint=a800 & ib",), ['--constraint="a800 & ib"']),
    (("launch.cpus_per_process=6", "launch.memory=200G"), ["--cpus-per-task=6", "--mem=200G"]),
    (("launch.options=[--exclusive]", "name=mine"), ["--exclusive", "--job-name=mine", "--open-mode=append"]),
]


@pytest.mark.parametrize(("overrides", "options"), CASES)
def test_a_setting_of_launch_is_an_option_of_sbatch(overrides: tuple[str, ...], options: list[str]) -> None:
    lines = script(*overrides).splitlines()
    for option in options:
        assert f"#SBATCH {option}" in lines


def test_without_gpus_none_is_asked_for() -> None:
    assert "--gres" not in script("launch.gpus_per_node=0")


def test_every_option_stands_before_the_first_command() -> None:
    # sbatch reads no further than that.
    text = script("launch.options=[--exclusive]", after="12")
    head = text[: text.index("\nout=")]
    assert head.count("#SBATCH") == text.count("#SBATCH")
    assert all(line.startswith("#") or not line for line in head.splitlines())


@pytest.mark.parametrize("out", ["/runs/first", "/runs/a run's 100% $HOME `date`"])
def test_the_script_is_a_shell_script_whatever_the_folder_is_called(out: str) -> None:
    text = script("launch.setup=['module load cuda', 'ulimit -l unlimited']", 'launch.env={A: "it\'s"}', out=out)
    checked = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    shown = subprocess.run(["bash"], input=f'{_line(text, "out=")}\necho "$out"', text=True, capture_output=True)
    assert shown.stdout == f"{out}\n"


def test_a_container_holds_both_what_prepares_and_the_ranks() -> None:
    text = script("launch.container=apptainer exec --nv train.sif")
    assert text.count("apptainer exec --nv train.sif python -m") == 2
    assert '"$failure" python -m training.sft "$out"' in text


def test_preparing_is_for_as_many_ranks_as_srun_starts() -> None:
    assert "--prepare --ranks 16" in script("launch.nodes=2", "launch.gpus_per_node=8")


def test_a_job_that_has_to_succeed_first_is_named() -> None:
    text = script(after="4711")
    assert "#SBATCH --dependency=afterok:4711" in text and "#SBATCH --kill-on-invalid-dep=yes" in text
    assert "dependency" not in script()


def test_a_dry_run_prints_the_script_and_touches_nothing(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    words = ["--lake", str(data / "lake"), "--pin", "baseline", "--out", str(out), "--dry-run"]
    assert asked(*words, "--scheduler", "slurm", "--nodes", "2", "--gpus-per-node", "8") == 0
    assert "#SBATCH --nodes=2" in capsys.readouterr().out
    assert asked(*words, "--scheduler", "local", "--gpus-per-node", "2") == 0
    assert capsys.readouterr().out.rstrip().endswith("--ranks 2")
    assert not out.exists()


def test_what_a_run_here_does_not_use_is_told_and_what_it_does_is_in_the_command(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--lake", str(data / "lake"), "--pin", "baseline", "--out", str(tmp_path / "run"), "--dry-run"]
    env = ["--set", "launch.env={NCCL_DEBUG: INFO, B: two words}", "--set", "launch.memory=1G"]
    assert asked(*words, *env, "--config", "zephyr-7b-lora", "--scheduler", "local") == 0
    said = capsys.readouterr()
    assert said.err == "not used with --scheduler local: launch.time_limit, launch.memory\n"
    assert said.out.startswith("env NCCL_DEBUG=INFO 'B=two words' ")


@pytest.mark.parametrize("scheduler", ["slurm", "local"])
def test_nothing_is_submitted_into_a_folder_where_a_run_is_at_work(data: Path, tmp_path: Path, scheduler: str) -> None:
    words = ["--lake", str(data / "lake"), "--pin", "baseline", "--out", str(tmp_path / "run")]
    with lock.held(tmp_path / "run"), pytest.raises(RunRefused, match=f"process {os.getpid()} on"):
        asked(*words, "--scheduler", scheduler)
    assert not (tmp_path / "run" / "launch").exists()


def test_a_job_started_by_hand_beside_a_run_at_work_is_refused_and_leaves_what_another_job_left(
    data: Path, tmp_path: Path
) -> None:
    out, files = tmp_path / "run", {"exit-code-1": "0\n", "first-failure-1": "9 rank 1 on n2\n", "launch.json": "{}"}
    (out / "launch").mkdir(parents=True)
    for name, text in files.items():
        (out / "launch" / name).write_text(text)
    run = Run("smoke", (), str(data / "lake"), ("--pin", "baseline"), out)
    text = render(run, recipe.load("smoke", [], tree=Training))
    task = {"SLURM_JOB_ID": "2", "SLURM_JOB_NODELIST": "n1", "SLURMD_NODENAME": "n1"}
    with lock.held(out):
        done = subprocess.run(["bash"], input=text, env={**os.environ, **task}, text=True, capture_output=True)
    assert done.returncode == 2 and "expected no run at work" in done.stderr
    left = {path.name: path.read_text() for path in (out / "launch").iterdir()}
    assert left == {**files, "exit-code-2": "2\n"}


@pytest.fixture
def lake(tmp_path: Path) -> str:
    """Two versions, the first one pinned."""
    made = make_lake(tmp_path / "lake", 30, 40)
    pin(made, "baseline", 0)
    return made


VERSIONS = [
    (["--pin", "baseline"], "--pin baseline"),
    (["--version", "0"], "--version 0"),
    (["--allow-unpinned"], "--version 1 --allow-unpinned"),
    (["--timestamp", "2999-01-01", "--allow-unpinned"], "--version 1 --allow-unpinned"),
]


@pytest.mark.parametrize("scheduler", ["slurm", "local"])
@pytest.mark.parametrize(("words", "told"), VERSIONS)
def test_every_attempt_is_told_the_version_that_was_meant_when_it_was_submitted(
    lake: str, capsys: pytest.CaptureFixture[str], scheduler: str, words: list[str], told: str
) -> None:
    assert asked("--lake", lake, "--out", "run", "--scheduler", scheduler, "--dry-run", *words) == 0
    said = capsys.readouterr().out
    assert f"--lake {lake} {told} --out" in said
    assert "No version is named" not in said


@pytest.mark.parametrize("words", [[], ["--version", "1"], ["--timestamp", "2999-01-01"]])
def test_a_version_without_pin_is_refused_where_it_is_submitted(lake: str, words: list[str]) -> None:
    with pytest.raises(RunRefused, match=r"version 1 of .* has no pin"):
        asked("--lake", lake, "--out", "run", "--scheduler", "slurm", "--dry-run", *words)


def test_behind_a_data_job_the_newest_version_is_meant_when_the_job_starts(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--lake", "/not/yet", "--out", "run", "--scheduler", "slurm", "--after", "12", "--dry-run"]
    assert asked(*words) == 0
    said = capsys.readouterr().out
    assert "--lake /not/yet --out" in said
    assert "# No version is named: the newest one when this runs" in said
    assert asked(*words, "--pin", "november") == 0
    assert "No version is named" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--scheduler", "local", "--nodes", "2"), "--nodes 1"),
        (("--scheduler", "local", "--after", "12"), "--scheduler slurm"),
        (
            ("--scheduler", "local", "--set", "launch.setup=[module load cuda]"),
            "module load cuda.*in this shell before",
        ),
        (("--scheduler", "local", "--set", "launch.container=apptainer exec x.sif"), "x.sif.*run winnow inside it"),
        (("--scheduler", "slurm", "--after", "yesterday"), "job id"),
        (("--scheduler", "slurm", "--after", "12\nrm"), "job id"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(tmp_path: Path, words: tuple[str, ...], reason: str) -> None:
    with pytest.raises(RunRefused, match=reason):
        asked("--lake", "lake", "--out", str(tmp_path / "run"), *words)


def test_without_slurm_the_command_says_where_to_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RunRefused, match="login node"):
        asked("--lake", "lake", "--out", str(tmp_path / "run"), "--scheduler", "slurm", "--after", "12")


def test_what_the_training_image_tries_when_it_is_built_needs_no_lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tried = re.search(r"RUN winnow submit (.*?) >", (ROOT / "Dockerfile").read_text().replace("\\\n", ""))
    assert tried and asked(*shlex.split(tried[1])) == 0


def test_a_task_is_the_rank_that_slurm_says() -> None:
    task = {"SLURM_PROCID": "11", "SLURM_LOCALID": "3", "SLURM_NTASKS": "16", "SLURM_NNODES": "2"}
    told = {"RANK": "11", "LOCAL_RANK": "3", "WORLD_SIZE": "16", "LOCAL_WORLD_SIZE": "8"}
    assert rank.environment(task) == told


def _line(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(start))
