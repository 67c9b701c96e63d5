"""What is a run, exactly? Settings, data, tokens and base model by digest, written down before any rank starts.

``OUT/job.json`` is all a rank reads beside the tokens and the base model. Another dataset, base or setting in the same
OUT is another run and is refused.
"""

import hashlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from conf import recipe
from conf.training import Training
from training.checkpoints import file_digest, write_whole
from training.errors import RunRefused

FILE = "job.json"
FREE = {"launch", "report", "name"}
"""Sections of the settings that say nothing about what is learned: they may differ when a run goes on."""


@dataclass(frozen=True)
class Dataset:
    """One version of a lake's dataset, as its commit recorded it. ``rows`` are conversations of both splits."""

    lake: str
    table_id: str
    version: int
    pin: str | None
    digest: str
    rows: int

    def __str__(self) -> str:
        name = f"pin {self.pin}, " if self.pin else ""
        return f"version {self.version} of {self.lake} ({name}digest {short(self.digest)})"


@dataclass(frozen=True)
class BaseModel:
    """A base model's folder, and the digest of its config and weights."""

    folder: str
    digest: str

    def __str__(self) -> str:
        return f"{self.folder} (digest {short(self.digest)})"


@dataclass(frozen=True)
class Job:
    """A prepared run. ``tokens`` is the folder of the token cache; ``digests`` and ``stats`` are the cache's."""

    dataset: Dataset
    base: BaseModel
    settings: dict[str, Any]
    tokens: str
    digests: dict[str, str]
    stats: dict[str, int | float]
    ranks: int

    def training(self) -> Training:
        """The settings as the checked tree."""
        return Training.model_validate(self.settings)

    @property
    def use_cpu(self) -> bool:
        """Whether the run is on CPUs: the settings ask for no GPUs."""
        return bool(self.settings["launch"]["gpus_per_node"] == 0)


def lake_place(lake: str) -> str:
    """Where a lake is, in the same words whoever asks from whichever folder: a URI as it is, a path in full."""
    return lake if "://" in lake else str(Path(lake).resolve())


def write(out: Path, job: Job) -> None:
    """Write ``OUT/job.json``."""
    out.mkdir(parents=True, exist_ok=True)
    write_whole(out / FILE, json.dumps(asdict(job), indent=1))


def read(out: Path) -> Job | None:
    """The job prepared in ``out``, or None. Raises RunRefused if its file cannot be read."""
    try:
        found = json.loads((out / FILE).read_text(encoding="utf-8"))
        return Job(**{**found, "dataset": Dataset(**found["dataset"]), "base": BaseModel(**found["base"])})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise RunRefused(f"{out / FILE} cannot be read ({error}): give another --out") from error


def is_finished(out: Path) -> bool:
    """Whether the run in ``out`` has its adapter: a manifest is written last, and the folder named after that."""
    return (out / "adapter" / "manifest.json").is_file()


def check_same(old: Job, new: Job, out: Path) -> None:
    """Raises RunRefused, naming both, if ``new`` would go on with another run's checkpoints."""
    for what, one, other in (("dataset", old.dataset, new.dataset), ("base model", old.base, new.base)):
        if one.digest != other.digest:
            raise RunRefused(
                f"{out} holds a run on another {what}: it was trained on {one}, and this command asks for {other}. "
                "Give another --out, or the same data and model to go on."
            )
    for name in ("template", "tokenizer"):
        if old.digests.get(name) != new.digests.get(name):
            raise RunRefused(
                f"{out} holds a run with another {name}: digest {short(old.digests.get(name, '?'))}, and this command "
                f"has {short(new.digests.get(name, '?'))}. Give another --out."
            )
    differing = sorted(_differing(old.settings, new.settings))
    if differing:
        raise RunRefused(
            f"{out} holds a run with other settings: {'; '.join(differing[:5])}. Give another --out to train with "
            "these, or the same ones to go on."
        )
    is_whole = new.dataset.rows == sum(new.stats.get(f"{split}.rows", 0) for split in ("train", "eval"))
    if is_whole and old.stats != new.stats:  # else only the first rows were looked at
        raise RunRefused(
            f"{out} holds a run on other rows of tokens, of the same conversations: another version of Winnow made "
            "them. Go on with that one, or give another --out."
        )


def settings_digest(settings: dict[str, Any]) -> str:
    """16 hex digits that stand for every setting that matters to what is learned."""
    return recipe.digest(Training.model_validate({key: value for key, value in settings.items() if key not in FREE}))


def base_model(folder: str) -> BaseModel:
    """The base model in ``folder`` with its digest: SHA-256 over the names and contents of config and weights."""
    path = Path(folder)
    names = ["config.json", *(file.name for file in path.glob("*.safetensors")), "model.safetensors.index.json"]
    files = sorted({name for name in names if (path / name).is_file()})
    with ThreadPoolExecutor(4) as threads:  # hashing leaves Python free
        digests = list(threads.map(lambda name: file_digest(path / name), files))
    whole = "".join(f"{name}\0{digest}\n" for name, digest in zip(files, digests, strict=True))
    return BaseModel(str(path), hashlib.sha256(whole.encode()).hexdigest())


def short(digest: str) -> str:
    """A digest as people compare it by eye."""
    rows, dash, rest = digest.rpartition("-")
    return f"{rows}{dash}{rest[:12]}"


def _differing(old: Any, new: Any, prefix: str = "") -> Iterator[str]:
    for key in sorted(old.keys() | new.keys()):
        name, one, other = f"{prefix}{key}", old.get(key), new.get(key)
        if name in FREE or one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _differing(one, other, f"{name}.")
        else:
            yield f"{name} was {one} and is {other}"
