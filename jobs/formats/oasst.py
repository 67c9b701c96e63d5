"""OpenAssistant trees: ``{"message_tree_id", "prompt": {"message_id", "text", "role": "prompter", "lang", "rank",
"replies": [...]}}`` (Köpf et al. 2023, arXiv:2304.07327, the ``*.trees.jsonl`` exports)."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from conf.settings import Input
from jobs.formats import fields
from jobs.formats.conversation import TOO_LARGE, Conversation, Message, Rejected

NAME = "oasst"

SPEAKERS = fields.speakers(user=("prompter",))

_TREE = ("message_tree_id", "tree_state")


class _Node(NamedTuple):
    """One message of the tree: as read, its own id or '', deleted by its author or a moderator, and its replies."""

    message: Message
    id: str
    is_deleted: bool
    replies: list[fields.Record]


def matches(record: fields.Record) -> bool:
    """Does the record have a tree id and a prompt with a text?"""
    prompt = record.get("prompt")
    return "message_tree_id" in record and type(prompt) is dict and type(prompt.get("text")) is str


def conversations(record: fields.Record, options: Input, file: str) -> list[Conversation]:
    """One conversation a root-to-leaf path, in tree order, or the best-ranked path alone.

    Paths share their beginnings, so a small record can stand for very much text: past ``max_record_bytes`` characters
    it is TOO_LARGE.
    """
    prompt: fields.Record = fields.require(record, "prompt", dict)
    found: list[Conversation] = []
    characters = 0
    for path in _paths(prompt, options.oasst.paths == "best"):
        characters += sum(len(node.message.content) + 1 for node in path)
        if characters > options.max_record_bytes:
            raise Rejected(
                TOO_LARGE, f"prompt: its paths hold over {options.max_record_bytes:,} characters (max_record_bytes)"
            )
        found.append(_conversation(record, path, len(found)))
    return found


def _paths(prompt: fields.Record, is_best: bool) -> Iterator[list[_Node]]:
    """Every root-to-leaf path, first replies first. The list is the walk's own: read it before the next one."""
    path: list[_Node] = []
    waiting = [(0, prompt)]
    while waiting:
        depth, item = waiting.pop()
        node = _node(item)
        del path[depth:]
        path.append(node)
        replies = [min(node.replies, key=_rank)] if is_best and node.replies else node.replies
        if not replies:
            yield path
        waiting.extend((depth + 1, reply) for reply in reversed(replies))


def _node(item: fields.Record) -> _Node:
    identity = _text(item.get("message_id"))
    try:
        role, name = fields.speaker(item, "role", SPEAKERS)
        message = Message(role, fields.require(item, "text", str), name, fields.optional(item, "lang", str))
        replies = fields.each(fields.optional(item, "replies", list) or [], fields.require_object, "replies")
    except Rejected as problem:
        raise Rejected(problem.reason, f"message {fields.quoted(identity)}: {problem.detail}") from None
    return _Node(message, identity, item.get("deleted") is True, replies)


def _rank(item: fields.Record) -> tuple[bool, float, str]:
    """Lower is better; no rank comes last, then the message id decides."""
    rank = item.get("rank")
    is_ranked = type(rank) in (int, float) and rank == rank
    return not is_ranked, rank if is_ranked and rank is not None else 0, _text(item.get("message_id"))


def _conversation(record: fields.Record, path: list[_Node], number: int) -> Conversation:
    tree = _text(record.get("message_tree_id"))
    metadata: fields.Record = {key: fields.plain(record[key]) for key in _TREE if record.get(key) is not None}
    if any(node.is_deleted for node in path):
        metadata["deleted"] = True
    return Conversation(
        messages=[node.message for node in path],
        id=f"{tree}-{path[-1].id or number}" if tree else None,
        language=path[0].message.language,
        metadata=metadata or None,
    )


def _text(value: Any) -> str:
    return value if type(value) is str else str(value) if type(value) is int else ""
