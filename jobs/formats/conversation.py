"""The one conversation schema every source format is read into, and the reasons a record is refused.

A format module turns one parsed record (a ``dict``) into a list of :class:`Conversation`, or raises :class:`Rejected`
with one of the reason codes below. All or nothing: a record that yields a conversation is not also quarantined.
"""

from typing import Any, NamedTuple

ROLES = ("system", "user", "assistant", "tool")
"""The only roles after reading. A source's own name for a speaker is kept in ``Message.name`` where it differs."""

# Reason codes of one record (jobs/formats and jobs/reader raise them; tests/museum has a case for each).
MALFORMED_JSON = "malformed_json"
TWO_VALUES = "two_values_in_one_record"
TRAILING_GARBAGE = "trailing_garbage"
DUPLICATE_KEY = "duplicate_key"
LONE_SURROGATE = "lone_surrogate"
INVALID_UTF8 = "invalid_utf8"
CONTROL_CHARACTER = "control_character"
TOO_DEEP = "too_deep"
TOO_LARGE = "record_too_large"
MALFORMED_CSV = "malformed_csv"
WRONG_TYPE = "wrong_type"
MISSING_FIELD = "missing_field"
UNKNOWN_ROLE = "unknown_role"
EMPTY_CONVERSATION = "empty_conversation"
UNKNOWN_QUESTION = "unknown_question"
DUPLICATE_RECORD = "duplicate_record"

# Reason codes of one file: none of its records is in any table.
CORRUPT_FILE = "corrupt_file"
UNKNOWN_FORMAT = "unknown_format"
UNSUPPORTED_FILE = "unsupported_file"
DECOMPRESSION_BOMB = "decompression_bomb"
UNREADABLE_FILE = "unreadable_file"
DUPLICATE_FILE = "duplicate_file"
FILE_REASONS = (CORRUPT_FILE, UNKNOWN_FORMAT, UNSUPPORTED_FILE, DECOMPRESSION_BOMB, UNREADABLE_FILE, DUPLICATE_FILE)


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


class Rejected(Exception):
    """This record cannot be read: a reason code from this module, and what was expected and found."""

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
