"""What ``columns`` of a format gives: conversations of many records, their messages and labels as columns."""

from typing import NamedTuple

import numpy as np

from jobs.formats.labels import Labels
from jobs.formats.talk import Talk


class Part(NamedTuple):
    """One conversation a record, in order; or any number, whose records are ``owners`` (ascending, sound ones only)."""

    talk: Talk
    labels: Labels
    owners: np.ndarray | None = None

    def pick(self, which: np.ndarray) -> "Part":
        """Only these conversations."""
        if len(which) == len(self.talk.offsets) - 1:
            return self
        return Part(self.talk.pick(which), self.labels.pick(which), self.owners)
