"""Messages of many records at once, as columns: what formats read plainly sound records with.

Nothing is refused here. A record in which anything is unusual is not *sound*, and is left to its format's
``conversations``, so that the unusual is read, or refused, in one place.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.bytewise import speeches, walk
from jobs.bytewise.nodes import Nodes, Nodes1, gather
from jobs.formats.fields import Speakers


class Talk(NamedTuple):
    """The messages of one conversation a record: conversation ``i`` is messages ``offsets[i]:offsets[i+1]``. Those of
    records that are not sound may be anything."""

    offsets: np.ndarray
    roles: pa.StringArray
    contents: pa.StringArray
    names: pa.StringArray | None = None
    languages: pa.StringArray | None = None
    toxic: pa.BooleanArray | None = None

    def pick(self, which: np.ndarray) -> "Talk":
        """Only these conversations."""
        if len(which) == len(self.offsets) - 1:
            return self
        sizes = np.diff(self.offsets)[which]
        offsets = bounds(sizes)
        messages = pa.array(np.arange(offsets[-1]) + np.repeat(self.offsets[which] - offsets[:-1], sizes))
        return Talk(offsets, *(column and column.take(messages) for column in self[1:]))


def bounds(sizes: np.ndarray) -> np.ndarray:
    """The n+1 offsets of runs of these sizes."""
    found = np.zeros(len(sizes) + 1, np.int32)
    np.cumsum(sizes, out=found[1:])
    return found


class Items(NamedTuple):
    """The messages of a list a record: whose each is, their nodes, and which lists are plainly sound."""

    owners: np.ndarray
    nodes: Nodes1
    sound: np.ndarray


def chat(
    nodes: Nodes, lists: Nodes1, keys: tuple[str, str], known: Speakers, has_more: bool = False
) -> tuple[np.ndarray, Talk, Items]:
    """The messages of a list a record, with a speaker and a text under these keys and nothing else, unless they
    ``has_more``: which lists are such, the talk and its items."""
    owners, items = nodes.items(lists)
    speakers, texts = (nodes.child(items, key) for key in keys)
    is_good = nodes.is_string(speakers) & nodes.is_string(texts) & nodes.is_kind(items, walk.OBJECT)
    if not has_more:
        is_good &= nodes.size(items) == 2
    spoken_as, names = roles(nodes.texts(speakers), known)
    is_good &= spoken_as.is_valid().to_numpy(zero_copy_only=False)
    sizes = np.bincount(owners, minlength=len(lists))
    sound = nodes.is_kind(lists, walk.ARRAY) & (sizes > 0)
    sound[owners[~is_good]] = False
    return sound, Talk(bounds(sizes), spoken_as, nodes.texts(texts), names), Items(owners, items, sound)


def roles(speakers: pa.StringArray, known: Speakers) -> tuple[pa.StringArray, pa.StringArray | None]:
    """The roles of these speakers, null where one is not known, and the names to keep, if any."""
    coded = speakers.dictionary_encode()
    found = [
        known.get(name) or known.get(name.strip().lower()) or (None, None) for name in coded.dictionary.to_pylist()
    ]
    roles = pa.array([role for role, _ in found], pa.string()).take(coded.indices)
    names = [name for _, name in found]
    return roles, pa.array(names, pa.string()).take(coded.indices) if any(names) else None


def said(nodes: Nodes, turns: Sequence[tuple[str, Nodes1]]) -> Talk:
    """One message of each role a record, in this order; no node is no message."""
    strings = np.stack([strings for _, strings in turns], axis=1)
    is_there = strings >= 0
    roles = pa.array([role for role, _ in turns]).take(pa.array(np.nonzero(is_there)[1]))
    return Talk(bounds(is_there.sum(axis=1)), roles, nodes.texts(strings[is_there]))


def unless_empty(nodes: Nodes, strings: Nodes1) -> Nodes1:
    """The strings that say something."""
    return np.where(nodes.is_text(strings), strings, -1)


class Speaker(NamedTuple):
    """How a text marks who speaks: the name before the colon, and what messages of that speaker are given."""

    marker: str
    role: str
    name: str | None


def spoken(texts: pa.StringArray, speakers: tuple[Speaker, Speaker], has_returns: bool) -> tuple[np.ndarray, Talk]:
    """The messages of texts like ``User: ...\n\nBot: ...``, and which texts begin with a speaker, so are sound.
    ``has_returns``: an empty line may be CR LF, and a CR at the end of a message is none of it."""
    texts = pc.fill_null(texts, "")
    offsets, data = (np.frombuffer(buffer or b"", kind) for buffer, kind in zip(texts.buffers()[1:], "iB", strict=True))
    names = [speaker.marker.encode() for speaker in speakers]
    marks = np.frombuffer(b"".join(names), np.uint8), np.cumsum([0, *map(len, names)])
    table = np.empty((len(data) // 3 + len(texts), 4), np.int32)
    owners, who, begins, ends = table[: speeches.speeches(data, offsets, marks, has_returns, table)].T.copy()
    if has_returns:
        ends = ends - ((ends > begins) & (data[ends - 1] == 13))
    sizes = np.bincount(owners, minlength=len(texts))
    contents = gather(data, begins, ends, np.zeros(len(begins), bool))
    roles, kept = (
        pa.array(column, pa.string()).take(pa.array(who)) for column in list(zip(*speakers, strict=True))[1:]
    )
    return sizes > 0, Talk(bounds(sizes), roles, contents, kept)
