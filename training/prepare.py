"""Everything that can be found wrong before a rank starts, and everything the ranks will read.

Example:
    job = prepare(Request(lake="lake", out="runs/first", pin="baseline"), settings)
"""

import json
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conf.training import Training
from training import checkpoints, job
from training.corpus import Corpus, open_version, verify
from training.errors import RunRefused
from training.job import Dataset, Job
from training.progress import telling

if TYPE_CHECKING:
    from training.tokens import Prepared


@dataclass(frozen=True)
class Request:
    """What a command asked for: a version of a lake (at most one of pin, version, timestamp) and a folder to write."""

    lake: str
    out: str
    pin: str | None = None
    version: int | None = None
    timestamp: str | None = None
    allow_unpinned: bool = False
    ranks: int | None = None
    resume: str = "auto"


def prepare(request: Request, settings: Training) -> Job:
    """Check dataset, model and machine, make the tokens, and write ``OUT/job.json``. Starts no other process group.

    Raises RunRefused, or CorpusError for a version that is gone or damaged; in both cases nothing was changed in OUT.
    """
    out = Path(request.out)
    ranks = request.ranks or settings.launch.ranks
    check_devices(settings, ranks if settings.launch.nodes == 1 else settings.launch.local_ranks)
    corpus = open_corpus(request)
    from training import lora, tokens
    from training.base import check_base, check_positions
    from training.chat import new_token_ids
    from training.endings import check_end
    from training.tiny import base_model

    lora.check_lora(settings, settings.launch.gpus_per_node == 0)
    check_libraries(settings)
    check_zero(settings, ranks)
    say(f"checking {corpus.rows:,} conversations of version {corpus.version} against digest {job.short(corpus.digest)}")
    verify(corpus)
    folder = str(Path(base_model(corpus, settings)).expanduser().resolve())
    check_base(folder)
    lora.check_targets(folder, settings.lora, new_token_ids(folder, settings.base.new_tokens))
    check_end(folder, settings.base)
    prepared = tokens.prepare(corpus, folder, settings, telling())
    check_rows(prepared, settings, ranks)
    check_positions(folder, prepared.longest)
    new = job_of(corpus, folder, settings, prepared, ranks)
    old = begun(out)
    if old is not None:
        job.check_same(old, new, out)
    check_resume(checkpoints.newest(out, tell=say), request.resume, ranks)
    job.write(out, new)
    return new


def open_corpus(request: Request) -> Corpus:
    """The version asked for; where none is, the one a run in OUT was begun on, else the newest.

    Raises RunRefused if no pin keeps it and that was not allowed.
    """
    is_named = (request.pin, request.version, request.timestamp) != (None, None, None)
    version = request.version if is_named else _begun_on(request)
    corpus = open_version(request.lake, request.pin, version, request.timestamp)
    if not corpus.pins and not request.allow_unpinned:
        raise RunRefused(
            f"version {corpus.version} of {request.lake} has no pin: a clean-up may remove it, and then nobody could "
            f"repeat this run. Pin it (`winnow pin NAME --lake {request.lake} --version {corpus.version}`), choose a "
            "pinned one, or give --allow-unpinned."
        )
    return corpus


def _begun_on(request: Request) -> int | None:
    """A dataset published since then would make it another run: the same command goes on."""
    old = begun(Path(request.out))
    return old.dataset.version if old and old.dataset.lake == job.lake_place(request.lake) else None


def job_of(corpus: Corpus, folder: str, settings: Training, prepared: "Prepared", ranks: int) -> Job:
    """The job of training the base model in ``folder`` on these tokens."""
    pin = corpus.pin or next(iter(corpus.pins), None)
    dataset = Dataset(job.lake_place(corpus.lake), corpus.table_id, corpus.version, pin, corpus.digest, corpus.rows)
    return Job(
        dataset=dataset,
        base=job.base_model(folder),
        settings=settings.model_dump(),
        tokens=prepared.folder,
        digests=prepared.digests,
        stats=prepared.stats,
        ranks=ranks,
    )


def check_devices(settings: Training, ranks: int) -> None:
    """Raises RunRefused if this machine has fewer GPUs than asked, or a torch that cannot use them."""
    asked = settings.launch.gpus_per_node
    if asked == 0:
        return
    import torch

    found = torch.cuda.device_count()
    if found == 0:
        raise RunRefused(
            f"launch.gpus_per_node is {asked}, and torch {torch.__version__} finds no GPU here: {_cuda_reason()}. "
            "Set launch.gpus_per_node=0 to train on the CPU."
        )
    if found < ranks:
        raise RunRefused(
            f"{ranks} ranks need {ranks} GPUs, and this machine has {found}: give --ranks {found} "
            f"--set launch.gpus_per_node={found}, or another machine."
        )


