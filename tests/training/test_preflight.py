"""`winnow train --check` says what a run would be, and every reason why it would not go through."""

import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from safetensors.numpy import save_file
from transformers import MistralConfig

from conf.recipe import load
from conf.training import Schedule, Training
from jobs.cli import main
from tests.training.chats import conversation, saved
from tests.training.runs import train_arguments
from tests.versions.lakes import make_lake, publish, rows_of
from training import footprint, preflight
from training.arithmetic import plan, unwarmed
from training.checkpoints import mark
from training.corpus import Corpus, open_version
from training.errors import RunRefused
from training.preflight import Subject, histogram, report
from training.prepare import check_zero


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return open_version(make_lake(tmp_path_factory.mktemp("preflight") / "lake", 400))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder as zephyr-7b-beta's, but for its weights: nothing here reads them."""
    import numpy as np

    folder = Path(saved(tmp_path_factory.mktemp("model") / "zephyr", "byte_level", "zephyr"))
    MistralConfig(architectures=["MistralForCausalLM"]).save_pretrained(folder)
    save_file({"none": np.zeros(1, np.float32)}, folder / "model.safetensors")
    return str(folder)


def checked(corpus: Corpus, model: str, out: Path, *overrides: str) -> tuple[str, list[str]]:
    """The report and the problems of the zephyr recipe with changes."""
    settings = load("zephyr-7b-lora", [f"data.cache={out / 'cache'}", *overrides], tree=Training)
    ranks = settings.launch.nodes * settings.launch.gpus_per_node
    problems: list[str] = []
    lines = list(report(Subject(corpus, model, settings, ranks, out / "run"), problems))
    return "\n".join(lines), problems


def test_the_report_has_dataset_tokens_mask_packing_steps_memory_and_disk(corpus, model, tmp_path):
    text, problems = checked(corpus, model, tmp_path, "data.packing=true")
    assert problems == []
    for part in (
        f"version 0, 400 rows, digest {corpus.digest}",
        "tokens      train: 360 conversations = ",
        "tokens      eval: 40 conversations = ",
        "template    zephyr (digest ",
        "% of the tokens are trained",
        "lengths     median ",
        "packs of 2,048 tokens, ",
        "4 packs x 6 accumulation x 1 GPUs = 24 packs a step, 49,152 tokens at most",
        "2 epochs = ",
        "trained of 7,255,363,584 (0.1879%)",
        "> ZeRO 2 ",
        "ZeRO 3 + CPU ",
        "disk        ",
    ):
        assert part in text, part


def test_the_2023_run_has_its_90_steps():
    settings = load("zephyr-7b-lora", tree=Training)
    found = plan(1060, settings.schedule, 1)
    assert (found.per_step, found.per_epoch, found.steps) == (24, 45, 90)


PLANS = {
    "one_gpu": (100, Schedule(per_device_batch=4), 1, (4, 25, 25)),
    "many_gpus": (100, Schedule(per_device_batch=4), 8, (32, 4, 4)),
    "a_partial_step_counts": (101, Schedule(per_device_batch=4, accumulation=5), 1, (20, 6, 6)),
    "half_an_epoch": (100, Schedule(epochs=0.5), 1, (1, 100, 50)),
    "max_steps_decide": (100, Schedule(max_steps=7, epochs=3), 1, (1, 100, 7)),
}


@pytest.mark.parametrize(("rows", "schedule", "ranks", "expected"), PLANS.values(), ids=PLANS)
def test_steps_follow_from_rows_batch_accumulation_and_gpus(rows, schedule, ranks, expected):
    found = plan(rows, schedule, ranks)
    assert (found.per_step, found.per_epoch, found.steps) == expected


WARMUPS = {
    "all_steps": ({"warmup": 9}, 9, True),
    "more": ({"warmup": 200}, 90, True),
    "all_but_one": ({"warmup": 8}, 9, False),
    "a_share": ({"warmup": 0.1}, 90, False),
    "a_share_of_one_step": ({"warmup": 0.1}, 1, True),
    "none": ({"warmup": 0}, 1, False),
    "no_schedule": ({"warmup": 200, "scheduler": "constant"}, 90, False),
}


