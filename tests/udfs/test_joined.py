"""All rows of several batches come in one, or an error says so: none is left behind."""

import numpy as np
import pyarrow as pa
import pytest

from jobs.failures import explain
from udfs.joined import one_batch

ADVICE = "dedup by source"


def batch(*values: str | None) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"row": range(len(values)), "text": pa.array(values, pa.string())})


def large(size: int) -> pa.RecordBatch:
    """One row whose text has ``size`` bytes, none of which is in memory before it is read."""
    ends = pa.py_buffer(np.array([0, size], np.int32))
    text = pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(np.zeros(size, np.uint8))])
    return pa.RecordBatch.from_arrays([pa.array([0]), text], ["row", "text"])


def test_rows_of_all_batches_come_in_their_order():
    found = one_batch(iter([batch("a", None), batch(), batch("b")]), "rows", ADVICE)
    assert found is not None and found["text"].to_pylist() == ["a", None, "b"]
    assert one_batch([batch("a")], "rows", ADVICE) == batch("a")


def test_no_rows_are_no_batch():
    assert one_batch([], "rows", ADVICE) is one_batch([batch(), batch()], "rows", ADVICE) is None


def test_more_than_a_column_holds_is_an_error_that_says_what_to_do():
    told = "prompts: expected at most 2 GB a column in one task, found 2 rows with more in `text`; dedup by source"
    with pytest.raises(OverflowError, match=told) as raised:
        one_batch([large(1_200_000_000)] * 2, "prompts", ADVICE)
    in_a_worker = f"An exception was thrown from the Python worker.\nOverflowError: {raised.value}\n"
    line, code = explain(RuntimeError(in_a_worker))
    assert told in line and code == 1


def test_batches_of_other_columns_are_an_error_of_their_own():
    with pytest.raises(pa.ArrowInvalid):
        one_batch([batch("a"), large(1).select(["text"])], "rows", ADVICE)
