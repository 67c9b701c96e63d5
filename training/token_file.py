"""One split's token rows in one Arrow file: written batch by batch, read by memory map, nothing copied."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import ipc


@contextmanager
def writing(path: Path, schema: pa.Schema) -> Iterator[ipc.RecordBatchFileWriter]:
    """A new file to write batches to; whole once the block ends."""
    with pa.OSFile(str(path), "wb") as file, ipc.new_file(file, schema) as writer:
        yield writer


class Split:
    """The token rows of one split, in the corpus' order, memory-mapped; ``len()`` is how many.

    A split sent to another process opens the file there; only pages that are read are loaded.
    """

    def __init__(self, path: str):
        self.path = path
        file = ipc.open_file(pa.memory_map(path))
        self._batches = [file.get_batch(number) for number in range(file.num_record_batches)]
        self._ends = np.cumsum([batch.num_rows for batch in self._batches], dtype=np.int64)
        self._ids = [_flat(batch["input_ids"]) for batch in self._batches]
        self._ranges = [_flat(batch["trained"]) for batch in self._batches]

    def __reduce__(self) -> tuple[type["Split"], tuple[str]]:
        return Split, (self.path,)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @cached_property
    def lengths(self) -> np.ndarray:
        """Tokens of each row, int32."""
        return np.concatenate([np.empty(0, np.int32), *(np.diff(offsets) for offsets, _ in self._ids)])

    @cached_property
    def trained(self) -> np.ndarray:
        """Tokens with loss of each row, int32."""
        return self._column("trained_tokens", np.int32)

    @cached_property
    def conversations(self) -> np.ndarray:
        """Which conversation of the corpus each row is from, by its number in the corpus' order, int64."""
        return self._column("row", np.int64)

    def row(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Token ids (int32, a view of the file) and whether each is trained (bool)."""
        number = int(np.searchsorted(self._ends, index, side="right"))
        inside = index - (int(self._ends[number - 1]) if number else 0)
        ids = _item(self._ids[number], inside)
        trained = np.zeros(len(ids), bool)
        for start, end in _item(self._ranges[number], inside).reshape(-1, 2):
            trained[start:end] = True
        return ids, trained

    def _column(self, name: str, dtype: type) -> np.ndarray:
        return np.concatenate([np.empty(0, dtype), *(batch[name].to_numpy() for batch in self._batches)])


Lists = tuple[np.ndarray, np.ndarray]
"""Offsets and values of a list column."""


def _flat(column: pa.ListArray) -> Lists:
    return column.offsets.to_numpy(), column.values.to_numpy()


def _item(lists: Lists, index: int) -> np.ndarray:
    offsets, values = lists
    return values[offsets[index] : offsets[index + 1]]
