from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.test_pii import pieces
from udfs import pii, sealing
from udfs.annotation import Plan
from udfs.pii import KINDS
from udfs.sealing import CannotUnseal, Key

ALL = tuple(kind.name for kind in KINDS)
SECRET = bytes(range(64))
KEY, OTHER = Key(SECRET), Key(SECRET[::-1])
TEXTS = ["Write to Ana@Example.org, not bo@example.org.", "nothing", "ana@example.org? +1 202-555-0143"]


def _masked(conversations, key=KEY):
    """Names, masked contents and sealed values of each conversation."""
    names = [f"c{number}" for number in range(len(conversations))]
    offsets = np.cumsum([0, *map(len, conversations)])
    found = pii.mask(pa.array([text for each in conversations for text in each], pa.string()), offsets, ALL)
    contents = [found.contents[a:b].to_pylist() for a, b in pairwise(offsets)]
    sealed = sealing.seal(key, found.replaced, pa.array(names, pa.string()))
    sealed.validate(full=True)
    return list(zip(names, contents, sealed.to_pylist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(pieces, max_size=3), max_size=3))
def test_what_was_masked_comes_back_byte_for_byte_and_another_key_opens_nothing(conversations):
    encodable = [[text.encode("utf-8", "replace").decode() for text in each] for each in conversations]
    masked = _masked(encodable)
    assert [sealing.unmask(KEY, *row) for row in masked] == encodable
    assert masked == _masked(encodable)
    for name, contents, sealed in masked:
        if sealed:
            with pytest.raises(CannotUnseal, match=f"key {OTHER.fingerprint} does not open the values of {name}"):
                sealing.unmask(OTHER, name, contents, sealed)


def test_a_conversation_without_personal_data_has_no_values_and_opens_with_any_key():
    [(name, contents, sealed)] = _masked([["nothing"]])
    assert sealed == []
    assert sealing.unmask(OTHER, name, contents, sealed) == ["nothing"]


def _flip(row):
    value = bytearray(row["value"])
    value[-1] ^= 1
    return {**row, "value": bytes(value)}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda name, contents, sealed: ("c1", contents, sealed), "the row was changed"),
        (lambda name, contents, sealed: (name, contents, [_flip(sealed[0]), *sealed[1:]]), "the row was changed"),
        (lambda name, contents, sealed: (name, contents, [{**sealed[0], "value": b""}]), "the row was changed"),
        (lambda name, contents, sealed: (name, contents, [{**sealed[0], "offset": 0}]), "the row was changed"),
        (lambda name, contents, sealed: (name, contents, [{**sealed[0], "message": 2}]), "the row was changed"),
        (lambda name, contents, sealed: (name, contents, [{**sealed[0], "pseudonym": "EMAIL_1"}]), "was changed"),
        (
            lambda name, contents, sealed: (name, contents, [{**sealed[0], "value": sealed[1]["value"]}]),
            "the row was changed",
        ),
        (lambda name, contents, sealed: (name, ["Another text", *contents[1:]], sealed), "not those that were masked"),
        (lambda name, contents, sealed: (name, contents[:1], sealed), "not those that were masked"),
        (lambda name, contents, sealed: (name, contents, sealed[1::-1]), "not those that were masked"),
    ],
)
def test_what_was_moved_or_changed_does_not_open(change, told):
    row = _masked([TEXTS])[0]
    assert sealing.unmask(KEY, *row) == TEXTS
    with pytest.raises(CannotUnseal, match=told):
        sealing.unmask(KEY, *change(*row))


def test_equal_values_of_two_conversations_or_places_are_sealed_differently():
    rows = _masked([["a@example.org a@example.org"], ["a@example.org a@example.org"]])
    values = [entry["value"] for _, _, sealed in rows for entry in sealed]
    assert len(set(values)) == 4


def test_the_algorithm_is_that_of_rfc_5297():
    """A.1, deterministic: with its keys of 128 bits, by the library used here."""
    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    data, bound = bytes.fromhex("112233445566778899aabbccddee"), bytes(range(0x10, 0x28))
    sealed = sealing.AESSIV(key).encrypt(data, [bound])
    assert sealed.hex() == "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"


def test_nothing_of_a_key_is_printed_but_its_fingerprint():
    for shown in (repr(KEY), str(Plan((), (), key=KEY))):
        assert KEY.fingerprint in shown
        assert "secret" not in shown and "\\x01" not in shown
    assert KEY.fingerprint != OTHER.fingerprint


@pytest.mark.parametrize("length", [0, 32, 63, 65])
def test_a_key_has_64_bytes(length):
    with pytest.raises(ValueError, match=f"expected a key of 64 bytes, found {length}"):
        Key(bytes(length))
