"""Digests: of a conversation's messages, of a whole data set in any order, and of a folder.

All are SHA-256, so equal digests mean equal content.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import sha256
from udfs.compiled import compiled, freeze, put_byte, put_bytes

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


def folder(place: Path) -> str:
    """The SHA-256 (64 hexadecimal digits) of the files below a folder and their names."""
    whole = hashlib.sha256()
    for file in sorted(path for path in place.rglob("*") if path.is_file()):
        with open(file, "rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
        whole.update(f"{file.relative_to(place)}\0{content}\n".encode())
    return whole.hexdigest()


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
    (role_data, role_bounds), (content_data, content_bounds) = roles, contents
    role_at, content_at = np.uint64(role_data.ctypes.data), np.uint64(content_data.ctypes.data)
    target, filled = np.uint64(out.ctypes.data), np.uint64(0)
    for i in range(len(bounds) - 1):
        bounds[i] = np.int64(filled)
        filled = _put(role_at, role_bounds[i], role_bounds[i + 1], target, filled)
        filled = _put(content_at, content_bounds[i], content_bounds[i + 1], target, filled)
    bounds[len(bounds) - 1] = np.int64(filled)


@compiled
def _put(data: Any, begin: Any, end: Any, out: Any, filled: Any) -> Any:
    """``<bytes>:<text>`` to place ``filled``; returns the place after it."""
    size, digits, one = end - begin, 1, np.uint64(1)
    while size >= 10**digits:
        digits += 1
    after = filled + np.uint64(digits)
    rest, place = size, after
    while place > filled:
        place -= one
        put_byte(out, place, 48 + rest % 10)
        rest //= 10
    put_byte(out, after, 58)
    put_bytes(data, np.uint64(begin), np.uint64(size), out, after + one)
    return after + one + np.uint64(size)


def _hashed(data: memoryview, cuts: np.ndarray) -> pa.Array:
    """SHA-256 of each ``data[cuts[i]:cuts[i+1]]``; their digits are written all at once."""
    digits = sha256.digests(data, cuts).tobytes().hex().encode()
    offsets = np.arange(0, 64 * len(cuts), 64, dtype=np.int32)
    return pa.StringArray.from_buffers(len(cuts) - 1, pa.py_buffer(offsets), pa.py_buffer(digits))


def _bytes_of(texts: pa.Array) -> tuple[memoryview, np.ndarray]:
    """All the texts' bytes end to end, without a copy, and the n+1 offsets of the texts in them."""
    _, starts, data = texts.buffers()
    bounds = np.frombuffer(starts, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return memoryview(data if data is not None else b""), bounds
