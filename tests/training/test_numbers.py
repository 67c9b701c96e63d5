"""The numbers are what the model was given, and nothing else."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.training.runs import metrics, trained
from training import flops, manifest
from training.flops import Cost, Counts
from training.job import read
from training.meter import SIZES, Meter, sized
from training.numbers import Totals, summary
from training.packing import PackedRows
from training.tokens import open_prepared

LENGTHS = st.lists(st.lists(st.integers(2, 9), min_size=1, max_size=4), min_size=1, max_size=3)


def pack(lengths: list[int]) -> dict[str, np.ndarray]:
    positions = np.concatenate([np.arange(length) for length in lengths])
    labels = np.where(positions == 0, -100, positions)
    return {"input_ids": np.full(sum(lengths), 5), "labels": labels, "position_ids": positions}


class Listener(torch.nn.Module):
    """Keeps what a model would be given."""

    def forward(self, **inputs: Any) -> None:
        self.given = inputs


@given(LENGTHS, st.booleans(), st.none() | st.integers(1, 12))
def test_tokens_trained_and_attended_are_counted_without_padding(
    packs: list[list[int]], flatten: bool, window: int | None
) -> None:
    model, meter = Listener(), Meter(torch.device("cpu"), window)
    model.register_forward_pre_hook(meter.hook, with_kwargs=True)
    batch = sized([pack(lengths) for lengths in packs], flatten)
    model(**batch)
    rows = [length for lengths in packs for length in lengths]
    counted, tokens, trained, attended = meter.take()
    assert counted == len(packs)
    assert tokens == sum(rows)
    assert trained == sum(rows) - len(rows)
    assert attended == sum(min(seen, window or seen) for length in rows for seen in range(1, length + 1))
    assert SIZES not in model.given
    model.eval()
    model(**batch)
    assert meter.take() == [0, 0, 0, 0]


def test_a_frozen_weight_costs_four_flops_a_token_and_a_trained_one_six() -> None:
    counts = Counts(tokens=10, trained=1, attended=55)
    assert Cost(frozen=1000, trained=0, attention=0).flops(counts) == 40_000
    assert Cost(frozen=0, trained=100, attention=0).flops(counts) == 6_000
    # scores and values: 2 x 2 FLOPs for each key seen and each channel, forward; twice that backward
    assert Cost(frozen=0, trained=0, attention=8).flops(counts) == 12 * 8 * 55


def test_the_cost_of_a_model_is_that_of_its_linear_layers() -> None:
    part = torch.nn.Linear(4, 6)
    part.weight.requires_grad_(False)
    model = torch.nn.Sequential(torch.nn.Embedding(50, 4), part, torch.nn.Linear(6, 2))
    config = type("Config", (), {"num_attention_heads": 2, "hidden_size": 8, "num_hidden_layers": 3})()
    assert flops.cost(model, config) == Cost(frozen=24, trained=12, attention=24)


@pytest.mark.parametrize(
    ("name", "peak"), [("NVIDIA A800-SXM4-80GB", 312e12), ("NVIDIA H100 80GB HBM3", 989e12), ("Unheard Of", None)]
)
def test_peaks_are_known_by_device_name(monkeypatch: pytest.MonkeyPatch, name: str, peak: float | None) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: name)
    assert flops.peak_flops(torch.device("cuda", 0)) == peak
    assert flops.peak_flops(torch.device("cpu")) is None


def test_every_step_of_a_run_is_a_line_of_metrics(run: Path) -> None:
    lines = [line for line in metrics(run) if "loss" in line]
    assert [line["step"] for line in lines] == list(range(1, 9))
    for line in lines:
        assert {"step", "max_steps", "loss", "grad_norm", "learning_rate", "tokens_per_second", "time"} <= line.keys()
        assert 0 <= line["data_wait_share"] <= 1
        assert line["memory_gb"] > 0.1
        assert line["trained_tokens_per_second_per_gpu"] < line["tokens_per_second_per_gpu"]
    assert [line["step"] for line in metrics(run) if "eval_loss" in line] == [4, 8]


def test_the_tokens_seen_are_those_of_the_packs_drawn(run: Path) -> None:
    job = read(run)
    assert job is not None
    packs = PackedRows(open_prepared(job.tokens).train, 128)
    seen = json.loads((run / "adapter" / "manifest.json").read_text())["numbers"]["train_tokens"]
    # 8 steps x 2 ranks x 2 packs x 2 micro-batches: whole epochs of all packs, and a part of one
    drawn = 8 * 8
    whole, rest = divmod(drawn, len(packs))
    sizes = np.sort(packs.sizes)
    assert whole * sizes.sum() + sizes[:rest].sum() <= seen <= (whole + 1) * sizes.sum() + len(sizes)


def test_the_summary_has_the_names_people_know(run: Path) -> None:
    found = json.loads((run / "adapter" / "manifest.json").read_text())["numbers"]
    assert {
        "train_loss",
        "train_runtime",
        "train_samples_per_second",
        "train_steps_per_second",
        "total_flos",
        "eval_loss",
        "eval_runtime",
        "eval_samples_per_second",
        "epoch",
        "global_step",
    } <= found.keys()
    lines = {line["step"]: line["loss"] for line in metrics(run) if "loss" in line}
    assert found["train_loss"] == pytest.approx(sum(lines.values()) / 8, rel=1e-4)
    assert found["eval_loss"] == pytest.approx(
        [line for line in metrics(run) if "eval_loss" in line][-1]["eval_loss"], rel=1e-4
    )
    assert found["global_step"] == 8


def test_a_sample_is_a_pack_in_training_and_in_evaluation(run: Path) -> None:
    job = read(run)
    assert job is not None
    found, prepared = manifest.read(run / "adapter")["numbers"], open_prepared(job.tokens)
    drawn = 8 * 8  # 8 steps x 2 ranks x 2 packs x 2 micro-batches
    assert found["train_samples_per_second"] * found["train_runtime"] == pytest.approx(drawn, rel=1e-3)
    packs = len(PackedRows(prepared.eval, 128))
    assert found["eval_samples_per_second"] * found["eval_runtime"] == pytest.approx(packs, rel=0.05)


def test_a_summary_covers_all_restarts() -> None:
    totals = Totals(seconds=10.0, steps=5, loss=20.0, flops=1e9, counts=Counts(100, 1000, 400, 10_000))
    found = summary(totals, [{"eval_loss": 3.0, "step": 2}, {"eval_loss": 2.0, "step": 5}], epochs=2.0)
    assert found["train_loss"] == 4.0
    assert found["train_samples_per_second"] == 10.0
    assert found["train_steps_per_second"] == 0.5
    assert found["eval_loss"] == 2.0


def test_the_console_and_tensorboard_have_the_same_losses(run: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    said = (run / "stdout").read_text()
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    logged = {event.step: event.value for event in events.Scalars("train/loss")}
    for line in metrics(run):
        if "loss" in line:
            assert f"step {line['step']}/8  loss {line['loss']:.4f}" in said
            assert logged[int(line["step"])] == pytest.approx(line["loss"])
    assert "train/tokens_per_second_per_gpu" in events.Tags()["scalars"]
    assert "parameters are trained" in said


def test_mlflow_has_the_same_losses_and_the_lineage(chats: str, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    store = f"sqlite:///{tmp_path}/mlflow.db"
    out = trained(chats, tmp_path / "reported", f"report.mlflow={store}", "schedule.max_steps=4")
    client = MlflowClient(store)
    (logged,) = client.search_runs([client.get_experiment_by_name("winnow").experiment_id])
    losses = {point.step: point.value for point in client.get_metric_history(logged.info.run_id, "loss")}
    assert losses == pytest.approx({line["step"]: line["loss"] for line in metrics(out) if "loss" in line})
    assert "tokens_per_second_per_gpu" in logged.data.metrics
    dataset = json.loads((out / "job.json").read_text())["dataset"]
    assert (logged.data.tags["winnow.dataset"], logged.data.tags["winnow.pin"]) == (dataset["digest"], "baseline")
    assert (logged.info.run_name, logged.info.status) == ("reported", "FINISHED")
