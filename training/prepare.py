"""Everything that can be found wrong before a rank starts, and everything the ranks will read.

Example:
    out, job = prepare(Request(lake="lake", out="runs/first", pin="baseline"), settings)
"""

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from conf.training import Training
from training import checkpoints, job
from training.corpus import Corpus, open_version, verify
from training.errors import RunRefused
from training.job import Dataset, Job


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
    from training import lora
    from training.tiny import base_model

    lora.check_lora(settings, settings.launch.gpus_per_node == 0)
    check_libraries(settings)
    say(f"checking {corpus.rows:,} conversations of version {corpus.version} against digest {job.short(corpus.digest)}")
    verify(corpus)
    folder = str(Path(base_model(corpus, settings)).expanduser().resolve())
    lora.check_base(folder)
    lora.check_targets(folder, settings.lora)
    new = make_tokens(request, settings, corpus, folder, ranks)
    old = job.read(out)
    if old is not None and has_work(out):
        job.check_same(old, new, out)
    check_resume(request, out, ranks)
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
    out = Path(request.out)
    old = job.read(out) if has_work(out) else None
    return old.dataset.version if old and old.dataset.lake == _place(request.lake) else None


def _place(lake: str) -> str:
    return lake if "://" in lake else str(Path(lake).resolve())


def make_tokens(request: Request, settings: Training, corpus: Corpus, folder: str, ranks: int) -> Job:
    """Tokenise what is not yet, and put the job together."""
    from training import tokens

    prepared = tokens.prepare(corpus, folder, settings, progress)
    pin = corpus.pin or next(iter(corpus.pins), None)
    dataset = Dataset(_place(request.lake), corpus.table_id, corpus.version, pin, corpus.digest, corpus.rows)
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
    """Raises RunRefused if the settings name a file or need a library that is not here."""
    if settings.zero.config and not Path(settings.zero.config).is_file():
        raise RunRefused(f"zero.config: no such file: {settings.zero.config}")
    needs = {
        "report.mlflow": ("mlflow", bool(settings.report.mlflow)),
        "report.tensorboard": ("tensorboard", settings.report.tensorboard),
        "lora.quantize: 4bit": ("bitsandbytes", settings.lora.quantize == "4bit"),
        "speed.liger: on": ("liger_kernel", settings.speed.liger == "on"),
        "base.attention: flash_attention_2": ("flash_attn", settings.base.attention == "flash_attention_2"),
    }
    for setting, (library, is_asked) in needs.items():
        if is_asked and find_spec(library) is None:
            raise RunRefused(f"{setting} needs the library {library}: pip install {library.replace('_', '-')}")
    if settings.speed.liger == "on" and settings.launch.gpus_per_node == 0:
        raise RunRefused("speed.liger: on needs a GPU; write auto or off")


def check_resume(request: Request, out: Path, ranks: int) -> None:
    """Tell what a run in ``out`` would go on from. Raises RunRefused if it may not, or with other ranks."""
    newest = checkpoints.newest(out, tell=say)
    if newest is None:
        return
    if request.resume == "none":
        raise RunRefused(f"{newest.folder} is there and --resume is none: give another --out, or --resume auto")
    checkpoints.check_ranks(newest, ranks)


def has_work(out: Path) -> bool:
    """Whether ``out`` holds checkpoints or an adapter, which another run must not touch."""
    return any(out.glob("checkpoint-*")) or (out / "adapter").exists()


def progress(done: int, rows: int) -> None:
    """Rows tokenised, on a line that is written over at a terminal."""
    if sys.stderr.isatty() or done == rows:
        print(f"\rtokenising: {done:,} of {rows:,} rows", end="\n" if done == rows else "", file=sys.stderr, flush=True)


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
