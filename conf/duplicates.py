"""What is taken out for being there already: the sections ``dedup`` and ``decontaminate`` of a recipe."""

from typing import Literal

from pydantic import Field, model_validator

from conf.section import Bound, Policy, Section


class PromptLevel(Section):
    """How many conversations may begin with one prompt. One prompt answered by many models is worth having, so this
    only cuts excess: more than ``keep`` of the same or nearly the same first user message.

    ``keep``: the first ``keep`` by content digest stay; ``best``: the first by ``survivor``, then digest; ``tag``:
    nothing goes. Nearly the same: shingle Jaccard >= ``threshold`` with the first of the family, and equal numbers.
    """

    policy: Literal["keep", "best", "tag", "off"] = "keep"
    keep: int = Field(100, ge=1)
    threshold: Bound = 0.85


class TemplateLevel(Section):
    """How many conversations may begin with one template: prompts equal but for a slot and for numbers.

    A template has at least ``min_fixed`` tokens, which are at least ``min_coverage`` of each of its prompts, and at
    least ``min_family`` different prompts. Policies as in :class:`PromptLevel`.
    """

    policy: Literal["keep", "best", "tag", "off"] = "keep"
    keep: int = Field(100, ge=1)
    min_family: int = Field(20, ge=2)
    min_fixed: int = Field(4, ge=1)
    min_coverage: Bound = 0.65


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

    ``related``: copies of this similarity and more share a cluster, and so a side of the split. ``shingle``: tokens of
    a shingle. ``survivor``: what decides which copy stays, compared in this order.

    ``bands`` x ``rows`` are for recall (verification makes precision 1); see ``udfs.minhash.recall``. ``seed`` chooses
    their hashes. ``bucket_limit``: kept rows of a bucket that a row is compared with. ``max_edges``: more edges than
    these are joined up by executors, not in the driver's memory.
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
    min_overlap: Bound = 0.5
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
