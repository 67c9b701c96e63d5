"""Every conversation of a corpus as tokens, made once and memory-mapped by every rank.

Example:
    prepared = prepare(corpus, "/models/zephyr-7b-beta", settings)      # before any process group
    prepared = open_prepared(prepared.folder)                           # in every rank, milliseconds
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from conf.training import Training
from training.corpus import Corpus

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""


@dataclass(frozen=True)
class Split:
    """The rows of one split, in the corpus' order, memory-mapped; ``len()`` is how many.

    ``lengths`` (int32) and ``trained`` (int32) are tokens, and tokens with loss, of each row.
    """

    path: str
    lengths: np.ndarray
    trained: np.ndarray

    def __len__(self) -> int:
        return len(self.lengths)

    def row(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Token ids (int32) and whether each is trained (bool); views of the file, nothing copied."""
        raise NotImplementedError


@dataclass(frozen=True)
class Prepared:
    """A token cache. ``stats`` counts rows and tokens (``train.rows = train.whole + train.cut + ...``).

    ``digests``: ``dataset``, ``tokenizer``, ``template``, ``options``. ``folder`` is what ``open_prepared`` takes.
    """

    folder: str
    train: Split
    eval: Split
    stats: dict[str, int | float]
    digests: dict[str, str]


def prepare(corpus: Corpus, tokenizer_folder: str, settings: Training, progress: Progress | None = None) -> Prepared:
    """The cache for these rows, this tokenizer and these settings; made if there is none yet, over all cores.

    Safe to call from several processes at once: one makes it, the others wait.
    """
    raise NotImplementedError


def open_prepared(folder: str) -> Prepared:
    """A cache that ``prepare`` made. Raises TokensError if it is not whole."""
    raise NotImplementedError
