"""Which rows share a pack, and what a pack looks like to the model?"""

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from training.tokens import Split


class PackedRows(Dataset[dict[str, np.ndarray]]):
    """One split as packs of at most ``max_tokens`` tokens; with ``packing=False`` every row is a pack of its own.

    An item is ``input_ids``, ``labels`` (-100 where there is no loss, and on the first token of every row) and
    ``position_ids`` (from 0 in every row): int64 arrays of one length. The packs follow from the lengths alone.
    """

    def __init__(self, split: Split, max_tokens: int, packing: bool = True):
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        raise NotImplementedError

    @property
    def fill(self) -> float:
        """Share of the packs' room (packs x max_tokens) that holds tokens: the packing ratio."""
        raise NotImplementedError


def collate(batch: Sequence[dict[str, np.ndarray]], flatten: bool = False) -> dict[str, torch.Tensor]:
    """Packs as one batch of ``input_ids``, ``labels``, ``position_ids``; never an ``attention_mask``.

    Rows are padded on the right to the longest (labels -100). ``flatten=True`` puts them after each other in one row of
    shape (1, tokens) without padding: what flash attention's varlen kernels take. Needs ``position_ids`` that restart.
    """
    raise NotImplementedError
