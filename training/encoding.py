"""Conversations as token ids, and which of the tokens are trained: the kernel of the token cache, no files here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Encoding, Tokenizer, processors

from training.chat import ChatTokenizer, Messages, Rendered, render
from training.errors import TrainingError


@dataclass(frozen=True)
class Row:
    """Tokens of one conversation, or of a part of it: ids (int32, read-only use).

    ``turns`` are token ranges of what the assistant says, shape (turns, 2), end excluded, in order, not empty. A token
    that holds characters from both sides of a range's edge is inside.
    """

    ids: np.ndarray
    turns: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


class Encoder:
    """One tokenizer with its template, ready to use in this process."""

    def __init__(self, tokenizer: ChatTokenizer):
        self._chat = tokenizer
        self._tokenizer = Tokenizer.from_str(tokenizer.vocabulary)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        # Only adds special tokens, which templates write themselves, or cuts blanks off offsets, which the mask needs.
        self._tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)

    def encode(self, conversations: Sequence[Messages]) -> list[Row | str]:
        """Each conversation as a row, or as the reason why the template refuses it. Raises TrainingError with what the
        tokenizer says where it breaks down."""
        rendered = render(conversations, self._chat.template.text, self._chat.special)
        texts = [one.text for one in rendered if isinstance(one, Rendered)]
        encodings = iter(self._encodings(texts))
        return [_row(next(encodings), one.spans) if isinstance(one, Rendered) else one for one in rendered]

    def _encodings(self, texts: list[str]) -> list[Encoding]:
        try:
            return self._tokenizer.encode_batch(texts, add_special_tokens=False)
        except BaseException as error:
            if type(error).__module__ != "pyo3_runtime":
                raise
            # A panic in Rust is no Exception: it would end a worker process as if somebody had killed it.
            raise TrainingError(
                f"the tokenizer broke down: {error}. Is its tokenizer.json the one that was published with the model?"
            ) from error

    def decode(self, ids: Any) -> str:
        """The text of these tokens, special tokens included."""
        return str(self._tokenizer.decode(list(map(int, ids)), skip_special_tokens=False))


def trained_ranges(row: Row, loss_on: str) -> np.ndarray:
    """Token ranges with loss, shape (n, 2): ``assistant`` every turn, ``last`` the last one, ``all`` every token."""
    if loss_on == "all":
        return np.array([[0, len(row)]], np.int32)
    return row.turns[-1:] if loss_on == "last" else row.turns


def _row(encoding: Encoding, spans: Sequence[tuple[int, int]]) -> Row:
    turns = [turn for span in spans if span[0] < span[1] and (turn := _tokens_of(encoding, *span))]
    return Row(np.array(encoding.ids, np.int32), np.array(turns, np.int32).reshape(-1, 2))


def _tokens_of(encoding: Encoding, start: int, end: int) -> tuple[int, int] | None:
    """The range of tokens that hold any of the characters from ``start`` to before ``end``; None if none does."""
    first, last = encoding.char_to_token(start), encoding.char_to_token(end - 1)
    if first is None or last is None:  # the normalizer removed that character
        offsets = np.array(encoding.offsets).reshape(-1, 2)
        held = np.flatnonzero((offsets[:, 1] > start) & (offsets[:, 0] < end))
        return (int(held[0]), int(held[-1]) + 1) if len(held) else None
    last += 1
    while last < len(encoding) and (encoding.token_to_chars(last) or (end,))[0] < end:  # more bytes of that character
        last += 1
    return first, last
