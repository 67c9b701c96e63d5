"""Every setting of a training run, one typed tree: what a training recipe (YAML) may say, with defaults and bounds.

Lists and texts are empty, and numbers 0, where nothing is asked for. Loading, overriding and error reporting live in
:mod:`conf.recipe`: ``load("zephyr-7b-lora", tree=Training)``.
"""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from conf.section import Section, Share

Template = Literal["auto", "zephyr", "chatml", "llama-3", "mistral", "vicuna"]

_NAME = "a name of letters, digits, `_`, `.` and `-`"
_TIME = "a time such as 04:00:00 or 1-12:00:00"
_PART = "a name, in quotes where it is only digits"
_LINE = r"^[^\r\n]*$"
_OPTION = Field(pattern=r"^--?[A-Za-z][^\r\n]*$", description="an option of sbatch on one line, such as --exclusive")
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class Base(Section):
    """The model that is adapted. Only safetensors are read, and no code that comes with a model is run.

    ``model`` is a folder. ``tiny`` builds a small model of that architecture, its tokenizer trained on the dataset,
    where ``model`` names no folder yet (empty: under the cache). ``template: auto`` is the tokenizer's own.
    ``new_tokens`` are added to the tokenizer and their embeddings trained.
    """

    model: str = ""
    tiny: Literal["off", "llama", "mistral"] = "off"
    template: Template = "auto"
    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    attention: Literal["auto", "sdpa", "flash_attention_2", "eager"] = "auto"
    new_tokens: list[str] = []


class Data(Section):
    """How conversations become rows of tokens.

    ``loss_on``: which messages are learned, those of the assistant, the last of these, or all. ``packing``: several
    conversations share a row of ``max_tokens``. ``cache``: the folder where tokens are kept between runs.
    ``long`` says what happens to a conversation of more than ``max_tokens``: keep its first exchanges (``cut``), make
    several rows of it (``split``), or leave it out (``drop``); each is counted. ``workers`` 0 is one per core
    (one in all on two cores).
    A share of trained tokens outside ``min_mask_share`` .. ``max_mask_share`` stops the run before it starts, and so
    does a row longer than the base model has positions, and a dataset without rows held out, unless ``eval`` is
    ``none``.
    """

    max_tokens: int = Field(2048, ge=16, le=1_048_576)
    loss_on: Literal["assistant", "last", "all"] = "assistant"
    long: Literal["cut", "split", "drop"] = "cut"
    packing: bool = True
    eval: Literal["split", "none"] = "split"
    cache: str = Field("~/.cache/winnow", min_length=1, description="a folder")
    workers: int = Field(0, ge=0, le=1024)
    min_mask_share: Share = 0.02
    max_mask_share: Share = 1.0


class Lora(Section):
    """The adapter: W + scale * B A, where scale is alpha / r, or alpha / sqrt(r) with ``rslora``.

    ``targets`` are module names, or ``all-linear``: every linear layer but the output head. ``quantize: 4bit`` is
    QLoRA and needs a GPU. ``modules_to_save`` are trained whole and stored in the adapter; in
    ``zero.stage: 0`` only with a base in float32.
    """

    r: int = Field(16, ge=1, le=4096)
    alpha: Positive = 16.0
    dropout: Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)] = 0.0
    targets: list[str] = Field(["all-linear"], min_length=1)
    rslora: bool = False
    dora: bool = False
    init: Literal["default", "pissa"] = "default"
    quantize: Literal["none", "4bit"] = "none"
    modules_to_save: list[str] = []


class Optimizer(Section):
    """AdamW by transformers' name for it; ``auto`` is the fused one on a GPU. ``clip`` 0 clips nothing."""

    name: str = Field("auto", pattern=r"^\w+$", description="an optimizer's name in transformers, or auto")
    lr: Positive = 2e-4
    weight_decay: NotNegative = 0.0
    beta1: Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)] = 0.9
    beta2: Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)] = 0.999
    epsilon: Positive = 1e-8
    clip: NotNegative = 1.0


class Schedule(Section):
    """How long, in what batches, and what happens on the way.

    One optimizer step sees ``per_device_batch`` x ``accumulation`` x GPUs rows (packs, with ``data.packing``).
    ``max_steps`` above 0 ends the run there and ``epochs`` is ignored. ``warmup`` below 1 is a share of all steps, else
    a number of them. ``eval_steps`` and ``save_steps`` 0 mean only at the end of an epoch. ``eval_batch`` 0 is
    ``per_device_batch``. Of checkpoints the newest ``keep_checkpoints`` stay.
    """

    epochs: Positive = 1.0
    max_steps: int = Field(0, ge=0)
    scheduler: Literal["cosine", "linear", "constant", "constant_with_warmup"] = "cosine"
    warmup: NotNegative = 0.03
    per_device_batch: int = Field(1, ge=1)
    accumulation: int = Field(1, ge=1)
    eval_batch: int = Field(0, ge=0)
    seed: int = Field(42, ge=0, lt=2**31)
    eval_steps: int = Field(0, ge=0)
    save_steps: int = Field(0, ge=0)
    logging_steps: int = Field(10, ge=1)
    keep_checkpoints: int = Field(2, ge=1)


