"""Every setting of every job, one typed tree: what a recipe (YAML) may say, with defaults and bounds.

Each job's result depends only on its input and on these values; the digest of a section is stored with the run that
used it. Loading, overriding and error reporting live in :mod:`conf.recipe`.
"""

import re
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Bound = Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)]
Policy = Literal["drop", "tag", "off"]
"""``drop``: left out of the dataset. ``tag``: stored (a label, a row of ``duplicates``), nothing else. ``off``: not
looked for."""

Repair = Literal["repair", "drop", "tag", "off"]
"""Besides a policy's choices ``repair``: the fault is mended, and a conversation that cannot be is dropped."""

StopWords = Literal[
    "danish", "dutch", "english", "finnish", "french", "german", "hungarian", "italian", "norwegian", "portuguese",
    "russian", "spanish", "swedish", "turkish",
]  # fmt: skip
"""Languages of the stop-word lists that Spark brings."""

LanguageCode = Literal[
    "af", "am", "ar", "az", "be", "bg", "bn", "bo", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "eo", "es",
    "et", "eu", "fa", "fi", "fr", "ga", "gl", "gu", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka",
    "kk", "km", "kn", "ko", "la", "lg", "lo", "lt", "lv", "mi", "mk", "ml", "mn", "mr", "ms", "my", "nl", "no",
    "or", "pa", "pl", "pt", "ro", "ru", "si", "sk", "sl", "sn", "so", "sq", "sr", "st", "sv", "sw", "ta", "te",
    "th", "tl", "tn", "tr", "ts", "uk", "und", "ur", "vi", "xh", "yo", "zh", "zu",
]  # fmt: skip
"""What a conversation's language can be labelled (:mod:`udfs.language`); ``und``: none was sure."""

_NAME = "a name of letters, digits, `_`, `.` and `-`"


