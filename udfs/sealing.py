"""What pseudonyms stand for, kept so that only who has the key can read it: AES-256 in SIV mode (RFC 5297).

A value is sealed for one place: conversation, message, offset and pseudonym are its associated data, so a value moved
to another place, or changed, does not open; one that was removed leaves its pseudonym standing. Sealing is
deterministic, so that the same input and key give the same rows. Without the key a sealed value tells its length in
bytes, and whether it equals one sealed with the same key for the same place: whether it changed between two versions
of a table, and nothing across conversations.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from udfs.pii import Replaced, restore

KEY_BYTES = 64
"""AES-SIV splits its key: 32 bytes to authenticate, 32 to encrypt."""

_ENTRY = pa.struct(
    [("message", pa.int32()), ("offset", pa.int32()), ("pseudonym", pa.string()), ("value", pa.binary())]
)
SEALED = pa.list_(_ENTRY)
"""Sealed values of one conversation, in the order of :class:`udfs.pii.Masked`; null where there was no key."""


@dataclass(frozen=True)
class Key:
    """A secret of :data:`KEY_BYTES` bytes; what is printed of it is its fingerprint."""

    secret: bytes = field(repr=False)
    fingerprint: str = field(init=False)
    """16 hex digits that tell keys apart and nothing of the key."""

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise ValueError(f"expected a key of {KEY_BYTES} bytes, found {len(self.secret)}")
        digest = hashlib.sha256(b"winnow key fingerprint" + self.secret).hexdigest()
        object.__setattr__(self, "fingerprint", digest[:16])


class CannotUnseal(ValueError):
    """A sealed value does not open, or does not fit the text beside it."""


def seal(key: Key, replaced: Sequence[Replaced], ids: pa.Array | None) -> pa.Array:
    """For each conversation, whose ids these are, its sealed values (:data:`SEALED`)."""
    if ids is None:
        raise ValueError("sealing needs the ids of the conversations")
    cipher, names = AESSIV(key.secret), ids.to_pylist()
    entries = []
    for conversation, message, offset, pseudonym, original in replaced:
        value = cipher.encrypt(original.encode(), _bound_to(names[conversation], message, offset, pseudonym))
        entries.append({"message": message, "offset": offset, "pseudonym": pseudonym, "value": value})
    counts = np.bincount([one.conversation for one in replaced], minlength=len(names))
    cuts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(cuts), pa.array(entries, _ENTRY))


def unmask(key: Key, name: str, contents: Sequence[str], sealed: Iterable[Mapping[str, Any]]) -> list[str]:
    """The contents of the messages of conversation ``name`` as they were before they were masked, byte for byte.

    Raises :class:`CannotUnseal` if the key is another one, or anything here is not as it was stored.
    """
    cipher, texts = AESSIV(key.secret), list(contents)
    try:
        for message, entries in groupby(sealed, key=lambda entry: entry["message"]):
            texts[message] = restore(texts[message], (_opened(cipher, name, entry) for entry in entries))
    except InvalidTag:
        raise CannotUnseal(
            f"key {key.fingerprint} does not open the values of {name}: they were sealed with another key, or the row "
            "was changed"
        ) from None
    except (ValueError, IndexError) as error:
        raise CannotUnseal(f"the messages of {name} are not those that were masked: {error}") from error
    return texts


def _opened(cipher: AESSIV, name: str, entry: Mapping[str, Any]) -> tuple[int, str, str]:
    message, offset, pseudonym, value = (entry[field] for field in _ENTRY.names)
    original = cipher.decrypt(value, _bound_to(name, message, offset, pseudonym))
    return offset, pseudonym, original.decode()


def _bound_to(*place: str | int) -> list[bytes]:
    """The associated data: each part on its own, so that no two places have the same."""
    return [str(part).encode() for part in place]
