"""The values of many sound JSON records as one table, for formats that read whole columns: which are where, what they
say. Nodes are rows of the table that :func:`jobs.bytewise.walk.walk` fills; -1 is no node."""

from functools import lru_cache
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from jobs.bytewise import spans, walk

_DEEPEST = 200
"""Deeper records are odd whatever the limit: metadata is not kept past this depth."""
_KEYS = 65
_LONGEST = 2**31 - 1

Nodes1 = np.ndarray
"""Numbers of nodes (int64), -1 where there is none."""


class Nodes:
    """``roots`` are the sound records among those given, ``records`` their places among them."""

    def __init__(self, data: bytes, table: np.ndarray, roots: np.ndarray, words: tuple[str, ...]):
        self._data, self._words = np.frombuffer(data, np.uint8), words
        self.kind, self.key, self.parent, self.begin, self.end, self._key_begin = table
        self.records = np.flatnonzero(roots >= 0)
        self.roots = roots[self.records].astype(np.int64)
        self._children: dict[str, np.ndarray] = {}
        self._sizes: np.ndarray | None = None

    def child(self, parents: Nodes1, word: str) -> Nodes1:
        """The value under the key ``word`` of each parent."""
        found = self._children.get(word)
        if found is None:
            members = np.flatnonzero(self.key == self._words.index(word))
            found = self._children[word] = np.full(len(self.key) + 1, -1)  # the last one answers for -1
            found[self.parent[members]] = members
        return found[parents]

    def size(self, parents: Nodes1) -> np.ndarray:
        """How many members or items each has."""
        if self._sizes is None:
            self._sizes = np.bincount(self.parent + 1, minlength=len(self.parent) + 1)
        return np.where(parents < 0, 0, self._sizes[parents + 1])

    def items(self, parents: Nodes1) -> tuple[np.ndarray, Nodes1]:
        """All members of the parents, in order: whose they are (place in ``parents``, ascending) and themselves."""
        place = np.full(len(self.kind) + 1, -1)
        place[parents] = np.arange(len(parents))
        place[-1] = -1
        owners = place[self.parent]
        members = np.flatnonzero(owners >= 0)
        return owners[members], members

    def is_kind(self, nodes: Nodes1, *kinds: int) -> np.ndarray:
        """Is there a node, of one of these kinds?"""
        found = self.kind[nodes]
        return (nodes >= 0) & np.logical_or.reduce([found == kind for kind in kinds])

    def is_string(self, nodes: Nodes1) -> np.ndarray:
        """Is there a node, and is it a string?"""
        return self.is_kind(nodes, walk.STRING, walk.ESCAPED)

    def is_text(self, nodes: Nodes1) -> np.ndarray:
        """Is there a node, and is it a string that is not empty?"""
        return self.is_string(nodes) & (self.end[nodes] > self.begin[nodes])

    def is_nothing(self, nodes: Nodes1) -> np.ndarray:
        """Is there no node, or a null?"""
        return (nodes < 0) | (self.kind[nodes] == walk.NULL)

    def is_integer(self, nodes: Nodes1) -> np.ndarray:
        """Is there a node, and is it an integer that Python writes as it is written here?"""
        is_number = np.flatnonzero(self.is_kind(nodes, walk.NUMBER))
        found = np.zeros(len(nodes), bool)
        if len(is_number):
            written = self.texts(np.where(self.is_kind(nodes, walk.NUMBER), nodes, -1), with_numbers=True)
            found = pc.fill_null(pc.match_substring_regex(written, "^(0|-?[1-9][0-9]*)$"), False).to_numpy(False)
        return found

    def flags(self, nodes: Nodes1) -> pa.BooleanArray:
        """True where it is true, false where it is false, else null."""
        return pa.array(self.is_kind(nodes, walk.TRUE), mask=~self.is_kind(nodes, walk.TRUE, walk.FALSE))

    def texts(self, nodes: Nodes1, with_numbers: bool = False) -> pa.StringArray:
        """What the strings say, and numbers if they are wanted; null elsewhere."""
        is_text = self.is_string(nodes)
        if with_numbers:
            is_text |= self.is_kind(nodes, walk.NUMBER)
        begins, ends = np.where(is_text, self.begin[nodes], 0), np.where(is_text, self.end[nodes], 0)
        found = gather(self._data, begins, ends, self.kind[nodes] == walk.ESCAPED)
        return found if is_text.all() else null_where(found, ~is_text)

    def rests(self, parents: Nodes1, is_used: np.ndarray) -> list[dict[str, Any]] | None:
        """Each parent's members that are not used (a flag a node), as one object a parent; None: no parent has any."""
        owners, members = self.items(parents)
        is_rest = ~is_used[members]
        owners, members = owners[is_rest], members[is_rest]
        if not len(members):
            return None
        begins, ends = self._key_begin[members], self.end[members] + self.is_string(members)
        out = np.empty(int((ends - begins + 1).sum()) + 3 * len(parents) + 2, np.uint8)
        size = spans.gather_objects(self._data, begins, ends, owners, len(parents), out)
        found: list[dict[str, Any]] = orjson.loads(out[:size].data)
        return found


def read(data: bytes, starts: np.ndarray, ends: np.ndarray, deepest: int, words: tuple[str, ...]) -> Nodes:
    """The nodes of the records ``data[starts[i]:ends[i]]``, whose keys are looked up in ``words``."""
    levels = min(deepest, _DEEPEST) + 1
    table = np.empty((len(data) // 2 + levels + 1, 6), np.int32)  # two bytes a value at least, but for those still open
    seen = np.empty((levels, _KEYS), np.uint64)
    borders = np.stack([starts, ends])
    if len(data) > _LONGEST:
        return Nodes(data, table[:0].T, np.full(len(starts), -1), words)
    count, roots = walk.walk(np.frombuffer(data, np.uint8), borders, table, _vocabulary(words), seen)
    return Nodes(data, np.ascontiguousarray(table[:count].T), roots, words)


@lru_cache(maxsize=32)
def _vocabulary(words: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    encoded = [word.encode() for word in words]
    joined = np.frombuffer(b"".join(encoded), np.uint8)
    bounds = np.cumsum([0, *map(len, encoded)])
    return joined, bounds, walk.hashes(joined, bounds)


def gather(data: np.ndarray, begins: np.ndarray, ends: np.ndarray, escaped: np.ndarray) -> pa.StringArray:
    """The texts ``data[begins[i]:ends[i]]``, unescaped where they are escaped."""
    out = np.empty(int((ends - begins).sum()), np.uint8)
    offsets = spans.unescape(data, begins, ends, escaped, out)
    return pa.StringArray.from_buffers(len(begins), pa.py_buffer(offsets), pa.py_buffer(out[: offsets[-1]]))


def null_where(texts: pa.StringArray, is_null: np.ndarray) -> pa.StringArray:
    """The texts, null where it says so."""
    valid = pa.array(~is_null).buffers()[1]
    return pa.StringArray.from_buffers(len(texts), *texts.buffers()[1:], valid)
