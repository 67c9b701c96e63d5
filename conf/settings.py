"""Every setting of every job, one typed tree: what a recipe (YAML) may say, with defaults and bounds.

Each job's result depends only on its input and on these values; the digest of a section is stored with the run that
used it. Loading, overriding and error reporting live in :mod:`conf.recipe`.
"""

from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from conf.duplicates import Decontaminate, Dedup
from conf.rules import Rules
from conf.section import Section, Share

StopWords = Literal[
    "danish", "dutch", "english", "finnish", "french", "german", "hungarian", "italian", "norwegian", "portuguese",
    "russian", "spanish", "swedish", "turkish",
]  # fmt: skip
"""Languages of the stop-word lists that Spark brings."""

_NAME = "a name of letters, digits, `_`, `.` and `-`"


class Samantha(Section):
    """Speaker names of Samantha-style text (``Theodore: ... Samantha: ...``)."""

    user: str = "Theodore"
    assistant: str = "Samantha"


class Oasst(Section):
    """Which paths of an OASST tree become conversations: every root-to-leaf path, or the best-ranked one."""

    paths: Literal["all", "best"] = "all"


class MtBench(Section):
    """Where MT-Bench questions are; empty: ``question.jsonl`` in the answers' folder or one of the two above it."""

    questions: str = ""


class Columns(Section):
    """Column names of prompt/response CSV, tried in order."""

    prompt: list[str] = ["prompt", "question", "input", "instruction", "user"]
    response: list[str] = ["response", "completion", "answer", "output", "assistant"]


class Input(Section):
    """How source files are read. A record or file outside a limit goes to quarantine, never to nowhere.

    A record may have ``max_record_bytes`` and be nested ``max_depth`` deep. A compressed file may expand to
    ``max_expansion`` times its size (or to 64 MB, if that is more), and to ``max_expanded_bytes`` at most. Plain files
    of lines are read by one task for every ``split_bytes``. ``format``: ``auto``, or the name of a format.
    """

    source: str = Field("chat", pattern=r"^[\w.-]+$", description=_NAME)
    format: str = "auto"
    max_record_bytes: int = Field(5_000_000, ge=1_000)
    max_depth: int = Field(64, ge=4, le=500)
    max_expansion: float = Field(250.0, gt=1)
    max_expanded_bytes: int = Field(200_000_000_000, ge=1_000_000)
    split_bytes: int = Field(32_000_000, ge=1_000)
    samantha: Samantha = Samantha()
    oasst: Oasst = Oasst()
    mt_bench: MtBench = MtBench()
    columns: Columns = Columns()


class Models(Section):
    """Folders of pretrained Spark NLP models on this machine, as saved or unpacked from a download; empty: not used.

    Each is a saved pipeline that takes its text from column ``text``; ``language`` may be a LanguageDetectorDL alone.
    """

    language: str = ""
    names: str = ""
    toxicity: str = ""


class Linguistics(Section):
    """What ``winnow linguistics`` counts with Spark NLP, in the Spark 3.5 environment; ``enabled``: ``winnow run`` does
    too.

    Phrases are those of the keyword lists (``rules.keywords``). Of a message the first ``max_characters`` are looked
    at. ``ngram``: tokens of the runs that are looked for twice in a message.
    """

    enabled: bool = False
    stop_words: list[StopWords] = Field(["english"], min_length=1)
    ngram: int = Field(3, ge=1, le=10)
    max_characters: int = Field(20_000, ge=1, le=1_000_000)
    models: Models = Models()


class Gates(Section):
    """What must hold, or the job stops with exit code 4 and publishes nothing."""

    max_quarantined: Share = 0.5
    min_kept: Share = 0.0
    min_rows: int = Field(1, ge=0)


class MergeShort(Section):
    """Conversations of one exchange that are joined into longer ones, where system prompt, character, model, language,
    source and side of the split are the same: up to ``exchanges`` in a row (0: none are joined) and up to ``tokens``
    (0: as ``publish.split_long`` has it).
    """

    exchanges: int = Field(0, ge=0)
    tokens: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _more_than_one(self) -> "MergeShort":
        if self.exchanges == 1 or (self.tokens and not self.exchanges):
            raise ValueError(f"exchanges is {self.exchanges}: expected at least 2, or 0 and no tokens to join none")
        return self


class Publish(Section):
    """How kept conversations become the dataset.

    ``split_long``: a conversation of more tokens becomes several rows, cut between exchanges (0: none is cut). Tokens
    are those of ``tokenizer``, a ``tokenizer.json`` on this machine, and ``message_tokens`` a message, which is what a
    chat template adds.
    """

    eval_share: Share = 0.02
    tokenizer: str = ""
    message_tokens: int = Field(4, ge=0, le=1_000)
    split_long: int = Field(0, ge=0)
    merge_short: MergeShort = MergeShort()
    gates: Gates = Gates()

    @model_validator(mode="after")
    def _tokens_that_can_be_counted(self) -> "Publish":
        if (self.split_long or self.merge_short.tokens) and not self.tokenizer:
            raise ValueError("split_long and merge_short.tokens count tokens: name a tokenizer.json in tokenizer")
        if 0 < self.split_long < self.merge_short.tokens:
            raise ValueError(
                f"merge_short.tokens ({self.merge_short.tokens}) must not exceed split_long ({self.split_long})"
            )
        return self


class Settings(Section):
    """The whole tree. ``version`` is the recipe language's version; ``name`` names the recipe in runs and pins."""

    FOLDER: ClassVar[str] = "conf"
    """Where the shipped recipes of this tree are."""
    version: Literal[1] = 1
    name: str = Field("default", pattern=r"^[\w.-]+$", description=_NAME)
    input: Input = Input()
    rules: Rules = Rules()
    linguistics: Linguistics = Linguistics()
    decontaminate: Decontaminate = Decontaminate()
    dedup: Dedup = Dedup()
    publish: Publish = Publish()
    spark: dict[str, str] = {}

    @field_validator("spark")
    @classmethod
    def _names_that_spark_knows(cls, given: dict[str, str]) -> dict[str, str]:
        for name in given:
            if not name.startswith("spark."):
                raise ValueError(f"Spark's settings begin with `spark.` and it ignores `{name}`: write `spark.{name}`")
        return given