class Section(BaseModel):
    """A part of the tree: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    """How source files are read. A record or file outside a limit goes to quarantine, never to nowhere."""

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


class SystemPrompt(Section):
    """What becomes of system messages: ``keep`` leaves them, ``set`` gives every conversation ``text``, ``replace``
    those that have a system message, ``normalise`` those whose message says the same as ``text`` or one of ``like``."""

    mode: Literal["keep", "set", "replace", "normalise"] = "keep"
    text: str = ""
    like: list[str] = []

    @model_validator(mode="after")
    def _text_where_it_is_needed(self) -> "SystemPrompt":
        if self.mode != "keep" and not self.text.strip():
            raise ValueError(f"mode {self.mode} needs a text")
        return self


class Edits(Section):
    """Which text repairs run, in this order, and what they need to know; each that changes a message is named in
    ``messages.edits``.

    ``persona_names``: each name with its new name, or with nothing to remove it where somebody is called by it.
    ``collapse_newlines``: the longest run of line ends that stays; 0 leaves all.
    """

    system_prompt: SystemPrompt = SystemPrompt()
    fix_unicode: bool = True
    html_to_markdown: bool = False
    unescape_html: bool = True
    ui_junk: bool = True
    trim_special_tokens: bool = True
    escape_special_tokens: bool = True
    straighten_quotes: bool = True
    and_or: bool = False
    strip_emoji: bool = False
    persona_names: dict[str, str] = {}
    collapse_newlines: int = Field(2, ge=0, le=100)
    trim_whitespace: bool = True

    @model_validator(mode="after")
    def _names_that_come_to_an_end(self) -> "Edits":
        for old in self.persona_names:
            if not old.strip():
                raise ValueError("persona_names: a name is empty")
            for new in self.persona_names.values():
                if re.search(rf"(?<!\w){re.escape(old)}(?!\w)", new, re.IGNORECASE):
                    raise ValueError(
                        f"persona_names: the new name `{new}` contains `{old}`, which has a new name itself"
                    )
        return self

    @property
    def enabled(self) -> tuple[str, ...]:
        """The names of the edits that run."""
        return tuple(name for name, asked in self if (asked.mode != "keep" if name == "system_prompt" else asked))


class Language(Section):
    """Language labels. Below ``min_confidence`` the label is ``und``. ``keep`` empty keeps every language."""

    min_confidence: Share = 0.5
    keep: list[LanguageCode] = []


class Keywords(Section):
    """Keyword labels: lists read (the shipped ones, then ``folder``), whether digits and signs are also read as letters
    (``k1ll``), and the categories that drop a conversation."""

    folder: str = ""
    leet: bool = False
    drop: list[str] = []


class Reasons(Section):
    """What happens to conversations of which a fact holds (:mod:`udfs.facts`).

    ``drop``: left out of the dataset for this reason. ``tag``: the reason is stored, nothing else. ``off``: not looked
    for. ``repair``: the turns at fault go, the exchanges around them stay (:mod:`udfs.turns`); dropped where none is
    left.
    """

    blank_message: Repair = "repair"
    bad_roles: Repair = "repair"
    unanswered: Repair = "repair"
    serving_error: Policy = "tag"
    unfinished_answer: Policy = "tag"
    too_short: Policy = "tag"
    too_long: Policy = "tag"
    repetition: Policy = "tag"
    gibberish: Policy = "tag"
    ai_disclaimer: Policy = "tag"
    knowledge_cutoff: Policy = "tag"
    vendor_name: Policy = "tag"
    company_reference: Policy = "tag"
    claims_human: Policy = "tag"
    needs_context: Policy = "tag"
    answer_language_differs: Policy = "tag"

    @property
    def dropping(self) -> list[str]:
        """The facts that leave a conversation out of the dataset; of those repaired, where the fault is still there."""
        return [name for name, policy in self if policy in ("drop", "repair")]


class Turns(Section):
    """What ``reasons.bad_roles: repair`` may do. Where it would take what is off here, it does nothing."""

    merge: bool = True
    trim: bool = True
    drop: bool = True


class Limits(Section):
    """The numbers that facts compare with."""

    min_user_words: int = Field(2, ge=0)
    min_answer_words: int = Field(2, ge=0)
    max_message_characters: int = Field(32_000, ge=1)
    max_characters: int = Field(128_000, ge=1)
    min_unfinished_characters: int = Field(80, ge=1)
    max_repeated: Share = 0.6
    max_run: int = Field(100, ge=2)
    max_odd_letters: float = Field(7.5, ge=0, le=15, allow_inf_nan=False)
    max_odd_characters: Share = 0.1


class Pii(Section):
    """Which kinds of personal data and secrets are replaced by pseudonyms (:mod:`udfs.pii`).

    Each that changes a message is named in ``messages.edits`` as ``mask_<kind>``. ``conversations_raw`` keeps what was
    received.
    """

    email: bool = True
    phone: bool = True
    ip: bool = True
    login: bool = True
    key: bool = True
    card: bool = True
    iban: bool = True
    national_id: bool = False


class Rules(Section):
    """Everything ``annotate`` does to a conversation.

    ``pii_key``: a key file, outside the lake, with which what pseudonyms stand for is sealed and kept beside the
    conversation (empty: it is not kept). ``winnow make-key`` makes one, ``winnow unmask`` needs it. ``pii_names``: the
    folder of a spaCy pipeline, on every node; the people it finds become ``NAME_1`` (empty: names stay).
    """

    edits: Edits = Edits()
    pii: Pii = Pii()
    pii_key: str = ""
    pii_names: str = ""
    language: Language = Language()
    keywords: Keywords = Keywords()
    reasons: Reasons = Reasons()
    turns: Turns = Turns()
    limits: Limits = Limits()


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


class PromptLevel(Section):
    """How many conversations may begin with one prompt. One prompt answered by many models is worth having, so this
    only cuts excess: more than ``keep`` of the same or nearly the same first user message.

    ``keep``: the first ``keep`` by content digest stay; ``best``: the first by ``survivor``, then digest; ``tag``:
    nothing goes. Nearly the same: shingle Jaccard >= ``threshold`` with the first of the family, and equal numbers.
    """

    policy: Literal["keep", "best", "tag", "off"] = "keep"
    keep: int = Field(100, ge=1)
    threshold: Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)] = 0.85


class TemplateLevel(Section):
    """How many conversations may begin with one template: prompts equal but for a slot and for numbers.

    A template has at least ``min_fixed`` tokens, which are at least ``min_coverage`` of each of its prompts, and at
    least ``min_family`` different prompts. Policies as in :class:`PromptLevel`.
    """

    policy: Literal["keep", "best", "tag", "off"] = "keep"
    keep: int = Field(100, ge=1)
    min_family: int = Field(20, ge=2)
    min_fixed: int = Field(4, ge=1)
    min_coverage: Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)] = 0.65


class Fields(Section):
    """Where a benchmark's records keep what. Of ``question`` and ``id`` the first field that is there (``a+b``: both,
    one after the other); of ``choices`` all that are. A record without an id is named by its line."""

    question: list[str] = Field(
        ["question", "prompt", "turns", "instruction+input", "instruction", "input", "text"], min_length=1
    )
    choices: list[str] = ["choices", "options", "A", "B", "C", "D"]
    id: list[str] = ["question_id", "id", "task_id"]


class Decontaminate(Section):
    """Conversations whose user turns contain a question of the user's benchmarks, files below ``benchmarks``
    (empty: none).

    ``min_overlap`` is the share of a question's runs of ``ngram`` tokens that a conversation must have. A question
    shorter than that must be there whole, one shorter than ``min_run`` must be all of a turn. Runs are ignored that
    more than ``common`` questions have, or more than ``common`` conversations without the rest of the question (if more
    have them so than with it).
    """

    benchmarks: str = ""
    policy: Policy = "drop"
    ngram: int = Field(13, ge=2, le=100)
    min_run: int = Field(8, ge=1, le=100)
    min_overlap: Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)] = 0.5
    common: int = Field(10, ge=1)
    fields: Fields = Fields()

    @model_validator(mode="after")
    def _min_run_below_ngram(self) -> "Decontaminate":
        if self.min_run > self.ngram:
            raise ValueError(f"min_run ({self.min_run}) must not exceed ngram ({self.ngram})")
        return self

    @property
    def is_on(self) -> bool:
        """Is there anything to look for?"""
        return bool(self.benchmarks) and self.policy != "off"


class Dedup(Section):
    """Which duplicates are removed, and for which row. Levels work in this order; each removal is verified.

    ``snapshot``: all messages are the first ones of a longer conversation. ``exact``: the same messages up to case and
    spacing. ``near``: exact shingle Jaccard >= ``threshold`` with the kept row; ``near_keep`` rows of a kind stay, the
    first in the survivors' order. ``contained``: at least the share ``containment`` of the shingles, and the last
    message, in a larger conversation.

    ``near`` and ``contained`` compare hashes of 32 bits, and leave out texts of fewer than ``min_shingles``: one or two
    hashes can be equal by chance where the texts are not.

    ``prompt`` and ``template`` then cut excess among what is left.

    ``persona_conflict``: ``tag`` finds questions that several personas answer (table ``conflicts``), and removes
    nothing.

    ``bands`` x ``rows`` are for recall (verification makes precision 1); see ``udfs.minhash.recall``.
    ``against`` names a pin of this lake, or ``LAKE#PIN``: what that dataset has is removed here.
    """

    snapshot: Policy = "drop"
    exact: Policy = "drop"
    near: Policy = "drop"
    near_keep: int = Field(1, ge=1)
    contained: Policy = "drop"
    threshold: Bound = 0.7
    related: Bound = 0.5
    containment: Bound = 0.9
    shingle: int = Field(5, ge=1, le=20)
    min_shingles: int = Field(6, ge=3)
    bands: int = Field(25, ge=1, le=256)
    rows: int = Field(5, ge=1, le=64)
    seed: int = Field(1, ge=0, lt=2**31)
    bucket_limit: int = Field(64, ge=1)
    max_edges: int = Field(10_000_000, ge=0)
    survivor: list[Literal["complete", "answered", "quality", "not_redacted", "turns", "characters", "earliest"]] = [
        "complete",
        "quality",
        "not_redacted",
        "turns",
        "characters",
        "earliest",
    ]
    against: str = ""
    prompt: PromptLevel = PromptLevel()
    template: TemplateLevel = TemplateLevel()
    persona_conflict: Literal["tag", "off"] = "off"

    @model_validator(mode="after")
    def _related_below_threshold(self) -> "Dedup":
        if self.related > self.threshold:
            raise ValueError(f"related ({self.related}) must not exceed threshold ({self.threshold})")
        if self.near_keep > self.bucket_limit:
            raise ValueError(f"near_keep ({self.near_keep}) must not exceed bucket_limit ({self.bucket_limit})")
        return self


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
