"""What ``columns`` of a format gives for part ``i`` of every record: all its conversations' messages and labels."""

from typing import NamedTuple

from jobs.formats.labels import Labels
from jobs.formats.talk import Talk


class Part(NamedTuple):
    """One conversation a record."""

    talk: Talk
    labels: Labels
