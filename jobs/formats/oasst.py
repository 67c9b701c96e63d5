"""OpenAssistant trees: ``{"message_tree_id", "prompt": {"message_id", "text", "role": "prompter", "lang", "rank",
"replies": [...]}}`` (Köpf et al. 2023, arXiv:2304.07327, the ``*.trees.jsonl`` exports)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from conf.settings import Input
from jobs.bytewise import walk
from jobs.bytewise.nodes import Nodes, Nodes1
from jobs.formats import fields, labels, talk
from jobs.formats.conversation import Conversation, Message
from jobs.formats.part import Part
from jobs.refusals import TOO_LARGE, Rejected

NAME = "oasst"

SPEAKERS = fields.speakers(user=("prompter",))

_TREE = ("message_tree_id", "tree_state")
WORDS = (*_TREE, "prompt", "message_id", "text", "role", "lang", "replies", "deleted")
_EXPANSION = 8
"""How much larger than their records paths may be in columns; others are read one by one, and bounded there."""


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


def columns(nodes: Nodes, options: Input) -> tuple[np.ndarray, list[Part]]:
    """The trees whose messages all have an id, a text and a known role. Best-ranked paths are found one by one."""
    tree = _messages(nodes)
    tree.sound &= options.oasst.paths == "all"
    leaves = np.flatnonzero(tree.sound[tree.owners] & (nodes.size(nodes.child(tree.messages, "replies")) == 0))
    steps, sizes = _steps(leaves, tree.above)
    size = np.bincount(np.repeat(tree.owners[leaves], sizes), tree.text_sizes[steps], len(nodes.roots))
    limit = np.minimum(options.max_record_bytes, _EXPANSION * (nodes.end - nodes.begin)[nodes.roots])
    tree.sound &= size <= limit
    is_kept = tree.sound[tree.owners[leaves]]
    leaves, steps, sizes = leaves[is_kept], steps[np.repeat(is_kept, sizes)], sizes[is_kept]
    return tree.sound, [_part(nodes, tree, leaves, (steps, talk.bounds(sizes)))]


@dataclass
class _Forest:
    """The messages of many trees, in order: their nodes, whose tree each is in, which message each answers (-1: none),
    its role and the speaker's name, at most how many characters it has; and which trees are plainly sound."""

    messages: Nodes1
    owners: np.ndarray
    above: np.ndarray
    roles: pa.StringArray
    names: pa.StringArray | None
    text_sizes: np.ndarray
    sound: np.ndarray


def _messages(nodes: Nodes) -> _Forest:
    level = nodes.child(nodes.roots, "prompt")
    found = [level[level >= 0]]
    while len(found[-1]):
        lists = nodes.child(found[-1], "replies")
        found.append(nodes.items(lists[lists >= 0])[1])
    messages = np.sort(np.concatenate(found))
    owners = np.searchsorted(nodes.roots, messages, side="right") - 1
    place = np.full(len(nodes.kind) + 1, -1)
    place[messages] = np.arange(len(messages))
    above = place[nodes.parent[nodes.parent[messages]]]  # beyond the record itself is nothing, -1
    speakers, texts, languages, replies = (nodes.child(messages, word) for word in ("role", "text", "lang", "replies"))
    roles, names = talk.roles(nodes.texts(speakers), SPEAKERS)
    is_good = nodes.is_kind(messages, walk.OBJECT) & nodes.is_string(texts)
    is_good &= nodes.is_text(nodes.child(messages, "message_id")) & roles.is_valid().to_numpy(zero_copy_only=False)
    is_good &= nodes.is_nothing(languages) | nodes.is_string(languages)
    is_good &= nodes.is_nothing(replies) | nodes.is_kind(replies, walk.ARRAY)
    sound = nodes.is_text(nodes.child(nodes.roots, "message_tree_id"))
    sound &= np.bincount(owners, minlength=len(sound)) > 0
    sound[owners[~is_good]] = False
    return _Forest(messages, owners, above, roles, names, (nodes.end - nodes.begin)[texts] + 1, sound)


def _steps(leaves: np.ndarray, above: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The messages from root to leaf, path after path, and the paths' lengths."""
    ways = [leaves]
    while len(up := np.where(ways[-1] >= 0, above[ways[-1]], -1)) and up.max() >= 0:
        ways.append(up)
    table = np.stack(ways[::-1], axis=1)
    return table[table >= 0], (table >= 0).sum(axis=1)


def _part(nodes: Nodes, tree: _Forest, leaves: np.ndarray, paths: tuple[np.ndarray, np.ndarray]) -> Part:
    steps, offsets = paths
    messages, picked = tree.messages[steps], pa.array(steps)
    texts, languages, deleted = (nodes.child(messages, word) for word in ("text", "lang", "deleted"))
    names = tree.names and tree.names.take(picked)
    said = talk.Talk(offsets, tree.roles.take(picked), nodes.texts(texts), names, nodes.texts(languages))
    owners = tree.owners[leaves]
    trees = nodes.texts(nodes.child(nodes.roots, "message_tree_id")[owners])
    own = nodes.texts(nodes.child(tree.messages[leaves], "message_id"))
    is_kept = np.isin(nodes.key, [WORDS.index(word) for word in _TREE]) & (nodes.kind != walk.NULL)
    kept = nodes.rests(nodes.roots, ~is_kept) or []
    is_gone = np.logical_or.reduceat(nodes.is_kind(deleted, walk.TRUE), offsets[:-1]).tolist() if len(leaves) else []
    metadata = [{**kept[o], "deleted": True} if gone else kept[o] for o, gone in zip(owners, is_gone, strict=True)]
    ids = pc.binary_join_element_wise(trees, own, "-")
    found = labels.Labels(ids, languages=nodes.texts(languages[offsets[:-1]]), metadata=metadata)
    return Part(said, found, owners)


def _text(value: Any) -> str:
    return value if type(value) is str else str(value) if type(value) is int else ""
