"""Plain prompt/response rows, as in CSV: one column of each kind, named in ``input.columns`` and tried in order."""

from conf.settings import Columns, Input
from jobs.formats import fields
from jobs.formats.conversation import Conversation, Message
from jobs.refusals import MISSING_FIELD, Rejected

NAME = "prompt_response"

_DEFAULT = Columns()
_ALPACA = frozenset({"input", "output", "response", "system_prompt"})
_OPENORCA = frozenset({"system_prompt", "question", "response"})


def matches(record: fields.Record) -> bool:
    """Does the record have a prompt and a response under default names, and not the keys of a broken record of a richer
    format (Alpaca, OpenOrca)?"""
    if ("instruction" in record and not _ALPACA.isdisjoint(record)) or record.keys() >= _OPENORCA:
        return False
    kinds = (_DEFAULT.prompt, _DEFAULT.response)
    return all(any(type(record.get(name)) is str for name in names) for names in kinds)


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """One conversation of two messages, after a system prompt if there is one; the other columns are its metadata."""
    prompt = _column(record, options.columns.prompt, "prompt")
    response = _column(record, options.columns.response, "response")
    messages = [
        Message("user", fields.require(record, prompt, str)),
        Message("assistant", fields.require(record, response, str)),
    ]
    return [fields.conversation(record, messages, fields.extras(record, frozenset({prompt, response})))]


def _column(record: fields.Record, names: list[str], kind: str) -> str:
    """The first of ``names`` that holds a string, or that is there at all."""
    present = [name for name in names if name in record]
    if not present:
        raise Rejected(MISSING_FIELD, f"{kind}: expected one of the columns {', '.join(names)} (input.columns.{kind})")
    return next((name for name in present if type(record[name]) is str), present[0])
