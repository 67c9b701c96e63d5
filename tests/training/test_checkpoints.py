"""A checkpoint is whole, or it is not used."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands import ROOT
from tests.training.runs import one_thread
from training.checkpoints import MARKER, Checkpoint, check_ranks, damage, mark, newest, pass_over, prune, write_whole
from training.errors import RunRefused


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    """The checkpoints of a real run, to be damaged."""
    for step in (4, 8):
        shutil.copytree(run / f"checkpoint-{step}", tmp_path / f"checkpoint-{step}")
    return tmp_path


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_checkpoint_has_the_optimizer_of_every_rank_and_the_adapter(copy: Path) -> None:
    names = {str(path.relative_to(copy / "checkpoint-8")) for path in files(copy / "checkpoint-8")}
    assert {"adapter_model.safetensors", "trainer_state.json", "numbers.json", MARKER} <= names
    assert {"rng_state_0.pth", "rng_state_1.pth"} <= names
    assert sum("optim_states" in name for name in names) == 2
    assert newest(copy) == Checkpoint(copy / "checkpoint-8", 8, 2)


def test_whichever_file_is_cut_short_the_checkpoint_before_is_used(copy: Path) -> None:
    for path in files(copy / "checkpoint-8"):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        told: list[str] = []
        assert newest(copy, told.append) == Checkpoint(copy / "checkpoint-4", 4, 2), path
        assert len(told) == 1
        assert told[0].startswith("checkpoint-8 is not used: ")
        path.write_bytes(whole)
    assert damage(copy / "checkpoint-8") is None


def test_whichever_file_is_missing_or_changed_the_checkpoint_before_is_used(copy: Path) -> None:
    for path in files(copy / "checkpoint-8"):
        whole = path.read_bytes()
        path.unlink()
        assert newest(copy, lambda line: None) == Checkpoint(copy / "checkpoint-4", 4, 2), path
        if path.name != MARKER:
            path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
            assert damage(copy / "checkpoint-8") == (
                f"{path.relative_to(copy / 'checkpoint-8')} does not have the content that was written"
            )
        path.write_bytes(whole)


def test_a_folder_whose_writing_never_ended_is_no_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-6").mkdir()
    (tmp_path / "checkpoint-6" / "optimizer.pt").write_bytes(b"half")
    assert newest(tmp_path, lambda line: None) is None
    assert damage(tmp_path / "checkpoint-6") == f"it has no {MARKER}: its writing never ended"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": {}}'])
def test_a_marker_that_cannot_be_read_marks_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "checkpoint-6").mkdir()
    (tmp_path / "checkpoint-6" / MARKER).write_text(text)
    assert damage(tmp_path / "checkpoint-6") == f"its {MARKER} cannot be read"


def test_steps_are_compared_as_numbers_and_other_folders_are_left_alone(tmp_path: Path) -> None:
    for name in ("checkpoint-9", "checkpoint-10", "checkpoint-best", "checkpoint-"):
        (tmp_path / name).mkdir()
        mark(tmp_path / name, 0, 1)
    found = newest(tmp_path)
    assert found is not None
    assert found.folder.name == "checkpoint-10"
    prune(found.folder, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-", "checkpoint-10", "checkpoint-best"]


def test_pruning_keeps_the_newest_whole_ones_and_what_is_newer(tmp_path: Path) -> None:
    for step in (2, 4, 6, 8):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if step != 8:
            mark(tmp_path / f"checkpoint-{step}", step, 1)
    prune(tmp_path / "checkpoint-6", 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-4", "checkpoint-6", "checkpoint-8"]


def test_a_damaged_checkpoint_that_a_run_passed_over_does_not_count_as_kept(tmp_path: Path) -> None:
    for step in (2, 4, 6, 8):
        save(tmp_path, step)
    (tmp_path / "checkpoint-8" / "optimizer.pt").write_bytes(b"cut")
    (tmp_path / "checkpoint-6" / "optimizer.pt").unlink()
    found = newest(tmp_path, lambda line: None)
    assert found is not None
    pass_over(tmp_path, found.step)
    prune(save(tmp_path, 5), 1)
    assert newest(tmp_path, lambda line: None) == Checkpoint(tmp_path / "checkpoint-5", 5, 1)
    prune(save(tmp_path, 9), 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "checkpoint-5",
        "checkpoint-6",
        "checkpoint-8",
        "checkpoint-9",
    ]
    shutil.rmtree(tmp_path / "checkpoint-9")
    assert newest(tmp_path, lambda line: None) == Checkpoint(tmp_path / "checkpoint-5", 5, 1)


def test_the_checkpoint_just_saved_stays_whatever_is_newer(tmp_path: Path) -> None:
    save(tmp_path, 8)
    prune(save(tmp_path, 4), 1)
    assert (tmp_path / "checkpoint-4" / MARKER).is_file()


def save(out: Path, step: int) -> Path:
    folder = out / f"checkpoint-{step}"
    folder.mkdir()
    (folder / "optimizer.pt").write_bytes(b"whole")
    return mark(folder, step, 1).folder


def test_a_checkpoint_of_other_ranks_is_refused_in_words(tmp_path: Path) -> None:
    check_ranks(Checkpoint(tmp_path, 8, 2), 2)
    with pytest.raises(RunRefused, match="was written by 2 ranks and this run has 1"):
        check_ranks(Checkpoint(tmp_path, 8, 2), 1)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    write_whole(path, "first")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    assert path.read_text() == "first"


TWO = """
import os, sys, time
from pathlib import Path
import torch.distributed as dist
rank = int(sys.argv[1])
os.environ.update(RANK=sys.argv[1], WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=sys.argv[2])
dist.init_process_group("gloo")
from training.flow import Flow, Ranks
"""


def two_ranks(program: str, port: int, *words: str) -> tuple[str, str]:
    """What each of two ranks said that ran ``program`` with each other."""
    command = [sys.executable, "-c", TWO + program]
    options: Any = {"env": one_thread(), "cwd": ROOT, "text": True, "stdout": subprocess.PIPE}
    with (
        subprocess.Popen([*command, "1", str(port), *words], **options) as other,
        subprocess.Popen([*command, "0", str(port), *words], **options) as first,
    ):
        return first.communicate(timeout=120)[0], other.communicate(timeout=120)[0]


def test_a_rank_that_does_not_answer_is_an_error_within_the_timeout() -> None:
    program = """
