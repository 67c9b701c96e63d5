"""Which rows share a pack, and what does a batch of packs look like to the model?

Rows of a pack do not see each other, provided that ``position_ids`` restart at 0 with each row and that there is **no**
``attention_mask``: from that, transformers builds block-wise causal attention. A mask of ones is not the same as none:
it joins the rows, without a word.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from training.tokens import Split
from udfs.compiled import compiled

NO_LOSS = -100
"""The label of a token that is not trained, as PyTorch's cross entropy has it."""


@compiled
def best_fit(lengths: Any, order: Any, room: int) -> Any:
    """For each row the number of its pack: rows in ``order``, each into the fullest pack that still has room for it.

    ``lengths`` are at most ``room``. With ``order`` by falling length this is best-fit decreasing, at most 11/9 of the
    fewest packs possible. Packs are kept in stacks by the room they have left; bits tell which stacks are not empty.
    """
    pack_of = np.empty(lengths.size, np.int64)
    below = np.empty(lengths.size, np.int64)  # the pack under this one in its stack
    top = np.full(room + 1, -1, np.int64)
    filled = np.zeros((room >> 6) + 1, np.uint64)
    packs = 0
    for row in order:
        need = lengths[row]
        word = need >> 6
        bits = filled[word] >> np.uint64(need & 63) << np.uint64(need & 63)
        while bits == 0 and word + 1 < filled.size:
            word += 1
            bits = filled[word]
        if bits == 0:
            pack, left = packs, room
            packs += 1
        else:
            left = word << 6
            while bits & np.uint64(1) == 0:
                bits >>= np.uint64(1)
                left += 1
            pack = top[left]
            top[left] = below[pack]
            if top[left] < 0:
                filled[word] &= ~(np.uint64(1) << np.uint64(left & 63))
        left -= need
        below[pack] = top[left]
        top[left] = pack
        filled[left >> 6] |= np.uint64(1) << np.uint64(left & 63)
        pack_of[row] = pack
    return pack_of


class PackedRows(Dataset[dict[str, np.ndarray]]):
    """One split as packs of at most ``max_tokens`` tokens; with ``packing=False`` every row is a pack of its own.

    An item is ``input_ids``, ``labels`` (-100 where there is no loss, and on the first token of every row) and
    ``position_ids`` (from 0 in every row): int64 arrays of one length. The packs follow from the rows' lengths alone:
    the same in every process. ``sizes`` are the tokens of each pack.
    """

    def __init__(self, split: Split, max_tokens: int, packing: bool = True):
        self.split, self.max_tokens = split, max_tokens
        lengths = split.lengths.astype(np.int64)
        if lengths.size and lengths.max() > max_tokens:
            raise ValueError(f"rows of up to {lengths.max()} tokens do not fit into packs of {max_tokens}")
        rows = np.arange(len(lengths))
        pack_of = best_fit(lengths, np.argsort(-lengths, kind="stable"), max_tokens) if packing else rows
        self._rows = np.argsort(pack_of, kind="stable")
        self._ends = np.cumsum(np.bincount(pack_of)) if len(rows) else rows
        self.sizes = np.bincount(pack_of, lengths).astype(np.int64) if len(rows) else rows

    def __len__(self) -> int:
        return len(self._ends)

    def rows(self, index: int) -> np.ndarray:
        """The numbers of the rows in this pack, rising."""
        return self._rows[self._ends[index - 1] if index else 0 : self._ends[index]]

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        index = range(len(self))[index]
        ids, labels = np.empty((2, self.sizes[index]), np.int64)
        positions = np.empty(self.sizes[index], np.int64)
        start = 0
        for row in self.rows(index):
            tokens, trained = self.split.row(int(row))
            place = slice(start, start := start + len(tokens))
            ids[place] = tokens
            labels[place] = np.where(trained, tokens, NO_LOSS)
            labels[place.start] = NO_LOSS  # no token of this row comes before it
            positions[place] = np.arange(len(tokens))
        return {"input_ids": ids, "labels": labels, "position_ids": positions}

    @property
    def fill(self) -> float:
        """Share of the packs' room (packs x max_tokens) that holds tokens: the packing ratio."""
        return float(self.sizes.sum() / max(1, len(self) * self.max_tokens))


def collate(batch: Sequence[dict[str, np.ndarray]], flatten: bool = False) -> dict[str, Any]:
    """Packs as one batch of ``input_ids``, ``labels``, ``position_ids`` (int64); never an ``attention_mask``.

    Shape (packs, longest): padded on the right with label -100 and positions that go on counting, so that padding is
    the end of a pack's last row; attention looks back only, so no row sees it. With ``flatten`` shape (1, all tokens):
    the packs after each other, nothing padded, and the row borders as the varlen kernels of flash attention take them.
    Flash attention needs ``flatten`` for packs: transformers looks for restarting positions only in a batch of one.
    """
    if flatten:
        return _flattened(batch)
    width = max(len(pack["input_ids"]) for pack in batch)
    tensors = {name: np.zeros((len(batch), width), np.int64) for name in ("input_ids", "position_ids")}
    tensors["labels"] = np.full((len(batch), width), NO_LOSS, np.int64)
    for number, pack in enumerate(batch):
        size = len(pack["input_ids"])
        for name, tensor in tensors.items():
            tensor[number, :size] = pack[name]
        tensors["position_ids"][number, size:] = pack["position_ids"][-1] + 1 + np.arange(width - size)
    return {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}


def _flattened(batch: Sequence[dict[str, np.ndarray]]) -> dict[str, Any]:
    joined = {name: np.concatenate([pack[name] for pack in batch])[None] for name in batch[0]}
    starts = np.flatnonzero(joined["position_ids"][0] == 0)
    borders = np.append(starts, joined["position_ids"].size).astype(np.int32)
    cumulative, longest = torch.from_numpy(borders), int(np.diff(borders).max())
    return {
        **{name: torch.from_numpy(values) for name, values in joined.items()},
        **{"cu_seq_lens_q": cumulative, "cu_seq_lens_k": cumulative},
        **{"max_length_q": longest, "max_length_k": longest},
    }
