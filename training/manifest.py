"""Where does an adapter come from? ``manifest.json`` beside its weights, and a model card for people."""

import json
import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from conf import VERSION
from training.checkpoints import digests, write_whole
from training.errors import RunRefused, TrainingError
from training.job import BaseModel, Job, settings_digest, short

FILE = "manifest.json"
PACKAGES = ("torch", "transformers", "peft", "accelerate", "deepspeed", "tokenizers", "safetensors", "deltalake")


def describe(job: Job, numbers: dict[str, float], template: str, hardware: dict[str, Any]) -> dict[str, Any]:
    """Everything that made an adapter, as plain values; the file digests are added by ``write``."""
    dataset = {key: getattr(job.dataset, key) for key in ("lake", "table_id", "version", "pin", "digest", "rows")}
    return {
        "winnow": VERSION,
        "dataset": dataset,
        "base": {"model": job.base.folder, "digest": job.base.digest},
        "template": {"name": template, "digest": job.digests.get("template")},
        "tokenizer_digest": job.digests.get("tokenizer"),
        "tokens": job.stats,
        "settings": job.settings,
        "settings_digest": settings_digest(job.settings),
        "ranks": job.ranks,
        "packages": packages(),
        "hardware": hardware,
        "numbers": numbers,
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


Curve = Sequence[tuple[int, float]]
"""Losses by step."""


def write(folder: Path, manifest: dict[str, Any], curve: Curve, evals: Curve) -> None:
    """Write card, curve and manifest into an adapter's folder; the manifest is last and lists every other file."""
    (folder / "loss.svg").write_text(curve_svg(curve, evals), encoding="utf-8")
    (folder / "README.md").write_text(card(manifest), encoding="utf-8")
    listed = {name: digest for name, digest in digests(folder).items() if name != FILE}
    write_whole(folder / FILE, json.dumps({**manifest, "files": listed}, indent=1))


def read(folder: Path) -> dict[str, Any]:
    """An adapter's manifest. Raises RunRefused if there is none: nobody can say where such an adapter comes from."""
    try:
        found: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return found
    except FileNotFoundError:
        raise RunRefused(f"{folder} has no {FILE}: expected an adapter that `winnow train` wrote") from None
    except ValueError as error:
        raise RunRefused(f"{folder / FILE} is damaged: {error}") from None


def check_files(folder: Path, manifest: dict[str, Any]) -> None:
    """Raises TrainingError that names every file that is not as the manifest says."""
    found = {name: digest for name, digest in digests(folder).items() if name != FILE}
    listed: dict[str, str] = manifest["files"]
    wrong = [name for name in listed if found.get(name) != listed[name]]
    if wrong:
        raise TrainingError(f"{folder}: {', '.join(wrong)} not as written (missing or changed); copy the adapter again")


def check_base(manifest: dict[str, Any], base: BaseModel) -> None:
    """Raises RunRefused, naming both, if the adapter was trained on another base model."""
    trained = BaseModel(manifest["base"]["model"], manifest["base"]["digest"])
    if trained.digest != base.digest:
        raise RunRefused(
            f"the adapter was trained on {trained}, and the base given is {base}: on another model its weights mean "
            "nothing. Give --base with the model it was trained on."
        )


def packages() -> dict[str, str]:
    """Versions of what the result depends on, Python included."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def hardware(use_cpu: bool, ranks: int) -> dict[str, Any]:
    """What the run was on, as this rank sees it."""
    import torch

    if use_cpu:
        return {"device": platform.processor() or platform.machine(), "cores": os.cpu_count(), "ranks": ranks}
    properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    return {
        "device": properties.name,
        "memory_gb": round(properties.total_memory / 1e9, 1),
        "cuda": torch.version.cuda,
        "ranks": ranks,
    }


def card(manifest: dict[str, Any]) -> str:
    """The model card: Markdown that the hub understands, every value from the manifest."""
    data, base, settings, numbers = (manifest[key] for key in ("dataset", "base", "settings", "numbers"))
    name, lora, schedule = settings["name"], settings["lora"], settings["schedule"]
    told = "\n".join(f"| {key} | {value:,.6g} |" for key, value in numbers.items())
    pin = f"pin `{data['pin']}`, " if data["pin"] else ""
    return f"""---
library_name: peft
base_model: {json.dumps(Path(base["model"]).name)}
tags: [lora, winnow]
---
# {name}

A LoRA adapter for `{Path(base["model"]).name}` (digest `{short(base["digest"])}`), trained on version {data["version"]}
of a Winnow dataset: {pin}{data["rows"]:,} conversations, digest `{data["digest"]}`, table `{data["table_id"]}`.

r {lora["r"]}, alpha {lora["alpha"]:g}, dropout {lora["dropout"]:g}, targets {", ".join(lora["targets"])}; chat template
`{manifest["template"]["name"]}` (digest `{manifest["template"]["digest"]}`);
learning rate {settings["optimizer"]["lr"]:g}, {schedule["scheduler"]};
{manifest["ranks"]} ranks of {manifest["hardware"].get("device")}.

![Loss by step](loss.svg)

| | |
|---|---|
{told}

`manifest.json` holds every setting, digest and version. `winnow adapter verify` checks it.
"""


def curve_svg(losses: Curve, evals: Curve) -> str:
    """The loss by step as a picture: a line for training, dots for evaluations."""
    points = [*losses, *evals] or [(0, 0.0)]
    first, last = min(x for x, _ in points), max(x for x, _ in points)
    low, high = min(y for _, y in points), max(y for _, y in points)
    wide, tall = max(last - first, 1), max(high - low, 1e-9)

    def place(point: tuple[int, float]) -> str:
        return f"{60 + 560 * (point[0] - first) / wide:.1f},{20 + 240 * (high - point[1]) / tall:.1f}"

    dots = "".join('<circle cx="{}" cy="{}" r="4" fill="#d1495b"/>'.format(*place(one).split(",")) for one in evals)
    line = " ".join(place(one) for one in losses)
    text = '<text x="{}" y="{}" font-size="12" font-family="sans-serif" text-anchor="{}">{}</text>'
    labels = [
        text.format(54, 26, "end", f"{high:.3f}"),
        text.format(54, 264, "end", f"{low:.3f}"),
        text.format(60, 285, "start", f"step {first}"),
        text.format(620, 285, "end", f"step {last}"),
        text.format(620, 16, "end", "loss (line: training, dots: evaluation)"),
    ]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 300" role="img"><rect width="640" height="300" '
        'fill="white"/><path d="M60 20V260H620" fill="none" stroke="#999"/>'
        f'<polyline points="{line}" fill="none" stroke="#2e6f9e" stroke-width="2"/>{dots}{"".join(labels)}</svg>\n'
    )