def check_libraries(settings: Training) -> None:
    """Raises RunRefused if the settings need a library or a device that is not here."""
    needs = {
        "report.mlflow": ("mlflow", bool(settings.report.mlflow)),
        "report.tensorboard": ("tensorboard", settings.report.tensorboard),
        "lora.quantize: 4bit": ("bitsandbytes", settings.lora.quantize == "4bit"),
        "speed.liger: on": ("liger_kernel", settings.speed.liger == "on"),
        "base.attention: flash_attention_2": ("flash_attn", settings.base.attention == "flash_attention_2"),
    }
    if settings.speed.liger == "on" and "lm_head" in settings.lora.targets:
        raise RunRefused("speed.liger: on leaves the LoRA of lora.targets: lm_head untrained; write auto or off")
    for setting, (library, is_asked) in needs.items():
        if is_asked and find_spec(library) is None:
            raise RunRefused(f"{setting} needs the library {library}: pip install {library.replace('_', '-')}")
    if settings.base.attention == "flash_attention_2" and settings.base.dtype == "float32":
        raise RunRefused("base.attention: flash_attention_2 has no float32; write base.dtype: bfloat16, or auto")
    if settings.speed.liger == "on" and settings.launch.gpus_per_node == 0:
        raise RunRefused("speed.liger: on needs a GPU; write auto or off")


def check_rows(prepared: "Prepared", settings: Training, ranks: int) -> None:
    """Raises RunRefused if some process would have no rows of its own in a step; says if the run ends while it still
    warms up."""
    from training.arithmetic import plan, shortage, unwarmed
    from training.packing import PackedRows

    packs = PackedRows(prepared.train, settings.data.max_tokens, settings.data.packing)
    if too_few := shortage(len(packs), settings, ranks):
        raise RunRefused(too_few)
    if too_short := unwarmed(plan(len(packs), settings.schedule, ranks).steps, settings.schedule):
        say(f"warning: {too_short}")


def check_zero(settings: Training, ranks: int) -> None:
    """Raises RunRefused if ``zero.config`` is no file of the stage in ``zero.stage``, which all else here goes by, or
    says otherwise than the settings do."""
    zero = settings.zero
    if not zero.config:
        return
    try:
        found = json.loads(Path(zero.config).read_text(encoding="utf-8"))
        stage = found.get("zero_optimization", {}).get("stage", 0)
        others = _contradictions(found, settings, ranks)
    except FileNotFoundError:
        raise RunRefused(f"zero.config: no such file: {zero.config}") from None
    except (OSError, ValueError, AttributeError) as error:
        raise RunRefused(f"zero.config: expected a JSON file of DeepSpeed's in {zero.config}, found {error}") from error
    if stage != zero.stage or not stage:
        raise RunRefused(
            f"zero.config: expected a file of the stage in zero.stage, which is {zero.stage}, and not 0, which is "
            f"without DeepSpeed; found stage {stage} in {zero.config}: set zero.stage to the file's, or leave it out"
        )
    if others:
        raise RunRefused(
            f"zero.config: expected what the settings say, or auto, found in {zero.config}: {'; '.join(others)}"
        )


def _contradictions(found: dict[str, Any], settings: Training, ranks: int) -> list[str]:
    """Values of a DeepSpeed file that the settings have otherwise, with both."""
    from training.arguments import is_half

    schedule, precision = settings.schedule, {name: found.get(name, {}).get("enabled") for name in ("bf16", "fp16")}
    batch, times = schedule.per_device_batch, schedule.accumulation
    pairs = {
        "train_micro_batch_size_per_gpu": (found.get("train_micro_batch_size_per_gpu"), batch),
        "gradient_accumulation_steps": (found.get("gradient_accumulation_steps"), times),
        "train_batch_size": (found.get("train_batch_size"), batch * times * ranks),
        "gradient_clipping": (found.get("gradient_clipping"), settings.optimizer.clip),
        "bf16.enabled": (precision["bf16"], settings.speed.bf16),
        "fp16.enabled": (precision["fp16"], is_half(settings, settings.launch.gpus_per_node == 0)),
    }
    return [
        f"{key} {one}, by the settings {other}"
        for key, (one, other) in pairs.items()
        if one not in (None, "auto", other)
    ]


def check_resume(newest: checkpoints.Checkpoint | None, resume: str, ranks: int) -> None:
    """Raises RunRefused if a run may not go on from this checkpoint, or not with so many ranks."""
    if newest is None:
        return
    if resume == "none":
        raise RunRefused(f"{newest.folder} is there and --resume is none: give another --out, or --resume auto")
    checkpoints.check_ranks(newest, ranks)


def begun(out: Path) -> Job | None:
    """The run that has work in ``out``, if one has."""
    return job.read(out) if has_work(out) else None


def has_work(out: Path) -> bool:
    """Whether ``out`` holds checkpoints or an adapter, which another run must not touch."""
    return any(out.glob("checkpoint-*")) or (out / "adapter").exists()


def say(line: str) -> None:
    """One line of news for people."""
    print(line, file=sys.stderr, flush=True)


def _cuda_reason() -> str:
    import torch

    try:
        torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return f"{str(error).splitlines()[0]} (it is built for CUDA {torch.version.cuda})"
    return "none is visible (see CUDA_VISIBLE_DEVICES and nvidia-smi)"
