"""Alpaca records: ``{"instruction", "input"?, "output"}`` (Taori et al. 2023), and what grew from them.

``response`` for ``output`` (GPTeacher), ``context`` for ``input`` (Dolly), ``generator`` for the model (AlpacaEval),
``system`` and ``history`` (pairs of earlier turns) and ``chosen``/``rejected`` answers (LLaMA-Factory).
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conf.settings import Input
from jobs.bytewise.nodes import Nodes
from jobs.formats import fields, labels, talk
from jobs.formats.conversation import Conversation, Message
from jobs.formats.part import Part
from jobs.refusals import WRONG_TYPE, Rejected

NAME = "alpaca"

_UNUSUAL = ("history", "chosen", "rejected", "response", "context", "generator")
WORDS = ("instruction", "input", "output", *_UNUSUAL, *labels.USUAL)
_USED = frozenset({"instruction", "history"})
_PAIR = frozenset({"chosen", "rejected"})


def matches(record: fields.Record) -> bool:
    """Does the record have an instruction and an answer, or two to choose from? An instruction alone is no match."""
    if type(record.get("instruction")) is not str:
        return False
    return type(record.get(_answer(record))) is str or _is_pair(record)


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """One conversation, or two for a preference pair. The user says the instruction, a blank line, the input."""
    key, is_pair = _answer(record), _is_pair(record)
    metadata = fields.extras(record, _USED | {_input(record)} | (_PAIR if is_pair else {key}))
    if "model" not in metadata and type(metadata.get("generator")) is str:
        metadata["model"] = metadata.pop("generator")
    found = fields.conversation(record, _prompt(record), metadata)
    if is_pair:
        return fields.preferred(found, _said(record, "chosen"), _said(record, "rejected"))
    return [found._replace(messages=found.messages + _said(record, key))]


def columns(nodes: Nodes, options: Input) -> tuple[np.ndarray, list[Part]]:
    """The records as Alpaca has them, without what grew from it."""
    sound, found = labels.usual(nodes, *WORDS[:3])
    instruction, detail, output = (nodes.child(nodes.roots, word) for word in WORDS[:3])
    sound &= nodes.is_string(instruction) & nodes.is_string(output)
    sound &= nodes.is_nothing(detail) | nodes.is_string(detail)
    for key in _UNUSUAL:
        sound &= nodes.child(nodes.roots, key) < 0
    said = talk.said(nodes, [("user", np.maximum(instruction, 0)), ("assistant", np.maximum(output, 0))])  # two each
    return sound, [Part(_with_input(said, nodes.texts(talk.unless_empty(nodes, detail))), found)]


def _with_input(said: talk.Talk, inputs: pa.StringArray) -> talk.Talk:
    """The user says the instruction, a blank line, the input."""
    count = len(inputs)
    if inputs.null_count == count:
        return said
    users, assistants = (said.contents.take(pa.array(np.arange(first, 2 * count, 2))) for first in (0, 1))
    asked = pc.binary_join_element_wise(pc.fill_null(users, ""), inputs, "\n\n", null_handling="skip")
    in_turn = np.stack([np.arange(count), np.arange(count, 2 * count)], axis=1).ravel()
    return said._replace(contents=pa.concat_arrays([asked, assistants]).take(pa.array(in_turn)))


def _answer(record: fields.Record) -> str:
    return "response" if "response" in record and type(record.get("output")) is not str else "output"


def _input(record: fields.Record) -> str:
    return "context" if record.get("input") is None and type(record.get("context")) is str else "input"


def _is_pair(record: fields.Record) -> bool:
    has_answer = record.get("output") or record.get("response")
    return not has_answer and type(record.get("chosen")) is str and type(record.get("rejected")) is str


def _prompt(record: fields.Record) -> list[Message]:
    instruction = fields.require(record, "instruction", str)
    detail = fields.optional(record, _input(record), str)
    earlier = fields.each(fields.optional(record, "history", list) or [], _turn, "history")
    return [
        *(message for pair in earlier for message in pair),
        Message("user", f"{instruction}\n\n{detail}" if detail else instruction),
    ]


def _turn(pair: Any) -> tuple[Message, Message]:
    if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not str or type(pair[1]) is not str:
        raise Rejected(WRONG_TYPE, ": expected a [question, answer] pair of strings")
    return Message("user", pair[0]), Message("assistant", pair[1])


def _said(record: fields.Record, key: str) -> list[Message]:
    return [Message("assistant", fields.require(record, key, str))]