class Speed(Section):
    """What changes speed and memory, not what is learned. ``auto`` uses what is installed and what the device has.

    ``activation_checkpointing`` computes again in the backward pass what it would else keep. ``loader_workers``:
    processes beside each rank that read rows (0: it reads them itself).
    """

    bf16: bool = True
    activation_checkpointing: bool = True
    liger: Literal["auto", "on", "off"] = "auto"
    compile: bool = False
    loader_workers: int = Field(1, ge=0, le=64)


class Zero(Section):
    """DeepSpeed ZeRO: stage 0 is plain data parallel, without DeepSpeed.

    ``config`` replaces the shipped JSON file; its stage is that of ``stage``. What it leaves out of batches, clipping
    and precision is as the other settings have it.
    """

    stage: Literal[0, 1, 2, 3] = 2
    offload: Literal["none", "cpu"] = "none"
    config: str = ""

    @model_validator(mode="after")
    def _offload_needs_a_stage(self) -> "Zero":
        if self.offload != "none" and self.stage == 0:
            raise ValueError("offload needs stage 1, 2 or 3; write stage: 2 or offload: none")
        return self


class Report(Section):
    """Where numbers go, besides the console. ``mlflow`` is a tracking URI; empty means no MLflow."""

    jsonl: bool = True
    tensorboard: bool = True
    mlflow: str = ""
    experiment: str = "winnow"


class Launch(Section):
    """Where the run is placed, and how long it may take; empty or 0 leaves it to the scheduler's own default.

    ``signal_seconds`` before the time limit the run is told to save; ``requeue`` then puts it back in the queue, at
    most ``max_requeues`` times. ``processes_per_node`` 0 is one a GPU. ``port`` is where the ranks meet (0: one that
    follows from the job's id). ``setup`` are shell lines run before it (``module load cuda``), ``options`` further
    ``#SBATCH`` options, ``env`` environment variables, also of a local run. ``timeout_minutes`` is how long one rank
    waits for the others. ``python`` is the interpreter on the nodes, if not the one that submits; ``container`` are
    words before it (``apptainer exec --nv /shared/winnow-train.sif``), and then ``python`` is looked for inside.
    ``gpu_memory_gb`` is what ``--check`` holds the run against.
    """

    scheduler: Literal["local", "slurm"] = "local"
    nodes: int = Field(1, ge=1, le=4096)
    gpus_per_node: int = Field(1, ge=0, le=64)
    gpu_memory_gb: Positive = 80.0
    processes_per_node: int = Field(0, ge=0, le=256)
    cpus_per_process: int = Field(0, ge=0, le=1024)
    memory: str = Field("", pattern=_LINE, description="a text on one line")
    time_limit: str = Field("", pattern=r"^(\d+-)?\d+(:\d\d){0,2}$|^$", description=_TIME)
    partition: str = Field("", pattern=_LINE, description=_PART)
    account: str = Field("", pattern=_LINE, description=_PART)
    qos: str = Field("", pattern=_LINE, description=_PART)
    constraint: str = Field("", pattern=_LINE, description="a text on one line")
    signal_seconds: int = Field(300, ge=10)
    requeue: bool = True
    max_requeues: int = Field(20, ge=0)
    port: int = Field(0, ge=0, le=65535)
    timeout_minutes: Positive = 30.0
    setup: list[str] = []
    python: str = ""
    container: str = ""
    options: list[Annotated[str, _OPTION]] = []
    env: dict[str, str] = {}

    @model_validator(mode="after")
    def _env_has_names_of_variables(self) -> "Launch":
        for name in self.env:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise ValueError(
                    f"env has {name!r}, which is no name of a variable: letters, digits and `_`, no digit first"
                )
        return self

    @model_validator(mode="after")
    def _time_is_left_before_the_signal(self) -> "Launch":
        limit = seconds(self.time_limit) if self.time_limit else 0
        if 0 < limit <= self.signal_seconds:
            raise ValueError(
                f"signal_seconds {self.signal_seconds} is not below time_limit {self.time_limit}, which is {limit} "
                "seconds: the run would be told to save before it begins"
            )
        return self

    @property
    def local_ranks(self) -> int:
        """Processes of one node: as said, else one a GPU, else one."""
        return self.processes_per_node or self.gpus_per_node or 1

    @property
    def ranks(self) -> int:
        """Processes of all nodes."""
        return self.nodes * self.local_ranks


class Training(Section):
    """The whole tree. ``version`` is the recipe language's version; ``name`` names the recipe in runs and adapters."""

    FOLDER: ClassVar[str] = "conf/train"
    """Where the shipped recipes of this tree are."""
    version: Literal[1] = 1
    name: str = Field("default", pattern=r"^[\w.-]+$", description=_NAME)
    base: Base = Base()
    data: Data = Data()
    lora: Lora = Lora()
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    speed: Speed = Speed()
    zero: Zero = Zero()
    report: Report = Report()
    launch: Launch = Launch()


def seconds(limit: str) -> int:
    """A time limit as Slurm reads it, 0 for none: minutes, ``minutes:seconds``, ``hours:minutes:seconds``; behind days
    hours, ``hours:minutes``, ``hours:minutes:seconds``.
    """
    days, dash, rest = limit.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if not dash and len(parts) < 3:
        parts.insert(0, 0)
    hours, minutes, rest_seconds = [*parts, 0, 0][:3]
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + rest_seconds
