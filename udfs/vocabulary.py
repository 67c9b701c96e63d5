"""How many tokens is a message, by the user's own tokenizer? Counted with ``tokenizers`` from one file, offline."""

import json
import os
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tokenizers import Tokenizer

BATCH_BYTES = 1_000_000
"""Text encoded at a time: its tokens, with all that the library tells of them, take a hundred times its memory."""
UNBOUNDED = 2**40
"""More tokens than a message has; sums of it over a batch are still numbers."""
_GROWTH = {None: 1, "NFC": 3}
"""How many bytes a byte may become by these normalizers: UAX 15, table 10, for UTF-8."""
_SPLITTING = ("ByteLevel", "Digits", "Split")
"""Pre-tokenizers that only cut a text, but for ByteLevel's space in front."""


class Vocabulary(NamedTuple):
    """A tokenizer as the text of its file, so that executors need no file, and the tokens a template adds a message."""

    text: str
    message_tokens: int


def read(path: str) -> str:
    """The text of a ``tokenizer.json`` that loads. Raises ValueError with the file and what is wrong with it."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except IsADirectoryError:
        raise ValueError(f"{path}: a folder, not a file; name the tokenizer.json in it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        _load(text)
    except Exception as error:  # all that the library raises
        told = f"expected a tokenizer.json as Hugging Face's tokenizers write it, found: {error}"
        raise ValueError(f"{path}: {told}") from error
    return text


def count(contents: pa.Array, vocabulary: Vocabulary) -> np.ndarray:
    """Tokens of each message (int64): of its content, without special tokens around it, and ``message_tokens``.

    The whole content counts, whatever the file says of truncation and padding. Null is an empty content.
    """
    tokenizer = _load(vocabulary.text)
    found = np.full(len(contents), vocabulary.message_tokens, np.int64)
    for start, end in _spans(contents):
        texts = pc.fill_null(contents.slice(start, end - start), "").to_pylist()
        encoded = tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        found[start:end] += np.fromiter(map(len, encoded), np.int64, end - start)
    return found


def bound(contents: pa.Array, vocabulary: Vocabulary) -> np.ndarray:
    """What :func:`count` is at most (int64), without counting: for tokenizers of bytes from the content's length, for
    others :data:`UNBOUNDED`."""
    growth = _growth(vocabulary.text)
    if growth is None:
        return np.full(len(contents), UNBOUNDED, np.int64)
    sizes = np.asarray(pc.fill_null(pc.binary_length(contents), 0), dtype=np.int64)
    return sizes * growth + vocabulary.message_tokens


@lru_cache(maxsize=1)
def _growth(text: str) -> int | None:
    """At most how many tokens a byte becomes; None where the file does not say so plainly."""
    parts = json.loads(text)
    normalizer, splitter = parts.get("normalizer") or {}, parts.get("pre_tokenizer") or {}
    steps = splitter.get("pretokenizers", [splitter])
    is_plain = all(step.get("type") in _SPLITTING and not step.get("add_prefix_space") for step in steps)
    is_of_bytes = any(step.get("type") == "ByteLevel" for step in steps)
    return _GROWTH.get(normalizer.get("type")) if is_plain and is_of_bytes else None


def _spans(contents: pa.Array) -> Iterator[tuple[int, int]]:
    """Cuts of the texts into runs that begin within the same :data:`BATCH_BYTES`."""
    if not len(contents):
        return
    sizes = pc.fill_null(pc.binary_length(contents), 0).to_numpy()
    blocks = (np.cumsum(sizes, dtype=np.int64) - sizes) // BATCH_BYTES
    yield from pairwise([0, *(np.flatnonzero(np.diff(blocks)) + 1).tolist(), len(contents)])


@lru_cache(maxsize=1)
def _load(text: str) -> Tokenizer:
    """The tokenizer, with everything off that would count other tokens than the text has, or others each time."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # there is a process for each core already
    tokenizer = Tokenizer.from_str(text)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if getattr(tokenizer.model, "dropout", None):
        tokenizer.model.dropout = None
    return tokenizer