ranks = Ranks(timeout=3)
assert ranks.sums([1.0]) == [2.0] and ranks.largest([float(rank)]) == [1.0]
if rank:
    time.sleep(10)
    os._exit(0)
begun = time.monotonic()
try:
    ranks.wait()
except Exception as error:
    print(type(error).__name__, error, time.monotonic() - begun < 15, flush=True)
os._exit(0)
"""
    said, _ = two_ranks(program, 29733)
    assert said.startswith("TrainingError another rank is gone, or did not answer within 3 s"), said
    assert said.rstrip().endswith("True")


@pytest.mark.parametrize(
    ("saved", "first", "other"),
    [("checkpoint-4", "saved True", "saved True"), ("", "FileNotFoundError", "TrainingError")],
)
def test_no_rank_goes_on_before_the_first_has_marked_the_checkpoint(
    tmp_path: Path, saved: str, first: str, other: str
) -> None:
    program = """
from transformers import TrainerControl, TrainerState, TrainingArguments
from conf.training import Schedule
flow = Flow(Path(sys.argv[3]), Schedule(), Ranks(timeout=60), False, lambda: False)
try:
    flow.on_save(TrainingArguments(use_cpu=True), TrainerState(global_step=4), TrainerControl())
    print("saved", (Path(sys.argv[3]) / "checkpoint-4" / "complete.json").is_file(), flush=True)
except Exception as error:
    print(type(error).__name__, flush=True)
os._exit(0)
"""
    (tmp_path / saved).mkdir(exist_ok=True)
    said = two_ranks(program, 29735, str(tmp_path))
    assert [one.splitlines()[-1] for one in said] == [first, other]
