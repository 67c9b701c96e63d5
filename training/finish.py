"""From the last checkpoint to an adapter's folder: whole or not there at all."""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from training import manifest
from training.checkpoints import Checkpoint
from training.errors import TrainingError
from training.job import Job
from training.numbers import summary, totals

ADAPTER = "adapter"
"""The finished adapter's folder in the run's."""
INITIAL = "initial_adapter"
"""PiSSA's first A and B: with them the trained ones become a plain adapter of the unchanged base."""
WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"


def is_last(checkpoint: Checkpoint) -> bool:
    """Whether the run's last step is done and only the adapter is to be written."""
    state = _state(checkpoint)
    return bool(state["global_step"] >= state["max_steps"])


def save_initial(model: PeftModel, out: Path) -> None:
    """Keep what PiSSA started from."""
    model.save_pretrained(str(out / INITIAL))


def write_adapter(job: Job, out: Path, checkpoint: Checkpoint) -> Path:
    """Write ``OUT/adapter`` from the last checkpoint under a temporary name, renamed at the end; return it."""
    partial, final = out / f".{ADAPTER}.partial", out / ADAPTER
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write_weights(job, out, checkpoint.folder, partial)
    template = save_tokenizer(job, partial)
    state = _state(checkpoint)
    log: list[dict[str, Any]] = state["log_history"]
    numbers = summary(totals(checkpoint.folder), log, state["epoch"])
    told = manifest.describe(job, numbers, template, manifest.hardware(job.use_cpu, job.ranks))
    curves = [[(line["step"], line[key]) for line in log if key in line] for key in ("loss", "eval_loss")]
    manifest.write(partial, told, curves[0], curves[1])
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    print_summary(numbers, final)
    return final


def write_weights(job: Job, out: Path, checkpoint: Path, folder: Path) -> None:
    """The adapter's weights and configuration as peft reads them. Raises TrainingError if a tensor is empty or NaN."""
    config = json.loads((checkpoint / CONFIG).read_text(encoding="utf-8"))
    weights = read_weights(checkpoint / WEIGHTS)
    if job.settings["lora"]["init"] == "pissa":
        weights, config = without_pissa(weights, read_weights(out / INITIAL / WEIGHTS), config)
    check_weights(weights)
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, folder / WEIGHTS, {"format": "pt"})
    (folder / CONFIG).write_text(json.dumps({**config, "inference_mode": True}, indent=2), encoding="utf-8")


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file. Raises TrainingError, by its name, where it is missing or damaged."""
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"{path} is missing or damaged ({error}): copy it again") from error


def check_weights(weights: dict[str, torch.Tensor]) -> None:
    """Raises TrainingError unless every tensor has finite values and some lora_B moved away from zero."""
    empty = [name for name, tensor in weights.items() if tensor.numel() == 0]
    if empty or not weights:
        raise TrainingError(f"{len(empty)} of {len(weights)} tensors are empty ({empty[:2]}): the adapter is not whole")
    broken = [name for name, tensor in weights.items() if not tensor.float().isfinite().all()]
    if broken:
        raise TrainingError(f"{len(broken)} of {len(weights)} tensors hold NaN or infinity ({broken[:2]})")
    moved = [name for name, tensor in weights.items() if "lora_B" in name and tensor.any()]
    if not moved and any("lora_B" in name for name in weights):
        raise TrainingError("every lora_B is zero: nothing was learned. Check optimizer.lr and schedule.max_steps.")


def without_pissa(
    weights: dict[str, torch.Tensor], initial: dict[str, torch.Tensor], config: dict[str, Any]
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The same model as an adapter of the unchanged base: B A - B0 A0 is one product of twice the rank.

    The scale stays: alpha / r for plain LoRA, alpha / sqrt(r) for rsLoRA. Source: PiSSA, arXiv:2404.02948, appendix.
    """
    found = {}
    for name, tensor in weights.items():
        if "lora_A" in name:
            found[name] = torch.cat([tensor, initial[name].to(tensor.dtype)], dim=0)
        elif "lora_B" in name:
            found[name] = torch.cat([tensor, -initial[name].to(tensor.dtype)], dim=1)
        else:
            found[name] = tensor
    more = 2**0.5 if config.get("use_rslora") else 2
    changed = {"r": config["r"] * 2, "lora_alpha": config["lora_alpha"] * more, "init_lora_weights": True}
    return found, {**config, **changed}


def save_tokenizer(job: Job, folder: Path) -> str:
    """The tokenizer with the chat template that was trained, new tokens included; returns the template's name."""
    from training.chat import open_tokenizer, template_for

    settings = job.training()
    tokenizer = open_tokenizer(job.base.folder, settings.base.new_tokens)
    template = template_for(job.base.folder, settings.base.template)
    tokenizer.chat_template = template.text
    tokenizer.save_pretrained(str(folder))
    return template.name


def print_summary(numbers: dict[str, float], folder: Path) -> None:
    """The summary as transformers prints it, and where the adapter is."""
    width = max(map(len, numbers))
    print("***** train metrics *****")
    for name, value in sorted(numbers.items()):
        print(f"  {name:<{width}} = {value:>14,.6g}")
    print(f"adapter: {folder}", flush=True)


def _state(checkpoint: Checkpoint) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((checkpoint.folder / "trainer_state.json").read_text(encoding="utf-8"))
    return found
