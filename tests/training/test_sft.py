"""A run is the same whatever divides it among processes, and whatever interrupts it."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from deltalake import DeltaTable
from safetensors.torch import load_file

from conf import tables
from conf.training import Training
from jobs.cli import main
from tests.training.runs import (
    chat_lake,
    disturb,
    finished,
    last_checkpoint,
    losses,
    metrics,
    rank_processes,
    steps,
    train_arguments,
    trained,
)
from tests.versions.lakes import publish
from training import prepare, sft
from training.errors import STOPPED, RunRefused
from training.finish import CONFIG, WEIGHTS

ADAPTER = f"adapter/{WEIGHTS}"


@pytest.mark.parametrize(("stage", "offload"), [(0, "none"), (3, "none"), (2, "cpu"), (3, "cpu")])
def test_losses_are_the_same_with_ddp_and_every_kind_of_zero(
    chats: str, run: Path, tmp_path: Path, stage: int, offload: str
) -> None:
    other = trained(chats, tmp_path / "other", f"zero.stage={stage}", f"zero.offload={offload}")
    for key in ("loss", "eval_loss"):
        assert losses(other, key) == pytest.approx(losses(run, key), abs=5e-5)
    adapter = load_file(other / ADAPTER)
    assert all(tensor.numel() for tensor in adapter.values())
    assert adapter.keys() == load_file(run / ADAPTER).keys()
    for name, tensor in load_file(run / ADAPTER).items():
        assert adapter[name].shape == tensor.shape
        assert (adapter[name] - tensor).abs().max() < 1e-3, name


def test_the_loss_falls(run: Path) -> None:
    found = losses(run)
    assert found[8] < found[1] - 0.1
    assert losses(run, "eval_loss").keys() == {4, 8}


def test_without_evaluation_rows_held_out_are_not_looked_at(chats: str, tmp_path: Path) -> None:
    sets = ("data.eval=none", "schedule.max_steps=4", "launch.processes_per_node=1", "zero.stage=0")
    out = trained(chats, tmp_path / "no-eval", *sets)
    assert losses(out).keys() == {1, 2, 3, 4}
    assert not losses(out, "eval_loss")
    numbers = json.loads((out / "adapter/manifest.json").read_text())["numbers"]
    assert not [name for name in numbers if name.startswith("eval_")]


def test_a_stopped_run_goes_on_to_the_same_losses_and_the_same_adapter(chats: str, tmp_path: Path) -> None:
    # Dropout: random numbers have to go on as well, of which a loader with a process takes some.
    sets = ("lora.dropout=0.1", "speed.loader_workers=1", "schedule.max_steps=12")
    whole, out = trained(chats, tmp_path / "whole", *sets), tmp_path / "stopped"
    code, said, _ = disturb(chats, out, *sets, act=lambda process: process.send_signal(signal.SIGUSR1))
    assert code == STOPPED, said
    assert 5 <= last_checkpoint(out).step < 12
    assert not (out / "adapter").exists()
    trained(chats, out, *sets)
    assert losses(out) == losses(whole)
    assert losses(out, "eval_loss") == losses(whole, "eval_loss")
    assert (out / ADAPTER).read_bytes() == (whole / ADAPTER).read_bytes()
    assert_same_totals(out, whole)


@pytest.mark.parametrize(
    ("stage", "more"), [(0, "base.new_tokens=[<a>, <b>]"), (2, "lora.targets=[embed_tokens, q_proj]")], ids=str
)
def test_a_checkpoint_holds_no_table_of_the_base_and_a_run_goes_on_from_it(
    chats: str, tmp_path: Path, stage: int, more: str
) -> None:
    sets = ("schedule.max_steps=4", "schedule.save_steps=2", "launch.processes_per_node=1", f"zero.stage={stage}", more)
    out = trained(chats, tmp_path / "run", *sets)
    whole = (out / ADAPTER).read_bytes()
    names = load_file(out / "checkpoint-4" / WEIGHTS).keys()
    assert names == load_file(out / ADAPTER).keys() and not [name for name in names if "base_layer" in name]
    for folder in ("adapter", "checkpoint-4"):
        shutil.rmtree(out / folder)
    trained(chats, out, *sets)
    assert "going on from checkpoint-2" in (out / "stdout").read_text()
    assert (out / ADAPTER).read_bytes() == whole


def test_a_killed_rank_leaves_a_whole_checkpoint_and_no_hang(chats: str, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    code, said, seconds = disturb(
        chats, out, "schedule.max_steps=200", act=lambda _: os.kill(rank_processes(out)[-1], signal.SIGKILL)
    )
    assert code == 128 + signal.SIGKILL, said
    assert "was ended by SIGKILL" in said
    assert "Traceback" not in said
    assert seconds < 60
    assert not rank_processes(out)
    assert last_checkpoint(out).step >= 4
    assert not (out / "adapter").exists()


def test_a_checkpoint_between_two_logged_steps_holds_the_totals_up_to_itself(chats: str, tmp_path: Path) -> None:
    sets = ("schedule.logging_steps=3", "schedule.max_steps=12", "launch.processes_per_node=1", "zero.stage=0")
    whole, out = trained(chats, tmp_path / "whole", *sets), tmp_path / "killed"
    disturb(chats, out, *sets, act=lambda _: os.kill(rank_processes(out)[0], signal.SIGKILL))
    assert last_checkpoint(out).step in (4, 8)
    trained(chats, out, *sets)
    assert losses(out) == losses(whole)
    assert losses(whole).keys() == {1, 3, 4, 6, 8, 9, 12}
    assert_same_totals(out, whole)


def assert_same_totals(out: Path, other: Path) -> None:
    """Both adapters' manifests tell of the same run."""
    seen = [json.loads((one / "adapter/manifest.json").read_text())["numbers"] for one in (out, other)]
    for key in ("train_loss", "train_tokens", "trained_tokens", "global_step", "epoch", "total_flos", "eval_loss"):
        assert seen[0][key] == seen[1][key], key


