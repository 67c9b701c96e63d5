"""What ``annotate`` does to a conversation: the section ``rules`` of a recipe."""

import re
from typing import Literal

from pydantic import Field, model_validator

from conf.section import Policy, Section, Share

Repair = Literal["repair", "drop", "tag", "off"]
"""Besides a policy's choices ``repair``: the fault is mended, and a conversation that cannot be is dropped."""

LanguageCode = Literal[
    "af", "am", "ar", "az", "be", "bg", "bn", "bo", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "eo", "es",
    "et", "eu", "fa", "fi", "fr", "ga", "gl", "gu", "he", "hi", "hr", "hu", "hy", "id", "is", "it", "ja", "ka",
    "kk", "km", "kn", "ko", "la", "lg", "lo", "lt", "lv", "mi", "mk", "ml", "mn", "mr", "ms", "my", "nl", "no",
    "or", "pa", "pl", "pt", "ro", "ru", "si", "sk", "sl", "sn", "so", "sq", "sr", "st", "sv", "sw", "ta", "te",
    "th", "tl", "tn", "tr", "ts", "uk", "und", "ur", "vi", "xh", "yo", "zh", "zu",
]  # fmt: skip
"""What a conversation's language can be labelled (:mod:`udfs.language`); ``und``: none was sure."""


class SystemPrompt(Section):
    """What becomes of system messages: ``keep`` leaves them, ``set`` gives every conversation ``text``, ``replace``
    those that have a system message (either gives it once, however many system messages stood there in a row),
    ``normalise`` those whose message says the same as ``text`` or one of ``like``."""

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
