"""Binary blocks: equal keys meet in one part, and nothing is lost on the way."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.dedup import blocks

KEYS = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5).map(lambda n: n * (2**64 // 6)), max_size=60)


@given(KEYS, st.integers(1, 9), st.integers(1, 4))
def test_every_key_comes_back_with_its_value_and_equal_keys_are_in_one_part(keys: list[int], parts: int, batches: int):
    numbers, values = np.array(keys, np.uint64), np.arange(len(keys))
    packed = [blocks.pack(numbers[at::batches], values[at::batches], parts) for at in range(batches)]
    rows = pa.Table.from_batches(packed).to_pylist()
    assert all(0 <= row["part"] < parts for row in rows)
    places: dict[int, set[int]] = {}
    for row in rows:
        for key in np.frombuffer(row["keys"], np.uint64).tolist():
            places.setdefault(key, set()).add(row["part"])
    assert all(len(found) == 1 for found in places.values())
    found, owners = blocks.unpack(packed)
    assert sorted(zip(found.tolist(), owners.tolist(), strict=True)) == sorted(zip(keys, range(len(keys)), strict=True))


@given(KEYS, st.integers(1, 3))
def test_totals_are_the_counts_that_reach_the_least(keys: list[int], least: int):
    packed = [blocks.pack(np.array(keys, np.uint64), np.ones(len(keys), np.int64), 3)]
    (found,) = blocks.totals(packed, least)
    counts = dict(zip(found["key"].to_numpy().view(np.uint64).tolist(), found["count"].to_pylist(), strict=True))
    assert counts == {key: keys.count(key) for key in set(keys) if keys.count(key) >= least}


def test_no_blocks_have_no_totals():
    assert [batch.num_rows for batch in blocks.totals([], 2)] == [0]


def test_blocks_that_went_by_a_file_are_what_they_were(tmp_path):
    numbers = np.arange(10, dtype=np.uint64) << np.uint64(60)
    packed = [blocks.pack(numbers, np.arange(10), 4), blocks.pack(numbers[:0], np.arange(0), 4)]
    (told,) = blocks.store(packed, str(tmp_path))
    rows = [row for batch in packed for row in batch.to_pylist()]
    assert [row for batch in blocks.load([told]) for row in batch.to_pylist()] == rows
    assert sum(told.column("bytes").to_pylist()) == 160 == sum(file.stat().st_size for file in tmp_path.iterdir())


def test_a_block_whose_file_is_gone_names_it(tmp_path):
    (told,) = blocks.store([blocks.pack(np.ones(1, np.uint64), np.ones(1, np.int64), 4)], str(tmp_path))
    (file,) = tmp_path.iterdir()
    file.unlink()
    with pytest.raises(OSError, match=str(file)):
        list(blocks.load([told]))
