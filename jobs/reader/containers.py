"""How do a file's bytes become one or more plain byte streams? Compression, archives, and the limits on both."""

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, NamedTuple

import pyarrow as pa

from jobs.formats.conversation import CORRUPT_FILE, DECOMPRESSION_BOMB, UNSUPPORTED_FILE, Rejected
from jobs.reader.files import locate

COMPRESSIONS = {".gz": "gzip", ".tgz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".bz2": "bz2"}
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.zst")
KINDS = (".jsonl", ".ndjson", ".json", ".csv", ".parquet")
_FREE_BYTES = 64 << 20
"""The ratio limit starts here: below it an expanded stream is harmless whatever its ratio."""


class Member(NamedTuple):
    """One plain byte stream: its name (``archive.zip!member`` in an archive), its kind (``.jsonl`` ...), the stream."""

    name: str
    kind: str
    stream: IO[bytes]


class Limits(NamedTuple):
    """Bounds on expansion, by the bytes that really come out, never by what a header claims."""

    ratio: float
    total: int


def kind_of(name: str) -> str:
    """The record container a name stands for (``.jsonl`` for ``a.jsonl.gz``), or '' when it is none we read."""
    lower = name.lower()
    for suffix in COMPRESSIONS:
        lower = lower.removesuffix(suffix)
    return next((kind for kind in KINDS if lower.endswith(kind)), "")


def is_plain(name: str) -> bool:
    """True when the stored bytes are the records' bytes, so that a split of the file can be read alone."""
    lower = name.lower()
    return not lower.endswith((*COMPRESSIONS, *TARS, ".zip")) and kind_of(name) != ""


def members(path: str, size: int, limits: Limits) -> Iterator[Member]:
    """The byte streams in one file, in stored order. Raises :class:`Rejected` with a file reason."""
    lower = path.lower()
    system, inner = locate(path)
    if lower.endswith(".zip"):
        with system.open_input_file(inner) as file:
            yield from _zip(path, file, limits)
    elif lower.endswith(TARS):
        with system.open_input_stream(inner, compression=None) as file:
            yield from _tar(path, _bounded(_expanded(lower, file), size, limits), limits)
    elif not kind_of(path):
        raise Rejected(UNSUPPORTED_FILE, f"expected one of {' '.join(KINDS)} (.gz .zst .bz2 .zip .tar.gz): {path}")
    else:
        with system.open_input_stream(inner, compression=None) as file:
            yield Member(path, kind_of(path), _bounded(_expanded(lower, file), size, limits))


def _expanded(lower: str, file: IO[bytes] | pa.NativeFile) -> IO[bytes]:
    codec = next((codec for suffix, codec in COMPRESSIONS.items() if lower.endswith(suffix)), None)
    if codec is None:
        return file
    native = file if isinstance(file, pa.NativeFile) else pa.PythonFile(file, mode="r")
    return pa.CompressedInputStream(native, codec)


def _zip(path: str, file: pa.NativeFile, limits: Limits) -> Iterator[Member]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Rejected(CORRUPT_FILE, f"not a readable zip: {error}") from error
    for info in archive.infolist():
        if not info.is_dir() and not _is_hidden(info.filename):
            yield _member(path, info.filename, archive.open(info), info.compress_size, limits)


def _tar(path: str, stream: IO[bytes], limits: Limits) -> Iterator[Member]:
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for info in archive:
                data = archive.extractfile(info) if info.isfile() and not _is_hidden(info.name) else None
                if data is not None:
                    yield _member(path, info.name, data, info.size, limits)
    except tarfile.TarError as error:
        raise Rejected(CORRUPT_FILE, f"not a readable tar: {error}") from error


def _member(path: str, name: str, data: IO[bytes], size: int, limits: Limits) -> Member:
    stream = _expanded(name.lower(), data)
    return Member(f"{path}!{name}", kind_of(name), _bounded(stream, size, limits))


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in name.split("/"))


class _Bounded:
    """A stream that refuses to give more bytes than its limits allow, and turns codec errors into a file reason."""

    def __init__(self, stream: IO[bytes], allowed: int):
        self._stream, self._allowed, self._given = stream, allowed, 0

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._stream.read(size)
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error, tarfile.TarError) as error:
            raise Rejected(CORRUPT_FILE, f"{error} (after {self._given:,} expanded bytes)") from error
        self._given += len(data)
        if self._given > self._allowed:
            raise Rejected(
                DECOMPRESSION_BOMB, f"expands past {self._allowed:,} bytes, the limit for a file of its size"
            )
        return data


def _bounded(stream: IO[bytes], size: int, limits: Limits) -> IO[bytes]:
    allowed = min(limits.total, max(_FREE_BYTES, int(size * limits.ratio)))
    return _Bounded(stream, allowed)  # type: ignore[return-value]