@pytest.mark.parametrize(("settings", "steps", "is_told"), WARMUPS.values(), ids=WARMUPS)
def test_a_run_that_ends_while_it_warms_up_is_told(settings, steps, is_told):
    assert bool(unwarmed(steps, Schedule(**settings))) == is_told


def test_the_report_warns_of_a_warmup_longer_than_the_run(corpus, model, tmp_path):
    text, problems = checked(corpus, model, tmp_path, "schedule.warmup=2000", "schedule.max_steps=90")
    assert "warning     schedule.warmup takes 2,000 steps and the run has 90: " in text
    assert problems == []


def test_a_start_warns_of_a_warmup_longer_than_the_run(chats, tmp_path, capsys):
    assert main([*train_arguments(chats, tmp_path / "run", "schedule.warmup=20"), "--prepare"]) == 0
    assert "warning: schedule.warmup takes 20 steps and the run has 8: " in capsys.readouterr().err


def test_what_will_not_fit_is_told_with_settings_that_do_fit(corpus, model, tmp_path):
    large = ["data.max_tokens=8192", "speed.activation_checkpointing=false", "launch.gpu_memory_gb=40"]
    _, problems = checked(corpus, model, tmp_path, *large)
    assert len(problems) == 1
    advice = problems[0].partition("; use ")[2]
    assert problems[0].startswith("will not fit: ")
    assert "--set speed.activation_checkpointing=true" in advice
    followed = [word for word in advice.split() if word != "--set"]
    assert checked(corpus, model, tmp_path, *large, *followed)[1] == []


def test_advice_keeps_the_conversations_of_a_step(model):
    settings = load("zephyr-7b-lora", ["launch.gpu_memory_gb=21"], tree=Training)
    advice = footprint.advice(footprint.shape(model, settings), settings, 1)
    assert advice == ["--set schedule.per_device_batch=1", "--set schedule.accumulation=24"]


def test_what_fits_nowhere_is_told_without_advice_that_does_not_help(corpus, model, tmp_path):
    assert checked(corpus, model, tmp_path, "launch.gpu_memory_gb=0.1")[1][0].endswith(
        "use more GPUs or a smaller model"
    )


PROBLEMS = {
    "quantized_in_zero_3": (["lora.quantize=4bit", "zero.stage=3"], "cannot be partitioned by ZeRO 3"),
    "unknown_target": (["lora.targets=[nothing_like_it]"], "lora.targets ['nothing_like_it']"),
    "fewer_packs_than_gpus": (["data.packing=true", "launch.gpus_per_node=64"], "packs for 64 processes x 4"),
    "mask": (["data.max_mask_share=0.1"], "of the tokens would be trained, expected 2.00% to 10.00%"),
    "library": (["base.attention=flash_attention_2"], "flash_attention_2 needs the library flash_attn"),
    "no_end_token": (["base.template=chatml"], "template chatml ends an answer with '<|im_end|>"),
    "own_zero_file": (["zero.config=/nowhere.json"], "zero.config: no such file: /nowhere.json"),
}


@pytest.mark.parametrize(("overrides", "reason"), PROBLEMS.values(), ids=PROBLEMS)
def test_every_reason_is_told_beside_the_report(overrides, reason, corpus, model, tmp_path):
    text, problems = checked(corpus, model, tmp_path, *overrides)
    assert any(reason in problem for problem in problems), problems
    assert "steps       " in text


SCALED = {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e4, "original_max_position_embeddings": 16}
POSITIONS = [({"max_position_embeddings": 16}, True), ({"max_position_embeddings": 4096}, False)]
POSITIONS += [({"max_position_embeddings": 16, "rope_parameters": SCALED}, False)]


