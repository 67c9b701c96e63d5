"""Conversations of Parquet files in the LMSYS schema, as flat columns."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


class Corpus(NamedTuple):
    """As received: ids and the source's language of each conversation; roles and texts of all messages, of which
    conversation ``i`` has ``offsets[i]:offsets[i+1]``."""

    ids: list[str]
    languages: list[str | None]
    roles: pa.Array
    contents: pa.Array
    offsets: np.ndarray


def read(place: Path) -> Corpus:
    """The conversations of one file, or of all files of a folder; ``FileNotFoundError`` where there is neither."""
    table = pq.read_table(place, columns=["conversation_id", "conversation", "language"])
    talks = table["conversation"].combine_chunks()
    messages, offsets = talks.flatten(), np.asarray(talks.offsets)
    ids, languages = (table[name].to_pylist() for name in ("conversation_id", "language"))
    return Corpus(ids, languages, messages.field("role"), messages.field("content"), offsets - offsets[0])
