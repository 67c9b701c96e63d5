"""Values by numbers: where does each stand among others, and which are the same?"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def places(values: pa.Array | pa.ChunkedArray, among: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """The place of each value among others (the first, if it is there twice), -1 for none and for null. int64."""
    return _filled(pc.index_in(one(values), value_set=one(among), skip_nulls=True))


def codes(values: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """A number for each value, from 0, equal for equal ones; -1 for null. int64."""
    return _filled(one(values).dictionary_encode().indices)


def one(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _filled(numbers: pa.Array) -> np.ndarray:
    return pc.fill_null(numbers, -1).to_numpy(zero_copy_only=False).astype(np.int64)