def test_ranks_whose_starter_is_gone_save_and_stop(chats: str, tmp_path: Path) -> None:
    out = tmp_path / "orphans"
    code, _, _ = disturb(chats, out, "schedule.max_steps=200", act=lambda process: process.kill(), after=2)
    assert code == -signal.SIGKILL
    deadline = time.monotonic() + 60
    while rank_processes(out) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not rank_processes(out)
    assert 2 < last_checkpoint(out).step < 200
    assert "the same command goes on" in out.with_suffix(".log").read_text()


def test_a_full_disk_while_saving_is_told_and_leaves_the_checkpoint_before(chats: str, tmp_path: Path) -> None:
    out = tmp_path / "full"
    sets = ("zero.stage=0", "launch.processes_per_node=1", "schedule.max_steps=60")

    def fill(process: subprocess.Popen[str]) -> None:
        for rank in rank_processes(out):
            resource.prlimit(rank, resource.RLIMIT_FSIZE, (100_000, 100_000))

    code, said, _ = disturb(chats, out, *sets, act=fill)
    assert code == 1, said
    assert "could not write: the disk is full" in said
    assert "Traceback" not in said
    assert last_checkpoint(out).step >= 4
    assert not (out / "adapter").exists()


def test_bfloat16_trains_under_zero_2(chats: str, run: Path, tmp_path: Path) -> None:
    half = trained(chats, tmp_path / "bf16", "base.dtype=bfloat16", "speed.bf16=true", "schedule.max_steps=3")
    assert losses(half)[1] == pytest.approx(losses(run)[1], rel=0.02)
    assert losses(half)[3] < losses(half)[1]
    assert {tensor.dtype for tensor in load_file(half / ADAPTER).values()} <= {torch.bfloat16, torch.float32}


def test_a_finished_run_is_not_trained_again(chats: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in (run / "adapter").iterdir()}
    for again in (lambda: main(train_arguments(chats, run)), lambda: sft.run(run)):  # as a rank of a scheduler's too
        assert again() == 0
        assert "trained already" in capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in (run / "adapter").iterdir()}


