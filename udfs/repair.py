"""What is an edit of a text, and what may it need to know?"""

from collections.abc import Callable
from typing import Literal, NamedTuple

SystemMode = Literal["keep", "set", "replace", "normalise"]


class SystemPrompt(NamedTuple):
    """What becomes of system messages. See :func:`udfs.persona.system_prompt`."""

    mode: SystemMode = "keep"
    text: str = ""
    like: tuple[str, ...] = ()


class Options(NamedTuple):
    """What edits need to know. ``newlines``: the longest run that stays. ``names``: pairs (name, its new name or
    nothing)."""

    newlines: int = 2
    names: tuple[tuple[str, str], ...] = ()
    system: SystemPrompt = SystemPrompt()


DEFAULTS = Options()
"""What edits know where a recipe says nothing."""


class Repair(NamedTuple):
    """One edit, ready to use: its screen (RE2) finds every text that ``apply`` would change, and few others."""

    suspects: str
    apply: Callable[[str], str]


class Edit(NamedTuple):
    """One edit: its name (also the key in the recipe and the label on a message), how it is made, and whose messages
    it is for (empty: everybody's)."""

    name: str
    repair: Callable[[Options], Repair]
    roles: tuple[str, ...] = ()


def always(suspects: str, apply: Callable[[str], str]) -> Callable[[Options], Repair]:
    """An edit that needs to know nothing."""
    made = Repair(suspects, apply)
    return lambda _: made
