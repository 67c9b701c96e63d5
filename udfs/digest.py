"""Digests: of a conversation's messages, and of a whole data set in any order.

All are SHA-256, so equal digests mean equal content.
"""

import hashlib
import itertools
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.compiled import compiled, freeze

Texts = tuple[np.ndarray, np.ndarray]
"""The bytes of texts end to end, and their n+1 offsets."""

_FRAME = 22
"""No two lengths with their colons take more bytes than this: Arrow's are below 2**31."""

LANES = 4
LANE_DIGITS = 15
"""A row's digest gives four lanes of 15 hexadecimal digits (60 bits): sums of them fit Spark's decimal(38,0)."""


def conversations(roles: pa.Array, contents: pa.Array, offsets: np.ndarray) -> pa.Array:
    """SHA-256 (64 hexadecimal digits) of each conversation's exact sequence of roles and contents.

    Hashed are, for each message, the role, the content and their lengths in UTF-8 bytes, so that no two sequences
    read alike: ``<role bytes>:<role><content bytes>:<content>``. A null role or content is an empty one.
    Conversation ``i`` is messages ``offsets[i]:offsets[i+1]``; one without messages has the digest of nothing.
    """
    framed, bounds = frame(roles, contents)
    return _hashed(framed, bounds[np.asarray(offsets)])


def frame(roles: pa.Array, contents: pa.Array) -> tuple[memoryview, np.ndarray]:
    """What is hashed of each message, all end to end, and the n + 1 byte offsets of the messages in it."""
    said = [_bytes_of(pc.fill_null(texts, "")) for texts in (roles, contents)]
    (role_data, role_bounds), (content_data, content_bounds) = said
    room = len(role_data) + len(content_data) + _FRAME * len(roles)
    framed, bounds = np.empty(room, np.uint8), np.empty(len(roles) + 1, np.int64)
    _frame((_words(role_data), role_bounds), (_words(content_data), content_bounds), framed, bounds)
    return framed.data, bounds


def texts(texts: pa.Array) -> pa.Array:
    """SHA-256 (64 hexadecimal digits) of each text's UTF-8 bytes."""
    return _hashed(*_bytes_of(texts))


def row(conversation_id: str, source: str, split: str, content_digest: str) -> bytes:
    """SHA-256 (32 bytes) of one row of a data set; lengths are in characters, as Spark's ``length`` counts them."""
    text = f"{len(conversation_id)}:{conversation_id}|{len(source)}:{source}|{split}|{content_digest}"
    return hashlib.sha256(text.encode()).digest()


def combine(rows: Iterable[bytes]) -> str:
    """The digest of many rows in any order: ``<rows>-<60 hexadecimal digits>``.

    Each lane is the sum modulo 2**60 of that lane of every row digest. In SQL, lane ``k`` (from 0) is
    ``sum(cast(conv(substr(sha2(row, 256), 15 * k + 1, 15), 16, 10) as decimal(38, 0))) % 1152921504606846976``.
    It tells apart data sets that differ by accident; one made to collide on purpose is not ruled out.
    """
    joined = b"".join(rows)
    sums = lanes(np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32)).sum(axis=0, dtype=np.uint64)
    return write(len(joined) // 32, sums.tolist())


def lanes(digests: np.ndarray) -> np.ndarray:
    """The four 60-bit lanes (uint64, rows x 4) of SHA-256 digests (uint8, rows x 32)."""
    words = np.ascontiguousarray(digests).view(">u8").astype(np.uint64)  # 16 digits each; lanes are cut every 15
    cut = np.empty_like(words)
    mask = np.uint64(2**60 - 1)
    for lane in range(LANES):
        kept, carried = np.uint64(4 * (lane + 1)), np.uint64(64 - 4 * lane)
        cut[:, lane] = words[:, lane] >> kept
        if lane:
            cut[:, lane] |= words[:, lane - 1] << (carried - np.uint64(4))
    return cut & mask


def write(rows: int, sums: Iterable[int]) -> str:
    """The digest as text, of the row count and the four sums; sums may come unreduced, as SQL adds them up."""
    return f"{rows}-" + "".join(f"{value % 2**60:0{LANE_DIGITS}x}" for value in sums)


def _words(data: memoryview) -> np.ndarray:
    return freeze(np.frombuffer(data, np.uint8), np.uint8)


@compiled
def _frame(roles: Texts, contents: Texts, out: np.ndarray, bounds: np.ndarray) -> None:
    """Each message as :func:`conversations` frames it, end to end in ``out``, and where each begins."""
    filled = 0
    for i in range(len(bounds) - 1):
        bounds[i] = filled
        filled = _put(roles, i, out, filled)
        filled = _put(contents, i, out, filled)
    bounds[len(bounds) - 1] = filled


@compiled
def _put(texts: Texts, i: int, out: np.ndarray, filled: int) -> int:
    """``<bytes>:<text>`` into ``out``; returns the position after it."""
    data, bounds = texts
    size = int(bounds[i + 1] - bounds[i])
    digits = 1
    while size >= 10**digits:
        digits += 1
    rest = size
    for place in range(filled + digits - 1, filled - 1, -1):
        out[place], rest = 48 + rest % 10, rest // 10
    filled += digits
    out[filled] = 58
    out[filled + 1 : filled + 1 + size] = data[bounds[i] : bounds[i] + size]
    return filled + 1 + size


def _hashed(data: memoryview, cuts: np.ndarray) -> pa.Array:
    """SHA-256 of each ``data[cuts[i]:cuts[i+1]]``; their digits are written all at once."""
    sha256 = hashlib.sha256
    digests = b"".join([sha256(data[a:b]).digest() for a, b in itertools.pairwise(cuts.tolist())])
    offsets = np.arange(0, 64 * len(cuts), 64, dtype=np.int32)
    return pa.StringArray.from_buffers(len(cuts) - 1, pa.py_buffer(offsets), pa.py_buffer(digests.hex().encode()))


def _bytes_of(texts: pa.Array) -> tuple[memoryview, np.ndarray]:
    """All the texts' bytes end to end, without a copy, and the n+1 offsets of the texts in them."""
    _, starts, data = texts.buffers()
    bounds = np.frombuffer(starts, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(data if data is not None else b""), bounds
