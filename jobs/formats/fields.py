"""The small pieces every format is read with: a field of a known type, a speaker's role, what a record holds besides.

Errors name the place in the record (``conversation[3].content``), what was expected and what was found.
"""

import datetime
import math
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Any, NoReturn, TypeVar

from jobs.formats.conversation import ROLES, Conversation, Message
from jobs.refusals import EMPTY_CONVERSATION, INVALID_UTF8, MISSING_FIELD, TOO_DEEP, UNKNOWN_ROLE, WRONG_TYPE, Rejected

Record = dict[str, Any]
Speakers = dict[str, tuple[str, str | None]]
T = TypeVar("T")

MESSAGE_EXTRAS = "message_extras"
"""The metadata key for what single messages hold besides: one object a message, or absent."""

SYSTEM = ("system", "system_prompt")
"""The keys under which a record may hold its system prompt beside its messages."""

DEEPEST = 200
"""Nesting kept in metadata; JSON writers in C stop at 254 levels."""

_NAMES = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "an array", dict: "an object"}
_CUT = 40


def require(record: Record, key: str, kind: type[T]) -> T:
    """The value of ``key``, which is there and of exactly this type; else MISSING_FIELD or WRONG_TYPE."""
    value = record.get(key)
    if type(value) is kind:
        return value
    if key in record:
        refuse_type(key, kind, value)
    raise Rejected(MISSING_FIELD, f"{key}: missing; the keys are {', '.join(record)[:200] or 'none'}")


def optional(record: Record, key: str, kind: type[T]) -> T | None:
    """The value of ``key`` when it is there and not null; WRONG_TYPE when it is of another type."""
    value = record.get(key)
    if value is None or type(value) is kind:
        return value
    refuse_type(key, kind, value)


def require_items(record: Record, key: str) -> list[Any]:
    """The list under ``key``, with at least one item; an empty one is EMPTY_CONVERSATION."""
    items: list[Any] = require(record, key, list)
    if not items:
        raise Rejected(EMPTY_CONVERSATION, f"{key}: an empty array")
    return items


def require_object(value: Any) -> Record:
    """``value`` when it is an object; else WRONG_TYPE, for :func:`each` to say where."""
    if type(value) is dict:
        return value
    refuse_type("", dict, value)


def refuse_type(place: str, kind: type, value: Any) -> NoReturn:
    """Raise WRONG_TYPE: at ``place`` an object of ``kind`` was expected and ``value`` found. Bytes for a string are
    INVALID_UTF8: those that are text came as a string."""
    if kind is str and type(value) is bytes:
        raise Rejected(INVALID_UTF8, f"{place}: expected text in UTF-8, found other bytes")
    raise Rejected(WRONG_TYPE, f"{place}: expected {_NAMES.get(kind, kind.__name__)}, found {_described(value)}")


def each(items: Iterable[Any], read: Callable[[Any], T], place: str) -> list[T]:
    """``read`` of every item, in order; what it rejects is rejected with ``place[number]`` in front."""
    done: list[T] = []
    try:
        for item in items:
            done.append(read(item))
    except Rejected as problem:
        dot = "" if problem.detail.startswith((":", "[")) else "."
        raise Rejected(problem.reason, f"{place}[{len(done)}]{dot}{problem.detail}") from None
    return done


def speakers(**aliases: tuple[str, ...]) -> Speakers:
    """A source's names for its speakers -> (role, the name to keep where it differs); the roles name themselves."""
    known: Speakers = {role: (role, None) for role in ROLES}
    known.update((alias, (role, alias)) for role, names in aliases.items() for alias in names)
    return known


def speaker(item: Record, key: str, known: Speakers) -> tuple[str, str | None]:
    """(role, kept name) of the speaker under ``key``, whatever its case; else UNKNOWN_ROLE."""
    name = require(item, key, str)
    found = known.get(name) or known.get(name.strip().lower())
    if found is None:
        raise Rejected(UNKNOWN_ROLE, f"{key}: unknown speaker {quoted(name)}; known are {', '.join(known)}")
    return found