@pytest.mark.parametrize(("changes", "is_refused"), POSITIONS)
def test_rows_longer_than_the_model_has_positions_are_told(changes, is_refused, corpus, model, tmp_path):
    copy = shutil.copytree(model, tmp_path / "model")
    config = copy / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **changes}))
    told = [problem for problem in checked(corpus, str(copy), tmp_path)[1] if "max_position_embeddings" in problem]
    assert [bool(re.search(r"has [\d,]+ tokens, .* made for 16 .* data.max_tokens=16", one)) for one in told] == (
        [True] if is_refused else []
    )


def test_a_checkpoint_of_other_ranks_is_told_before_gpus_are_held(corpus, model, tmp_path):
    folder = tmp_path / "run" / "checkpoint-7"
    folder.mkdir(parents=True)
    (folder / "state").write_text("x")
    mark(folder, 7, 2)
    text, problems = checked(corpus, model, tmp_path)
    assert "step 7, written by 2 ranks" in text
    assert len(problems) == 1
    assert "2" in problems[0]
    assert checked(corpus, model, tmp_path, "launch.gpus_per_node=2")[1] == []


def test_a_large_version_is_judged_by_its_first_conversations(corpus, model, tmp_path, monkeypatch):
    whole, _ = checked(corpus, model, tmp_path / "whole")
    monkeypatch.setattr(preflight, "LOOK", 100)
    text, _ = checked(corpus, model, tmp_path / "first")
    assert "(estimated from the first 100 conversations)" in text
    steps = [int(re.findall(r"steps       ([\d,]+) ", one)[0]) for one in (text, whole)]
    assert steps[0] == pytest.approx(steps[1], rel=0.1)


def test_eval_rows_are_not_missed_where_only_the_first_conversations_are_looked_at(model, tmp_path, monkeypatch):
    rows = rows_of([conversation("a " * n, "b " * n) for n in range(1, 301)])
    split = pa.array(["train"] * 290 + ["eval"] * 10)
    lake = make_lake(tmp_path / "lake", 1)
    publish(lake, rows.set_column(rows.schema.get_field_index("split"), "split", split))
    monkeypatch.setattr(preflight, "LOOK", 100)
    text, problems = checked(open_version(lake), model, tmp_path / "run")
    assert "tokens      eval: 0 conversations" in text
    assert problems == []


@pytest.fixture
def begun(chats, tmp_path) -> Path:
    """The folder of a run that was prepared and has a checkpoint of two ranks."""
    out = tmp_path / "run"
    assert main([*train_arguments(chats, out), "--prepare"]) == 0
    folder = out / "checkpoint-4"
    folder.mkdir()
    (folder / "state").write_text("x")
    mark(folder, 4, 2)
    return out


def test_a_run_that_can_start_or_go_on_is_told_so_and_left_alone(chats, begun, tmp_path, capsys):
    for out, resumes in ((tmp_path / "new", False), (begun, True)):
        before = sorted(path for path in tmp_path.rglob("*"))
        assert main([*train_arguments(chats, out), "--check"]) == 0
        said = capsys.readouterr().out
        assert said.splitlines()[-1] == "verdict     the run can start"
        assert ("resume      from " in said) == resumes
        assert sorted(path for path in tmp_path.rglob("*")) == before


NO = {
    "settings": (["--set", "optimizer.lr=1e-3"], ["optimizer.lr was 0.005 and is 0.001"]),
    "model": (["--set", "schedule.seed=7"], ["holds a run on another base model"]),
    "resume": (["--resume", "none"], ["--resume is none"]),
    "ranks": (["--ranks", "1"], ["was written by 2 ranks and this run has 1"]),
    "several": (
        ["--resume", "none", "--set", "lora.targets=[nothing_like_it]", "--set", "data.max_mask_share=0.1"],
        ["expected 2.00% to 10.00%", "lora.targets ['nothing_like_it']", "holds a run with", "--resume is none"],
    ),
}


