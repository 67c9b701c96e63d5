"""What would this run be, and would it go through? ``winnow train --check``: no GPU, no process group, seconds."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from conf.training import Training
from training import arithmetic, checkpoints, footprint, job, lock, lora, tokens, trainable
from training import prepare as preparing
from training.base import check_base, check_positions
from training.chat import load_tokenizer
from training.corpus import Corpus
from training.endings import check_end
from training.errors import RunRefused
from training.footprint import GB
from training.memory import Shape
from training.packing import PackedRows
from training.tiny import base_model
from training.tokens import Prepared

LOOK = 8192
"""Conversations tokenized for the check of a version that has no token cache yet."""

BARS = tuple(64 << step for step in range(15))  # up to the most that data.max_tokens may be


@dataclass(frozen=True)
class Subject:
    """What is checked: rows, base model, settings, number of processes, the folder the run would write, --resume."""

    corpus: Corpus
    folder: str
    settings: Training
    ranks: int
    out: Path
    resume: str = "auto"


def run(args: Namespace, settings: Training) -> int:
    """Print the report. Raises RunRefused, after it, with every reason why the run would not go through."""
    wanted = {name: getattr(args, name) for name in preparing.Request.__dataclass_fields__}
    request = preparing.Request(**wanted)
    corpus = preparing.open_corpus(request)
    folder = str(Path(base_model(corpus, settings)).expanduser().resolve())
    check_base(folder)
    ranks = request.ranks or settings.launch.ranks
    problems: list[str] = []
    for line in report(Subject(corpus, folder, settings, ranks, Path(request.out), request.resume), problems):
        print(line, flush=True)
    if problems:
        raise RunRefused("\nwinnow: ".join(problems))
    print("verdict     the run can start")
    return 0


def report(subject: Subject, problems: list[str]) -> Iterator[str]:
    """The report's lines; every reason not to start is added to ``problems`` on the way."""
    settings, corpus = subject.settings, subject.corpus
    pin = f", pin {corpus.pin}" if corpus.pin else ""
    yield f"dataset     {corpus.lake}, version {corpus.version}{pin}, {corpus.rows:,} rows, digest {corpus.digest}"
    prepared = tokens.look(corpus, subject.folder, settings, LOOK)
    seen = prepared.stats["train.rows"] + prepared.stats["eval.rows"]
    # The eval rows of a version may all come later than the first that are looked at.
    judged = settings.data if seen == corpus.rows else settings.data.model_copy(update={"eval": "none"})
    problems += trainable.problems(prepared.stats, prepared.refusal, judged)
    yield from _tokens(subject, prepared)
    packs = PackedRows(prepared.train, settings.data.max_tokens, settings.data.packing)
    yield from _steps(subject, packs, corpus.rows / max(1, seen), problems)
    with _collecting(problems):
        check_end(subject.folder, settings.base)
    with _collecting(problems):
        preparing.check_libraries(settings)
    with _collecting(problems):
        preparing.check_zero(settings, subject.ranks)
    with _collecting(problems):
        lora.check_lora(settings, settings.launch.gpus_per_node == 0)
        model = footprint.shape(subject.folder, settings)
        with _collecting(problems):
            check_positions(subject.folder, prepared.longest)
        yield from _memory(subject, model, problems)
        yield from _disk(subject, model, problems)
    yield from _going_on(subject, prepared, problems)


def _going_on(subject: Subject, prepared: Prepared, problems: list[str]) -> Iterator[str]:
    """What is in the run's folder already, and whether the run may go on from it."""
    out, ranks = subject.out, subject.ranks
    with _collecting(problems):
        lock.check(out)
    with _collecting(problems):
        old = preparing.begun(out)
        if old is not None:  # else the base model is not read for nothing: its digest takes a while
            job.check_same(
                old, preparing.job_of(subject.corpus, subject.folder, subject.settings, prepared, ranks), out
            )
    with _collecting(problems):
        newest = checkpoints.newest(out, tell=lambda line: None)
        if newest is not None:
            yield f"resume      from {newest.folder}: step {newest.step}, written by {newest.ranks} ranks"
        preparing.check_resume(newest, subject.resume, ranks)


def histogram(lengths: np.ndarray) -> list[str]:
    """Rows by length, one line for each power of two in use: ``<=   128  ####  12.1%``."""
    counts = np.histogram(lengths, (0, *(bar + 1 for bar in BARS)))[0]
    used = np.flatnonzero(counts)
    shares = counts / max(1, counts.sum())
    return [
        f"<= {BARS[n]:>9,}  {shares[n]:6.1%}  {'#' * round(40 * shares[n])}"
        for n in (range(used[0], used[-1] + 1) if used.size else ())
    ]