def simple_chat(items: list[Any], key: str, text: str, known: Speakers) -> list[Message] | None:
    """The messages, when every item holds a known speaker under ``key``, a string under ``text`` and nothing else, as
    most chats do; None when any differs and is to be read with care. This is most of the time a format takes."""
    messages = []
    for item in items:
        if type(item) is not dict or len(item) != 2:
            return None
        name, content = item.get(key), item.get(text)
        found = known.get(name) if type(name) is str else None
        if found is None or type(content) is not str:
            return None
        messages.append(Message(found[0], content, found[1]))
    return messages


def quoted(text: str) -> str:
    """The text as shown in an error: quoted, escaped, cut to 40 characters."""
    return repr(text if len(text) <= _CUT else text[: _CUT - 1] + "…")


def extras(record: Record, used: AbstractSet[str]) -> Record:
    """What the record holds besides the ``used`` keys, as plain JSON values; null holds nothing."""
    return {key: plain(value) for key, value in record.items() if key not in used and value is not None}


def message_extras(items: list[Record], used: AbstractSet[str]) -> Record:
    """``{"message_extras": [an object a message]}`` when any message holds more than the ``used`` keys, else ``{}``."""
    found = [extras(item, used) for item in items]
    return {MESSAGE_EXTRAS: found} if any(found) else {}


def plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON can hold it: dates in ISO 8601, NaN and infinity as null, integers past 64 bits and every other
    type as text. Nesting past ``DEEPEST`` levels is TOO_DEEP."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int:
        return value if -(2**63) <= value < 2**64 else str(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if depth >= DEEPEST:
        raise Rejected(TOO_DEEP, f"metadata: nested deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        return {str(key): plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner, depth + 1) for inner in value]
    return _written(value, depth)


def lift(metadata: Record, key: str) -> str | None:
    """Take a non-empty string out of the metadata; anything else stays there and is None here."""
    value = metadata.get(key)
    return metadata.pop(key) if type(value) is str and value else None


def lift_id(metadata: Record, *keys: str) -> str | None:
    """Take the first of ``keys`` that holds a source's id (text or integer) out of the metadata, as text."""
    for key in keys:
        value = metadata.get(key)
        if (type(value) is str and value) or type(value) is int:
            return str(metadata.pop(key))
    return None


def conversation(record: Record, messages: list[Message], metadata: Record) -> Conversation:
    """A conversation of a format that leaves a system prompt, ``id``, ``model`` and ``language`` optional: lifted out
    of the metadata where they are what their names say."""
    return Conversation(
        messages=_with_system(record, messages, metadata),
        id=lift_id(metadata, "id", "conversation_id"),
        model=lift(metadata, "model"),
        language=lift(metadata, "language"),
        metadata=metadata or None,
    )


def _with_system(record: Record, messages: list[Message], metadata: Record) -> list[Message]:
    """The messages after the record's system prompt, which comes from the metadata; it stays there where a system
    message is first. What was no text in the record is none."""
    if any(message.role == "system" for message in messages[:1]):
        return messages
    for key in SYSTEM:
        if type(record.get(key)) is str and (text := lift(metadata, key)):
            return [Message("system", text), *messages]
    return messages


def preferred(prompt: Conversation, chosen: list[Message], rejected: list[Message]) -> list[Conversation]:
    """The two conversations of a preference pair: the prompt and either ending, named in ``metadata.preference``."""
    return [_ended(prompt, chosen, "chosen"), _ended(prompt, rejected, "rejected")]


def _ended(prompt: Conversation, ending: list[Message], preference: str) -> Conversation:
    return prompt._replace(
        messages=prompt.messages + ending,
        id=f"{prompt.id}-{preference}" if prompt.id else None,
        metadata={**(prompt.metadata or {}), "preference": preference},
    )


def _described(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"the string {quoted(value)}"
    if isinstance(value, dict):
        return f"an object with the keys {', '.join(map(str, value))[:80] or '(none)'}"
    if isinstance(value, list | tuple):
        return f"an array of {len(value)}"
    return f"{_NAMES.get(type(value), type(value).__name__)} {str(plain(value))[:_CUT]}"


def _written(value: Any, depth: int) -> Any:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if hasattr(value, "tolist"):  # a NumPy scalar or array
        return plain(value.tolist(), depth + 1)
    return str(value)
