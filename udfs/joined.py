"""Many Arrow batches as one, where a kernel has to see all its rows at once."""

from collections.abc import Iterable

import pyarrow as pa


def one_batch(batches: Iterable[pa.RecordBatch], what: str, advice: str) -> pa.RecordBatch | None:
    """The rows of all batches, in their order; None where there are none.

    Raises OverflowError, which names ``what`` these rows are and ends with the ``advice``, if there are more than one
    batch can hold: 2 GB of text a column. As a table they would be joined without an error, in several batches.
    """
    parts = [batch for batch in batches if batch.num_rows]
    if len(parts) < 2:
        return parts[0] if parts else None
    try:
        return pa.concat_batches(parts)
    except pa.ArrowInvalid as error:
        if "overflow" not in str(error):
            raise
        raise OverflowError(f"{what}: {_told(parts)}; {advice}") from error


def _told(parts: list[pa.RecordBatch]) -> str:
    rows = sum(part.num_rows for part in parts)
    largest = max(parts[0].schema.names, key=lambda name: sum(part.column(name).nbytes for part in parts))
    return f"expected at most 2 GB a column in one task, found {rows:,} rows with more in `{largest}`"
