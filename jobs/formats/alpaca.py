"""Alpaca records: ``{"instruction", "input"?, "output"}`` (Taori et al. 2023), and what grew from them.

``response`` for ``output`` (GPTeacher), ``generator`` for the model (AlpacaEval), ``system`` and ``history`` (pairs of
earlier turns) and ``chosen``/``rejected`` answers (LLaMA-Factory).
"""

from typing import Any

from conf.settings import Input
from jobs.formats import fields
from jobs.formats.conversation import WRONG_TYPE, Conversation, Message, Rejected

NAME = "alpaca"

_USED = frozenset({"instruction", "input", "system", "history"})
_PAIR = frozenset({"chosen", "rejected"})


def matches(record: fields.Record) -> bool:
    """Does the record have an instruction and an answer, or two to choose from? An instruction alone is no match."""
    if type(record.get("instruction")) is not str:
        return False
    return type(record.get(_answer(record))) is str or _is_pair(record)


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """One conversation, or two for a preference pair. The user says the instruction, a blank line, the input."""
    key, is_pair = _answer(record), _is_pair(record)
    metadata = fields.extras(record, _USED | _PAIR if is_pair else _USED | {key})
    if "model" not in metadata and type(metadata.get("generator")) is str:
        metadata["model"] = metadata.pop("generator")
    found = fields.conversation(_prompt(record), metadata)
    if is_pair:
        return fields.preferred(found, _said(record, "chosen"), _said(record, "rejected"))
    return [found._replace(messages=found.messages + _said(record, key))]


def _answer(record: fields.Record) -> str:
    return "response" if "response" in record and type(record.get("output")) is not str else "output"


def _is_pair(record: fields.Record) -> bool:
    has_answer = record.get("output") or record.get("response")
    return not has_answer and type(record.get("chosen")) is str and type(record.get("rejected")) is str


def _prompt(record: fields.Record) -> list[Message]:
    instruction = fields.require(record, "instruction", str)
    system, detail = fields.optional(record, "system", str), fields.optional(record, "input", str)
    earlier = fields.each(fields.optional(record, "history", list) or [], _turn, "history")
    return [
        *([Message("system", system)] if system else []),
        *(message for pair in earlier for message in pair),
        Message("user", f"{instruction}\n\n{detail}" if detail else instruction),
    ]


def _turn(pair: Any) -> tuple[Message, Message]:
    if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not str or type(pair[1]) is not str:
        raise Rejected(WRONG_TYPE, ": expected a [question, answer] pair of strings")
    return Message("user", pair[0]), Message("assistant", pair[1])


def _said(record: fields.Record, key: str) -> list[Message]:
    return [Message("assistant", fields.require(record, key, str))]
