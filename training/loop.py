"""The training loop of one rank: transformers' Trainer on this job's model, tokens and settings."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
from peft import PeftModel
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.integrations import is_deepspeed_zero3_enabled

from conf.training import Data, Report, Training
from training import start
from training.arguments import training_arguments
from training.base import load_base
from training.chat import new_token_ids
from training.checkpoints import Checkpoint
from training.errors import RunRefused, TrainingError
from training.evaluation import PackTrainer
from training.finish import save_initial
from training.flow import Flow, Ranks
from training.job import Job
from training.lora import add_lora
from training.meter import sized
from training.network import choose_interface
from training.numbers import Numbers
from training.packing import PackedRows
from training.tokens import Prepared, open_prepared

PLACE = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What whoever starts a rank tells it by its environment."""


def run(job: Job, out: Path, resume: Checkpoint | None, is_asked: Callable[[], bool]) -> bool:
    """Train to the end or to a signal; every rank calls this. Returns whether the run reached its end.

    Then the newest checkpoint in ``out`` is whole and holds all that the adapter needs.
    """
    settings = job.training()
    join(settings, job.use_cpu)
    arguments = training_arguments(settings, out, job.use_cpu)  # before the model: ZeRO 3 partitions while it loads
    set_seed(settings.schedule.seed)
    model = build_model(job, settings)
    ranks = Ranks(settings.launch.timeout_minutes * 60)
    train, held_out = packed_rows(open_prepared(job.tokens), settings.data)
    flow = Flow(out, settings.schedule, ranks, held_out is not None, is_asked)
    numbers = Numbers(out, ranks, arguments.device, settings.report.jsonl)
    numbers.watch(model, model.get_base_model())
    callbacks = [numbers, flow, *_reporters(out, job, settings.report, ranks)]
    trainer = build_trainer(model, arguments, train, held_out, callbacks)
    if ranks.is_first:
        print(start.count(model), flush=True)
    start.check_trained(model, settings.lora)
    if resume is None:
        start.check_start(model, settings.lora, arguments.device, is_deepspeed_zero3_enabled())
        if settings.lora.init == "pissa" and ranks.is_first:
            save_initial(model, out)
    else:
        numbers.resume(resume.folder, resume.step)
    trainer.train(resume_from_checkpoint=str(resume.folder) if resume else None)
    return not flow.stopped


def join(settings: Training, use_cpu: bool) -> None:
    """Meet the other ranks; all waits from now on end after ``launch.timeout_minutes``. Nothing to do for one rank.

    Raises RunRefused where nobody says which rank this is.
    """
    if missing := [name for name in PLACE if name not in os.environ]:
        raise RunRefused(
            f"{', '.join(missing)} not set: ranks are started by `winnow train` without --prepare, srun, torchrun or "
            "deepspeed, which set them"
        )
    world, stage = int(os.environ["WORLD_SIZE"]), settings.zero.stage
    timeout = timedelta(minutes=settings.launch.timeout_minutes)
    choose_interface()
    backend = "gloo" if use_cpu else "nccl"
    if not use_cpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    try:
        if stage:
            _join_by_deepspeed(backend, timeout, use_cpu)
        elif world > 1:
            dist.init_process_group(backend, timeout=timeout)
    except (RuntimeError, ValueError) as error:
        place = f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"
        raise TrainingError(
            f"{world} ranks did not meet at {place} within {settings.launch.timeout_minutes:g} minutes: "
            f"{str(error).splitlines()[0]}"
        ) from error


def _join_by_deepspeed(backend: str, timeout: timedelta, use_cpu: bool) -> None:
    import deepspeed

    if use_cpu:
        # Shared-memory collectives for CPUs are compiled at first use: two minutes, and a compiler.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    # On CPUs accelerate would leave DeepSpeed's own communication out, and ZeRO 3 then believes in one rank.
    deepspeed.init_distributed(dist_backend=backend, auto_mpi_discovery=False, timeout=timeout, verbose=False)


def build_model(job: Job, settings: Training) -> PeftModel:
    """The base model with LoRA layers."""
    base = load_base(job.base.folder, settings, job.use_cpu)
    return add_lora(base, settings.lora, new_token_ids(job.base.folder, settings.base.new_tokens))


def packed_rows(prepared: Prepared, data: Data) -> tuple[PackedRows, PackedRows | None]:
    """The rows to train on, and those to evaluate on: None if there are none, or ``data.eval`` is ``none``."""
    train, held_out = (PackedRows(split, data.max_tokens, data.packing) for split in (prepared.train, prepared.eval))
    return train, held_out if len(held_out) and data.eval != "none" else None


def build_trainer(
    model: PeftModel,
    arguments: TrainingArguments,
    train: PackedRows,
    held_out: PackedRows | None,
    callbacks: list[TrainerCallback],
) -> Trainer:
    """The Trainer over packed rows of both splits."""
    is_flat = model.config._attn_implementation == "flash_attention_2"
    trainer = PackTrainer(
        model=model,
        args=arguments,
        train_dataset=train,
        eval_dataset=held_out,
        data_collator=partial(sized, flatten=is_flat),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    _save_only_what_is_trained(trainer, model)
    return trainer


def _save_only_what_is_trained(trainer: Trainer, model: PeftModel) -> None:
    """Let a checkpoint cost what the adapter costs.

    Left to itself every rank of ZeRO 1 and 2 copies the whole base into the host's memory for it, and new tokens, or
    LoRA on a table of tokens, bring whole tables of the base into its file.
    """
    # Both are what these objects do for a save and nothing else; there is no setting for either.
    vars(trainer.accelerator)["get_state_dict"] = lambda *_: None  # peft then takes its tensors from the model itself
    vars(model)["save_pretrained"] = partial(model.save_pretrained, save_embedding_layers=False)


def _reporters(out: Path, job: Job, report: Report, ranks: Ranks) -> list[TrainerCallback]:
    """TensorBoard and MLflow, by transformers' own callbacks; on the first rank only.

    In MLflow each attempt of a run is a run of its own; its tags name the folder, the dataset and the base model.
    """
    found: list[TrainerCallback] = []
    if report.tensorboard and ranks.is_first:
        from torch.utils.tensorboard import SummaryWriter
        from transformers.integrations import TensorBoardCallback

        found.append(TensorBoardCallback(SummaryWriter(str(out / "tensorboard"))))
    if report.mlflow and ranks.is_first:
        from transformers.integrations import MLflowCallback

        tags = {"out": str(out), "dataset": job.dataset.digest, "pin": job.dataset.pin or "", "base": job.base.digest}
        os.environ["MLFLOW_TRACKING_URI"] = report.mlflow
        os.environ["MLFLOW_EXPERIMENT_NAME"] = report.experiment
        os.environ["MLFLOW_TAGS"] = json.dumps({f"winnow.{name}": value for name, value in tags.items()})
        found.append(MLflowCallback())
    return found
