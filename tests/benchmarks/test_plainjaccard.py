import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import plainjaccard
from udfs.shingles import shingle_sets

letters = st.one_of(
    st.characters(codec="utf-8"),
    st.sampled_from("aAß1٣ ,\u0301\u200b\u200d\ufe0fがか゛กินमैंΣςİﬁ漢字가각😀\n"),
)
messages = st.lists(st.text(letters, max_size=30), max_size=4)


@given(messages, messages, st.integers(1, 5))
def test_plain_shingles_are_as_many_as_the_kernels_and_as_many_are_shared(one, other, size):
    offsets = np.array([0, len(one), len(one) + len(other)], np.int32)
    kernels = shingle_sets(pa.array([*one, *other], pa.string()), offsets, size)
    sets = [set(kernels.hashes[a:b].tolist()) for a, b in zip(kernels.offsets, kernels.offsets[1:], strict=False)]
    plain = [plainjaccard.shingles(text, size) for text in (one, other)]
    assert [len(found) for found in plain] == [len(found) for found in sets]
    assert len(plain[0] & plain[1]) == len(sets[0] & sets[1])
