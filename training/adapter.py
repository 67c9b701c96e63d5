"""What can be done with a finished adapter: look into it, prove it, merge it into its base, export it."""

import json
import shutil
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModel
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from training import job, lora, manifest
from training.base import check_base
from training.corpus import open_version, verify
from training.endings import stop_tokens
from training.errors import RunRefused, TrainingError
from training.finish import CONFIG, WEIGHTS, check_weights, read_weights

PROBE = 32
"""Tokens of the input whose logits are compared before and after a merge."""
LARGEST_CHANGE = 0.05
"""Share of the largest logit that merging may change by rounding; bfloat16 keeps two to three digits."""


def load(folder: Path, base: str | None = None, dtype: str = "auto") -> PeftModel:
    """The base model with the adapter on it, on the CPU, ready to answer; ``base`` None: where it was when trained.

    Raises RunRefused if the base is not the one it was trained on (by digest), TrainingError if files were changed.
    """
    told = manifest.read(folder)
    manifest.check_files(folder, told)
    place = base or told["base"]["model"]
    check_base(place)
    logging.disable_progress_bar()
    manifest.check_base(told, job.base_model(place))
    kind: Any = dtype if dtype == "auto" else getattr(torch, dtype)
    model = AutoModelForCausalLM.from_pretrained(
        place, dtype=kind, use_safetensors=True, trust_remote_code=False, local_files_only=True
    )
    rows = _config(folder).get("trainable_token_indices")
    if rows:  # by table, the same ids for each
        lora.make_room(model, max(next(iter(rows.values()))) + 1)
    return PeftModel.from_pretrained(model, str(folder)).eval()


def run_inspect(args: Namespace) -> int:
    """``winnow adapter inspect``."""
    folder = Path(args.adapter)
    told, config = manifest.read(folder), _config(folder)
    weights = read_weights(folder / WEIGHTS)
    data, base = told["dataset"], told["base"]
    pin = f", pin {data['pin']}" if data["pin"] else ""
    kind = "DoRA" if config.get("use_dora") else "rsLoRA" if config.get("use_rslora") else "LoRA"
    reason = no_vllm(config)
    lines = {
        "recipe": f"{told['settings']['name']} (settings digest {told['settings_digest']})",
        "base": f"{base['model']} (digest {job.short(base['digest'])})",
        "dataset": f"version {data['version']} of {data['lake']}{pin}, {data['rows']:,} rows",
        "digest": data["digest"],
        "template": f"{told['template']['name']} (digest {told['template']['digest']})",
        "adapter": f"{kind} r {config['r']}, alpha {config['lora_alpha']:g}, {len(weights)} tensors, "
        f"{sum(tensor.numel() for tensor in weights.values()):,} parameters",
        "targets": ", ".join(sorted(config["target_modules"])),
        "vLLM": f"no: {reason}" if reason else f"yes, with --max-lora-rank {config['r']} or more",
        "written": f"{told['written']} by winnow {told['winnow']}",
        "hardware": f"{told['ranks']} ranks of {told['hardware']['device']}",
        **{name: f"{value:,.6g}" for name, value in told["numbers"].items()},
    }
    width = max(map(len, lines))
    print("\n".join(f"{name:<{width}}  {line}" for name, line in lines.items()))
    return 0


def run_verify(args: Namespace) -> int:
    """``winnow adapter verify``: files and tensors; the base by digest; the dataset by digest where a lake is given."""
    folder = Path(args.adapter)
    told = manifest.read(folder)
    manifest.check_files(folder, told)
    print(f"files: {len(told['files'])} as written")
    weights = read_weights(folder / WEIGHTS)
    check_weights(weights)
    print(f"tensors: {len(weights)}, none empty, all finite, lora_B moved")
    place = args.base or told["base"]["model"]
    if args.base or Path(place).is_dir():
        check_base(place)
        base = job.base_model(place)
        manifest.check_base(told, base)
        print(f"base: {base}")
    else:
        print(f"base: not checked, {place} is not here (give --base)")
    print(f"dataset: {check_dataset(told, args.lake)}" if args.lake else "dataset: not checked (give --lake)")
    return 0


def check_dataset(told: dict[str, Any], lake: str) -> str:
    """The digest of the version the adapter names, recomputed in ``lake``. Raises RunRefused, naming both, if other."""
    data = told["dataset"]
    corpus = open_version(lake, version=data["version"])
    if corpus.digest != data["digest"]:
        raise RunRefused(
            f"the adapter was trained on version {data['version']} with digest {data['digest']}; in {lake} that "
            f"version has digest {corpus.digest}: another dataset"
        )
    return f"version {corpus.version}, {verify(corpus)} recomputed"


