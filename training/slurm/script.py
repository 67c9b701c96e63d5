"""What the batch script of a run says: ``train.sbatch``, filled in."""

import re
import shlex
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from conf.training import Launch, Training

WINNOW = ("-m", "jobs.cli")
"""What makes a Python ``winnow``."""


@dataclass(frozen=True)
class Run:
    """What ``winnow train`` is asked to do: recipe and overrides, the dataset's lake and version, where the run lives.

    ``version`` are the words that choose it: ``("--pin", "baseline")``.
    """

    config: str | None
    overrides: tuple[str, ...]
    lake: str
    version: tuple[str, ...]
    out: Path

    @property
    def names_version(self) -> bool:
        """Whether the words say which version, rather than leave it to the newest."""
        return any(word in self.version for word in ("--pin", "--version", "--timestamp"))


def render(run: Run, settings: Training, after: str | None = None) -> str:
    """The batch script, whole. ``after``: a job that has to succeed first."""
    import jinja2

    launch = settings.launch
    python = shlex.quote(launch.python or ("python" if launch.container else sys.executable))
    shell = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    shell.filters["quote"] = shlex.quote
    template = resources.files("training.slurm").joinpath("train.sbatch").read_text(encoding="utf-8")
    return shell.from_string(template).render(
        name=settings.name,
        launch=launch,
        after=after,
        out=str(run.out),
        log=_option(f"{str(run.out).replace('%', '%%')}/%x-%j.out"),
        processes=launch.local_ranks,
        placement=_placement(launch),
        python=python,
        names_version=run.names_version,
        launcher=f"{launch.container} {python}".strip(),
        prepare=shlex.join([*train_arguments(run), "--prepare", "--ranks", str(launch.ranks)]),
        # Since Slurm 22.05 srun does not take this from sbatch.
        srun_options=f" --cpus-per-task={launch.cpus_per_process}" if launch.cpus_per_process else "",
        requeues=launch.max_requeues if launch.requeue else 0,
    )


def train_arguments(run: Run) -> list[str]:
    """What Python is told, to be ``winnow train`` for this run."""
    arguments = [*WINNOW, "train", "--lake", run.lake, *run.version, "--out", str(run.out)]
    arguments += ["--config", run.config] if run.config else []
    for override in run.overrides:
        arguments += ["--set", override]
    return arguments


def _placement(launch: Launch) -> list[tuple[str, str]]:
    options = {
        "time": launch.time_limit,
        "mem": launch.memory,
        "partition": launch.partition,
        "account": launch.account,
        "qos": launch.qos,
        "constraint": launch.constraint,
    }
    return [(option, _option(value)) for option, value in options.items() if value]


def _option(value: str) -> str:
    """A value as an ``#SBATCH`` line wants it, which is no shell: double quotes around what has spaces."""
    return f'"{value}"' if re.search(r"\s", value) else value
