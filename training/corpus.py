"""A pinned version of the dataset, opened for training with Arrow: no JVM, no Spark, nothing copied.

Example:
    corpus = open_version("s3://bucket/lake", pin="baseline")
    verify(corpus)
    for batch in corpus.batches(["messages", "copies"]): ...
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa
from deltalake import DeltaTable

from udfs.delta import contents, versions
from udfs.delta.lake import LakeError

CorpusError = LakeError
"""Why there is no corpus: what was asked for, what there is, what to do. ``exit_code`` is the command's."""


@dataclass(frozen=True)
class Corpus:
    """One version of one lake's dataset, files checked to be there. Equal corpora hold equal rows.

    ``digest`` and ``rows`` are what the commit recorded; ``verify`` tells whether the content still agrees.
    ``table_id`` is Delta's id of the table: it differs if a lake was made anew under the same path.
    """

    lake: str
    version: int
    pin: str | None
    digest: str
    rows: int
    table_id: str
    _version: versions.Version = field(repr=False, compare=False)
    _table: DeltaTable = field(repr=False, compare=False)

    @property
    def pins(self) -> tuple[str, ...]:
        """Every name that keeps this version, sorted; none where a clean-up may remove it."""
        return self._version.pins

    def batches(self, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """The rows of schema ``dataset`` in ``jobs/tables.py``, the same order every time, in bounded memory.

        At most ``udfs.delta.contents.BATCH_ROWS`` at a time.
        """
        return contents.read_batches(self._table, columns)


def open_version(lake: str, pin: str | None = None, version: int | None = None, timestamp: str | None = None) -> Corpus:
    """The corpus meant by at most one of pin, version number and ISO 8601 timestamp; the newest if none is given.

    Raises CorpusError if there is no such lake, pin or version, or if its files are not all there.
    """
    chosen = versions.resolve(lake, pin, version, timestamp)
    table = contents.open_version(chosen)
    return Corpus(
        lake, chosen.version, pin, chosen.digest, chosen.rows, str(table.metadata().id), _version=chosen, _table=table
    )


def verify(corpus: Corpus) -> str:
    """Recompute the digest from every message and return it. Raises CorpusError if it is not the recorded one."""
    return contents.verify(corpus._version, corpus._table)