def test_a_lost_adapter_is_written_again_without_training(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "copy"
    shutil.copytree(run, out)
    shutil.rmtree(out / "adapter")
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert sft.run(out) == 0  # alone: no other rank is needed where no step is left
    assert metrics(out) == metrics(run)
    assert (out / ADAPTER).read_bytes() == (run / ADAPTER).read_bytes()


def start_rank(out: Path, launcher: Sequence[str] = (), **place: str) -> subprocess.CompletedProcess[str]:
    """A rank of a prepared run as something else than `winnow train` starts it."""
    return finished([sys.executable, *launcher, "-m", "training.sft", str(out)], **place)


def test_the_ranks_also_start_under_torchrun(chats: str, run: Path, tmp_path: Path) -> None:
    out = tmp_path / "torchrun"
    assert main([*train_arguments(chats, out, "schedule.max_steps=2"), "--prepare"]) == 0
    done = start_rank(out, ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"])
    assert done.returncode == 0, done.stderr
    assert losses(out)[1] == pytest.approx(losses(run)[1], abs=5e-5)
    assert (out / ADAPTER).is_file()


def test_a_rank_started_alone_gives_up_with_a_message(chats: str, tmp_path: Path) -> None:
    out = tmp_path / "alone"
    assert main([*train_arguments(chats, out, "launch.timeout_minutes=0.1"), "--prepare"]) == 0
    place = {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29511"}
    begun = time.monotonic()
    done = start_rank(out, **place)
    assert done.returncode == 1
    assert "2 ranks did not meet at 127.0.0.1:29511 within 0.1 minutes" in done.stderr
    assert time.monotonic() - begun < 90


def test_a_rank_that_nobody_placed_says_who_starts_ranks(chats: str, tmp_path: Path) -> None:
    out = tmp_path / "unplaced"
    assert main([*train_arguments(chats, out, "launch.processes_per_node=1"), "--prepare"]) == 0
    done = start_rank(out, RANK="0")
    assert done.returncode == 2
    assert "rank 0: LOCAL_RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT not set: ranks are started by" in done.stderr


def test_the_base_model_is_left_as_it_was_and_the_adapter_names_it(chats: str, run: Path) -> None:
    job = json.loads((run / "job.json").read_text())
    assert json.loads((run / "adapter" / CONFIG).read_text())["base_model_name_or_path"] == job["base"]["folder"]
    assert steps(run) == 8


CONFIGS = [(1, "none"), (1, "cpu"), (2, "none"), (2, "cpu"), (3, "none"), (3, "cpu")]


@pytest.mark.parametrize(("stage", "offload"), CONFIGS)
def test_every_stage_has_a_deepspeed_file_that_says_so(stage: int, offload: str) -> None:
    from training.arguments import deepspeed_config

    asked = Training.model_validate({"zero": {"stage": stage, "offload": offload}})
    gpu, cpu = (deepspeed_config(asked, use_cpu) for use_cpu in (False, True))
    assert gpu is not None
    assert cpu is not None
    zero = gpu["zero_optimization"]
    assert zero["stage"] == stage
    assert [name for name in zero if name.startswith("offload")] == (
        [] if offload == "none" else ["offload_optimizer", "offload_param"][: 2 if stage == 3 else 1]
    )
    assert "true" not in json.dumps(cpu["zero_optimization"].get("offload_optimizer", {}))


def test_a_deepspeed_file_of_ones_own_replaces_the_shipped_one(tmp_path: Path) -> None:
    from training.arguments import FOLLOWED, deepspeed_config

    (tmp_path / "own.json").write_text('{"zero_optimization": {"stage": 2, "overlap_comm": true}}')
    asked = Training.model_validate({"zero": {"stage": 2, "config": str(tmp_path / "own.json")}})
    assert deepspeed_config(asked, False) == {"zero_optimization": {"stage": 2, "overlap_comm": True}, **FOLLOWED}
    assert deepspeed_config(Training.model_validate({"zero": {"stage": 0}}), False) is None


def test_flash_attention_in_float32_is_refused_before_a_gpu_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "find_spec", lambda _: True)
    for dtype, is_refused in (("float32", True), ("bfloat16", False)):
        asked = Training.model_validate({"base": {"attention": "flash_attention_2", "dtype": dtype}})
        with pytest.raises(RunRefused, match="has no float32") if is_refused else nullcontext():
            prepare.check_libraries(asked)


def test_liger_is_used_where_it_is_and_the_output_head_has_no_lora(monkeypatch: pytest.MonkeyPatch) -> None:
    from training.arguments import uses_liger

    monkeypatch.setattr("transformers.utils.is_liger_kernel_available", lambda: True)
    plain, head = Training(), Training.model_validate({"lora": {"targets": ["q_proj", "lm_head"]}})
    assert [uses_liger(one, use_cpu) for one in (plain, head) for use_cpu in (False, True)] == [
        True,
        False,
        False,
        False,
    ]


REFUSED = [
    (["--set", "lora.quantize=4bit"], "4bit needs a GPU"),
    (["--set", "launch.gpus_per_node=8"], "launch.gpus_per_node is 8, and torch"),
    (["--set", "base.tiny=off"], "no base model"),
    (["--set", "base.tiny=off", "--set", "base.model=/nowhere"], "/nowhere"),
    (["--set", "speed.liger=on"], "speed.liger: on needs"),
    (["--set", "speed.liger=on", "--set", "lora.targets=[lm_head]"], "speed.liger: on leaves the LoRA"),
    (["--set", "base.attention=flash_attention_2"], "base.attention: flash_attention_2 needs the library flash_attn"),
    (["--set", "zero.config=/nowhere.json"], "zero.config: no such file"),
    (["--set", "lora.init=pissa", "--set", "zero.stage=3"], "pissa needs whole"),
    (["--set", "lora.targets=[nothing_like_it]"], "lora.targets"),
    (["--set", "schedule.per_device_batch=100"], "packs for 2 processes x 100: some would see the same packs again"),
]


@pytest.mark.parametrize(("words", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_what_cannot_be_trained_is_refused_before_any_rank_starts(
    chats: str, tmp_path: Path, words: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*train_arguments(chats, tmp_path / "out"), *words]) == 2
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "out" / "job.json").exists()


def test_a_version_without_pin_needs_leave(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = chat_lake(tmp_path / "lake", 30)
    version = publish(lake, DeltaTable(f"{lake}/{tables.DATASET}").to_pyarrow_table().slice(0, 25))
    words = [*train_arguments(lake, tmp_path / "out"), "--prepare"]
    words[words.index("--pin") : words.index("--pin") + 2] = ["--version", str(version)]
    assert main(words) == 2
    assert f"version {version} of" in (said := capsys.readouterr().err)
    assert "has no pin" in said
    assert main([*words, "--allow-unpinned"]) == 0


def test_a_run_goes_on_with_the_version_it_was_begun_on_where_none_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake, out = chat_lake(tmp_path / "lake", 30), tmp_path / "out"
    words = [word for word in train_arguments(lake, out) if word not in ("--pin", "baseline")]
    assert main([*words, "--prepare"]) == 0
    begun = json.loads((out / "job.json").read_text())["dataset"]
    (out / "checkpoint-4").mkdir()
    publish(lake, DeltaTable(f"{lake}/{tables.DATASET}").to_pyarrow_table().slice(0, 25))
    assert main([*words, "--prepare"]) == 0, capsys.readouterr().err
    assert json.loads((out / "job.json").read_text())["dataset"] == begun


def test_going_on_with_other_data_settings_or_ranks_is_refused_naming_both(
    chats: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = chat_lake(tmp_path / "other", 60, seed=1)
    model = json.loads((run / "job.json").read_text())["base"]["folder"]
    tiny = ["--set", f"base.model={model}", "--set", "base.tiny=off"]
    assert main([*train_arguments(other, run), *tiny]) == 2
    said = capsys.readouterr().err
    assert f"version 1 of {chats} (pin baseline" in said
    assert f"version 1 of {other} (pin baseline" in said
    assert main([*train_arguments(chats, run), "--set", "optimizer.lr=1e-3"]) == 2
    assert "optimizer.lr was 0.005 and is 0.001" in capsys.readouterr().err
    assert main([*train_arguments(chats, run), "--ranks", "1"]) == 2
    assert "was written by 2 ranks and this run has 1" in capsys.readouterr().err
    assert main([*train_arguments(chats, run), "--resume", "none"]) == 2
    assert "--resume is none" in capsys.readouterr().err
