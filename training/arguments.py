"""The settings of a run in the words of transformers and of DeepSpeed."""

import json
from importlib import resources
from pathlib import Path
from typing import Any

from transformers import TrainingArguments

from conf.training import Training


def training_arguments(settings: Training, out: Path, use_cpu: bool) -> TrainingArguments:
    """The settings as transformers names them. Saving and evaluating are ``Flow``'s, so both are off here."""
    optimizer, schedule, speed = settings.optimizer, settings.schedule, settings.speed
    fused = "adamw_torch" if use_cpu or settings.zero.offload == "cpu" else "adamw_torch_fused"
    return TrainingArguments(
        output_dir=str(out),
        run_name=out.name,
        use_cpu=use_cpu,
        ddp_backend=None if not use_cpu or settings.zero.stage else "gloo",
        ddp_timeout=int(settings.launch.timeout_minutes * 60),
        ddp_find_unused_parameters=False,
        deepspeed=deepspeed_config(settings, use_cpu),
        bf16=speed.bf16,
        fp16=is_half(settings, use_cpu),
        activation_checkpointing=speed.activation_checkpointing,
        # DeepSpeed re-gathers ZeRO 3 weights while recomputing, which only the older kind of checkpointing bears.
        activation_checkpointing_kwargs={"use_reentrant": settings.zero.stage == 3},
        use_liger_kernel=uses_liger(settings, use_cpu),
        torch_compile=speed.compile,
        optim=fused if optimizer.name == "auto" else optimizer.name,
        learning_rate=optimizer.lr,
        weight_decay=optimizer.weight_decay,
        adam_beta1=optimizer.beta1,
        adam_beta2=optimizer.beta2,
        adam_epsilon=optimizer.epsilon,
        max_grad_norm=optimizer.clip,
        num_train_epochs=schedule.epochs,
        max_steps=schedule.max_steps or -1,
        lr_scheduler_type=schedule.scheduler,
        warmup_steps=schedule.warmup,
        per_device_train_batch_size=schedule.per_device_batch,
        per_device_eval_batch_size=schedule.eval_batch or schedule.per_device_batch,
        gradient_accumulation_steps=schedule.accumulation,
        seed=schedule.seed,
        data_seed=schedule.seed,
        logging_steps=schedule.logging_steps,
        logging_first_step=True,
        logging_nan_inf_filter=False,  # a loss that is no number is told, not hidden in an average
        eval_strategy="no",
        save_strategy="no",
        prediction_loss_only=True,
        label_names=["labels"],
        remove_unused_columns=False,
        # Not persistent: such a loader draws from the random generator only once, and a run that goes on once more.
        dataloader_num_workers=speed.loader_workers,
        dataloader_pin_memory=not use_cpu,
        report_to="none",
        disable_tqdm=True,
    )


def uses_liger(settings: Training, use_cpu: bool) -> bool:
    """Whether liger's fused kernels are used: when installed, on a GPU, unless switched off.

    Not where the output head has LoRA: its loss takes the head's own weight, and the adapter would learn nothing.
    """
    from transformers.utils import is_liger_kernel_available

    is_wanted = settings.speed.liger != "off" and "lm_head" not in settings.lora.targets
    return is_wanted and not use_cpu and bool(is_liger_kernel_available())


FOLLOWED: dict[str, Any] = {
    "train_micro_batch_size_per_gpu": "auto",
    "gradient_accumulation_steps": "auto",
    "train_batch_size": "auto",
    "gradient_clipping": "auto",
    "bf16": {"enabled": "auto"},
    "fp16": {"enabled": "auto"},
}
"""What a DeepSpeed file leaves to the settings; where it does not say so, accelerate takes values of its own."""


def is_half(settings: Training, use_cpu: bool) -> bool:
    """Whether a run computes in float16, scaling its loss."""
    return settings.base.dtype == "float16" and not settings.speed.bf16 and not use_cpu


def deepspeed_config(settings: Training, use_cpu: bool) -> dict[str, Any] | None:
    """The DeepSpeed configuration these settings mean, None for stage 0."""
    zero = settings.zero
    if zero.stage == 0:
        return None
    if zero.config:
        text = Path(zero.config).read_text(encoding="utf-8")
    else:
        name = f"zero{zero.stage}{'_offload' if zero.offload == 'cpu' else ''}.json"
        text = resources.files("conf").joinpath("deepspeed", name).read_text(encoding="utf-8")
    config: dict[str, Any] = {**FOLLOWED, **json.loads(text)}
    if use_cpu:
        stage = config["zero_optimization"]
        if "overlap_comm" in stage:
            stage["overlap_comm"] = False
        for part in ("offload_optimizer", "offload_param"):
            if part in stage:
                stage[part]["pin_memory"] = False
    return config
