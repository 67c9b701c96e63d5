"""MT-Bench and Arena-Hard answers: ``{"question_id", "answer_id"?, "model_id", "choices": [{"index", "turns"}]}``.

The user's side is not in the answers: it is in ``question.jsonl`` (``{"question_id", "category", "turns"}``), in the
answers' folder or one of the two above it, or where ``input.mt_bench.questions`` says (Zheng et al. 2023,
arXiv:2306.05685; FastChat's ``llm_judge/data``).
"""

import hashlib
import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from conf.settings import Input
from jobs.files import locate
from jobs.formats import fields
from jobs.formats.conversation import Conversation, Message
from jobs.refusals import EMPTY_CONVERSATION, UNKNOWN_QUESTION, WRONG_TYPE, Rejected

NAME = "mt_bench"
QUESTIONS = "question.jsonl"

_USED = frozenset({"model_id", "choices"})
_CHOICE_USED = frozenset({"turns"})
_LEVELS = 3


class Questions(NamedTuple):
    """The questions of one file by their ids, where it is ('' for no file) and a digest of its bytes."""

    place: str
    digest: str
    by_id: dict[str, fields.Record]


def matches(record: fields.Record) -> bool:
    """Does the record hold a model's choices of turns for a question? A question alone has no answer to read."""
    choices = record.get("choices")
    return bool(
        "question_id" in record
        and type(record.get("model_id")) is str
        and type(choices) is list
        and choices
        and type(choices[0]) is dict
        and type(choices[0].get("turns")) is list
    )


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """One conversation a choice: the question's turns, each followed by the answer's."""
    question = _question(record, options.mt_bench.questions, file)
    prompts = fields.each(question["turns"], _turn, "question.turns")
    choices = fields.require_items(record, "choices")
    turns = fields.each(choices, lambda choice: _messages(choice, prompts), "choices")
    metadata = fields.extras({"category": question.get("category"), **record}, _USED)
    model = fields.require(record, "model_id", str)
    answer = fields.lift_id(metadata, "answer_id") or f"{record['question_id']}-{model}"
    return [
        Conversation(
            messages=messages,
            id=answer if len(choices) == 1 else f"{answer}-{number}",
            model=model,
            metadata={**metadata, "choice": fields.extras(choice, _CHOICE_USED)},
        )
        for number, (choice, messages) in enumerate(zip(choices, turns, strict=True))
    ]


def is_outdated(detail: str, questions: str, file: str) -> bool:
    """Are there questions for this answer file, and other ones than those among which this refusal had none?
    ``questions`` is the setting."""
    found = _find(file, questions)
    return bool(found.place) and found.digest not in detail


def forget_questions() -> None:
    """Look for questions anew: files of them may have come or changed."""
    _questions.cache_clear()


def _messages(choice: Any, prompts: list[str]) -> list[Message]:
    answers = fields.each(fields.require_items(fields.require_object(choice), "turns"), _turn, "turns")
    if len(answers) > len(prompts):
        raise Rejected(WRONG_TYPE, f"turns: expected at most {len(prompts)}, as the question has; found {len(answers)}")
    pairs = zip(prompts, answers, strict=False)  # a model may have been asked the first turn alone
    return [message for prompt, answer in pairs for message in (Message("user", prompt), Message("assistant", answer))]


def _turn(turn: Any) -> str:
    """A turn is a string (MT-Bench) or an object with ``content`` (Arena-Hard)."""
    return turn if type(turn) is str else fields.require(fields.require_object(turn), "content", str)


def _question(record: fields.Record, questions: str, file: str) -> fields.Record:
    identity = record.get("question_id")
    if type(identity) is not int:
        identity = fields.require(record, "question_id", str)
    place, digest, known = _questions(file, questions)
    if not place:
        where = questions or f"{QUESTIONS} beside {file} or up to two folders above"
        raise Rejected(UNKNOWN_QUESTION, f"question_id: no questions at {where}; set input.mt_bench.questions")
    if str(identity) not in known:
        told = f"{fields.quoted(str(identity))} is not among the {len(known)} questions, digest {digest}"
        raise Rejected(UNKNOWN_QUESTION, f"question_id: {told}, of {place}")
    if not known[str(identity)]["turns"]:
        raise Rejected(EMPTY_CONVERSATION, f"question_id: question {identity} of {place} has no turns")
    return known[str(identity)]


@lru_cache(maxsize=16)
def _questions(file: str, questions: str) -> Questions:
    return _find(file, questions)


def _find(file: str, questions: str) -> Questions:
    """The first question file there is for an answer file."""
    for path in [questions] if questions else _candidates(file):
        try:
            system, inner = locate(path)
            with system.open_input_stream(inner) as stream:
                data = stream.read()
            return Questions(path, hashlib.sha256(data).hexdigest()[:16], _by_id(data))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
            continue  # another error may pass: it must fail the task, not turn every answer away
    return Questions("", "", {})


def _candidates(file: str) -> Iterator[str]:
    scheme, mark, path = file.rpartition("://")
    path = path if mark else os.path.abspath(path)
    for _ in range(_LEVELS):
        path, slash, _name = path.rpartition("/")
        if slash:
            yield f"{scheme}{mark}{path}/{QUESTIONS}"


def _by_id(data: bytes) -> dict[str, fields.Record]:
    found = {}
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines():
        try:
            question = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue  # the question is then unknown, which every answer to it says
        if type(question) is dict and type(question.get("turns")) is list:
            found[str(question.get("question_id"))] = question
    return found