def run_merge(args: Namespace) -> int:
    """``winnow adapter merge``: base + adapter as one model, the largest change of a logit by merging printed."""
    folder, out = Path(args.adapter), Path(args.out)
    with _new_folder(out) as partial:
        model = load(folder, args.base)
        ids = torch.arange(PROBE).unsqueeze(0) % model.config.vocab_size
        before = _logits(model, ids)
        merged: Any = model.merge_and_unload(safe_merge=True)
        after = _logits(merged, ids)
        change, size = (before - after).abs().max().item(), before.abs().max().item()
        print(f"max |difference of logits| = {change:.3g} (largest logit {size:.3g})")
        if not change <= LARGEST_CHANGE * size:
            raise TrainingError(f"merging changed a logit by {change:.3g} of {size:.3g}: nothing was written")
        merged.config.use_cache = True
        # What the base ends an answer with may be another token than the template that was trained.
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        merged.generation_config.eos_token_id = stop_tokens(tokenizer) or merged.generation_config.eos_token_id
        merged.save_pretrained(str(partial), max_shard_size=f"{args.shard_gb:g}GB")
        _copy_tokenizer(folder, partial)
        shutil.copy(folder / manifest.FILE, partial / "adapter_manifest.json")
    print(f"merged model: {out}")
    return 0


def run_export(args: Namespace) -> int:
    """``winnow adapter export``: ``lora.pt`` with loralib's names, loaded after the base with ``strict=False``."""
    folder, out = Path(args.adapter), Path(args.out)
    manifest.check_files(folder, manifest.read(folder))
    config = _config(folder)
    state, alpha = plain_state(read_weights(folder / WEIGHTS), config)
    with _new_folder(out) as partial:
        torch.save(state, partial / "lora.pt")
        save_file(state, partial / "lora.safetensors", {"format": "pt"})
        told = {"r": config["r"], "lora_alpha": alpha, "target_modules": sorted(config["target_modules"])}
        (partial / "lora.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
        shutil.copy(folder / manifest.FILE, partial / "adapter_manifest.json")
    print(
        f"{out}/lora.pt: {len(state)} tensors for layers lora.Linear(..., r={config['r']}, lora_alpha={alpha:g}). Load "
        "the base's weights first, then model.load_state_dict(torch.load('lora.pt', weights_only=True), strict=False)"
    )
    return 0


def plain_state(weights: dict[str, torch.Tensor], config: dict[str, Any]) -> tuple[dict[str, torch.Tensor], float]:
    """The tensors under the names a plain model with loralib layers has, and alpha such that the scale is alpha / r.

    Raises RunRefused where that form has no place for what was trained.
    """
    strangers = sorted(name for name in weights if not name.endswith(("lora_A.weight", "lora_B.weight")))
    if strangers:
        raise RunRefused(
            f"loralib's form holds lora_A and lora_B only, and this adapter also has {strangers[0]} (DoRA, new tokens "
            "or modules_to_save): use `winnow adapter merge`"
        )
    state = {name.removeprefix("base_model.model.").removesuffix(".weight"): part for name, part in weights.items()}
    alpha = config["lora_alpha"] * (config["r"] ** 0.5 if config.get("use_rslora") else 1.0)
    return {name: tensor.contiguous() for name, tensor in state.items()}, alpha


def no_vllm(config: dict[str, Any]) -> str | None:
    """Why vLLM would not serve this adapter as it is, or None."""
    if config.get("use_dora"):
        return "it has no DoRA; merge instead"
    if config.get("modules_to_save") or config.get("trainable_token_indices"):
        return "it takes LoRA layers only; merge instead"
    return None


def _config(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        PeftConfig.from_pretrained(str(folder))
        return found
    except (OSError, ValueError) as error:
        raise RunRefused(f"{folder / CONFIG} cannot be read: {error}") from error


def _logits(model: Any, ids: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=ids).logits.float()
        return found


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A folder under a temporary name that becomes ``out`` when all went well; else nothing is left."""
    if out.exists():
        raise RunRefused(f"{out} exists already: give a new folder with --out")
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _copy_tokenizer(folder: Path, out: Path) -> None:
    """The tokenizer as it was trained with, chat template included."""
    for path in folder.iterdir():
        if path.name.startswith(("tokenizer", "special_tokens", "chat_template", "vocab", "merges", "added_tokens")):
            shutil.copy(path, out / path.name)