def _tokens(subject: Subject, prepared: Prepared) -> Iterator[str]:
    settings, stats = subject.settings, prepared.stats
    seen = stats["train.rows"] + stats["eval.rows"]
    if seen < subject.corpus.rows:
        yield f"tokens      (estimated from the first {seen:,} conversations)"
    for split in ("train", "eval"):
        yield f"tokens      {split}: {trainable.told(stats, split)}; {stats[f'{split}.tokens']:,} tokens"
    template = load_tokenizer(subject.folder, settings.base.template, settings.base.new_tokens).template
    yield f"template    {template.name} (digest {template.digest}), loss on {settings.data.loss_on}"
    yield f"mask        {trainable.mask_share(stats):.1%} of the tokens are trained"
    lengths = prepared.train.lengths
    if lengths.size:
        p50, p90, p99 = np.percentile(lengths, (50, 90, 99)).astype(int)
        yield f"lengths     median {p50:,}, 90 % {p90:,}, 99 % {p99:,}, longest {lengths.max():,} tokens"
    yield from (f"            {line}" for line in histogram(lengths))


def _steps(subject: Subject, packs: PackedRows, scale: float, problems: list[str]) -> Iterator[str]:
    settings, launch = subject.settings, subject.settings.launch
    rows, what = round(len(packs) * scale), "packs" if settings.data.packing else "rows"
    if settings.data.packing:
        each = len(packs.split) / max(1, len(packs))
        yield f"packing     {rows:,} packs of {packs.max_tokens:,} tokens, {packs.fill:.1%} full, {each:.1f} rows each"
    plan = arithmetic.plan(rows, settings.schedule, subject.ranks)
    device = "GPUs" if launch.gpus_per_node else "CPU processes"
    yield (
        f"batch       {plan.batch} {what} x {plan.accumulation} accumulation x {plan.ranks} {device} "
        f"= {plan.per_step:,} {what} a step, {plan.per_step * packs.max_tokens:,} tokens at most"
    )
    ends = f"max_steps {plan.steps:,}" if settings.schedule.max_steps else f"{settings.schedule.epochs:g} epochs"
    yield f"steps       {rows:,} {what}, {plan.per_epoch:,} steps an epoch, {ends} = {plan.steps:,} steps"
    if too_short := arithmetic.unwarmed(plan.steps, settings.schedule):
        yield f"warning     {too_short}"
    if too_few := arithmetic.shortage(rows, settings, subject.ranks):
        problems.append(too_few)


def _memory(subject: Subject, model: Shape, problems: list[str]) -> Iterator[str]:
    settings, ranks = subject.settings, subject.ranks
    total = model.parameters + model.trained  # as the run counts them, and peft does: with the adapter
    yield f"parameters  {model.trained:,} trained of {total:,} ({model.trained / total:.4%})"
    if not settings.launch.gpus_per_node:
        return
    yield "memory      GB on one GPU, estimated:"
    for stage, offload in ((0, "none"), (1, "none"), (2, "none"), (3, "none"), (2, "cpu"), (3, "cpu")):
        zero = settings.zero.model_copy(update={"stage": stage, "offload": offload})
        is_chosen = (stage, offload) == (settings.zero.stage, settings.zero.offload)
        parts = footprint.needed(model, settings.model_copy(update={"zero": zero}), ranks)
        name = f"{'>' if is_chosen else ' '} ZeRO {stage}{' + CPU' if offload == 'cpu' else ''}"
        told = ", ".join(f"{part} {size / GB:.2f}" for part, size in parts.items() if size >= 5e6)
        yield f"          {name:<13} {sum(parts.values()) / GB:6.1f} = {told}"
    need = sum(footprint.needed(model, settings, ranks).values()) / GB
    if need > settings.launch.gpu_memory_gb:
        use = footprint.advice(model, settings, ranks)
        problems.append(
            f"will not fit: {need:.1f} GB needed on a GPU of {settings.launch.gpu_memory_gb:g} GB; "
            + (f"use {' '.join(use)}" if use else "use more GPUs or a smaller model")
        )


def _disk(subject: Subject, model: Shape, problems: list[str]) -> Iterator[str]:
    each, keep = footprint.checkpoint_bytes(model), subject.settings.schedule.keep_checkpoints
    need, free = each * (keep + 1) + 4.0 * model.trained, footprint.free_bytes(subject.out.absolute())
    yield (
        f"disk        {need / GB:.2f} GB: {keep} checkpoints and one being written of {each / GB:.2f} GB, and the "
        f"adapter; {free / GB:.1f} GB free"
    )
    if need > free:
        problems.append(f"{subject.out}: {need / GB:.2f} GB needed, {free / GB:.2f} GB free; give another --out")


@contextmanager
def _collecting(problems: list[str]) -> Iterator[None]:
    """A refusal in this block is one more problem instead of the end."""
    try:
        yield
    except RunRefused as error:
        problems.append(str(error))