@pytest.mark.parametrize(("words", "reasons"), NO.values(), ids=NO)
def test_a_run_that_would_be_refused_is_refused_by_the_check_with_every_reason(chats, begun, words, reasons, capsys):
    assert main([*train_arguments(chats, begun), *words]) == 2
    refusal = capsys.readouterr().err
    assert any(reason in refusal for reason in reasons)
    assert main([*train_arguments(chats, begun), *words, "--check"]) == 2
    said = capsys.readouterr()
    assert "steps       " in said.out and "verdict" not in said.out
    lines = said.err.splitlines()
    assert [line.startswith("winnow: ") for line in lines] == [True] * len(reasons)
    for line, reason in zip(lines, reasons, strict=True):
        assert reason in line


OWN = {
    "another_stage": ('{"zero_optimization": {"stage": 3}}', 2, "which is 2.*found stage 3 in .*own.json"),
    "no_stage": ("{}", 1, "which is 1.*found stage 0"),
    "without_deepspeed": ('{"zero_optimization": {"stage": 2}}', 0, "which is 0, and not 0.*found stage 2"),
    "no_json": ("stage: 2", 2, "expected a JSON file of DeepSpeed's in .*own.json"),
    "a_list": ("[]", 2, "expected a JSON file of DeepSpeed's in .*own.json"),
}


def own(folder, stage):
    return Training.model_validate({"zero": {"stage": stage, "config": str(folder / "own.json")}})


@pytest.mark.parametrize(("text", "stage", "reason"), OWN.values(), ids=OWN)
def test_a_deepspeed_file_of_another_stage_is_refused_naming_both(text, stage, reason, tmp_path):
    (tmp_path / "own.json").write_text(text)
    with pytest.raises(RunRefused, match=reason):
        check_zero(own(tmp_path, stage), 1)


@pytest.mark.parametrize("more", [{}, {"gradient_clipping": "auto", "bf16": {"enabled": True}, "train_batch_size": 8}])
def test_a_deepspeed_file_of_the_same_stage_is_taken(more, tmp_path):
    (tmp_path / "own.json").write_text(json.dumps({"zero_optimization": {"stage": 3}, **more}))
    check_zero(own(tmp_path, 3), 8)


OTHERWISE = {
    "train_micro_batch_size_per_gpu 4, by the settings 1": {"train_micro_batch_size_per_gpu": 4},
    "train_batch_size 1, by the settings 8": {"train_batch_size": 1},
    "gradient_clipping 0.5, by the settings 1.0": {"gradient_clipping": 0.5},
    "bf16.enabled False, by the settings True": {"bf16": {"enabled": False}},
    "fp16.enabled True, by the settings False": {"fp16": {"enabled": True}},
}


@pytest.mark.parametrize(("reason", "more"), OTHERWISE.items(), ids=OTHERWISE)
def test_a_deepspeed_file_that_says_otherwise_is_refused_naming_both(reason, more, tmp_path):
    (tmp_path / "own.json").write_text(json.dumps({"zero_optimization": {"stage": 3}, **more}))
    with pytest.raises(RunRefused, match=f"or auto, found in .*own.json: {reason}$"):
        check_zero(own(tmp_path, 3), 8)


def test_the_histogram_has_a_line_for_each_power_of_two_in_use():
    import numpy as np

    assert histogram(np.array([1, 64, 65, 512])) == [
        "<=        64   50.0%  ####################",
        "<=       128   25.0%  ##########",
        "<=       256    0.0%  ",
        "<=       512   25.0%  ##########",
    ]
    assert histogram(np.array([], int)) == []
    assert len(histogram(np.array([131_073, 1_048_576]))) == 3


def test_a_models_own_code_is_refused(corpus, model, tmp_path):
    from training.base import check_base

    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"auto_map": {"AutoModelForCausalLM": "evil.Model"}}))
    with pytest.raises(RunRefused, match="auto_map"):
        check_base(str(folder))
