"""How many tokens is a message, by the user's own tokenizer? Counted with ``tokenizers`` from one file, offline."""

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
