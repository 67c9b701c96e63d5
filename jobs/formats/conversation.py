"""The one conversation schema every source format is read into.

A format module turns one parsed record (a ``dict``) into a list of :class:`Conversation`, or raises
:class:`jobs.refusals.Rejected`. All or nothing: a record that yields a conversation is not also quarantined.
"""

from typing import Any, NamedTuple

ROLES = ("system", "user", "assistant", "tool")
"""The only roles after reading. A source's own name for a speaker is kept in ``Message.name`` where it differs."""


class Message(NamedTuple):
    """One message as received: no cleaning, no trimming. ``content`` may be empty, never ``None``."""

    role: str
    content: str
    name: str | None = None
    language: str | None = None
    toxic: bool | None = None


class Conversation(NamedTuple):
    """One conversation as received.

    ``id`` is the source's own, or None (then the reader derives one from the content). ``moderation`` has one entry a
    message, ``{"flagged": bool, "categories": [names that are true], "scores": {name: float}}``, or is None.
    ``metadata`` is everything else the record held, JSON-able, or None.
    """

    messages: list[Message]
    id: str | None = None
    model: str | None = None
    language: str | None = None
    redacted: bool | None = None
    moderation: list[dict[str, Any]] | None = None
    metadata: dict[str, Any] | None = None
