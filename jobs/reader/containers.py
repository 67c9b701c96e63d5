"""How do a file's bytes become one or more plain byte streams? Compression, archives, and the limits on both."""

import io
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import IO, NamedTuple

import pyarrow as pa

from jobs.files import locate
from jobs.refusals import CORRUPT_FILE, DECOMPRESSION_BOMB, UNSUPPORTED_FILE, Rejected

COMPRESSIONS = {".gz": "gzip", ".tgz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".bz2": "bz2"}
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.zst", ".tar.zstd")
KINDS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
_FREE_BYTES = 64 << 20
"""The ratio limit starts here: below it an expanded stream is harmless whatever its ratio."""
_READ_BYTES = 1 << 18
_ZIP_END = 22
_SMALL = 1 << 16
"""zipfile looks before the start of a very short file, which pyarrow's files refuse."""


class Member(NamedTuple):
    """One plain byte stream: its name (``archive.zip!member`` in an archive), its kind (``.jsonl`` ..., '' for none we
    read) and how to open it, which may raise :class:`Rejected` or OSError."""

    name: str
    kind: str
    open: Callable[[], AbstractContextManager[IO[bytes]]]


class Limits(NamedTuple):
    """Bounds on expansion, by the bytes that really come out, never by what a header claims."""

    ratio: float
    total: int


def kind_of(name: str) -> str:
    """The record container a name stands for (``.jsonl`` for ``a.jsonl.gz``), or '' when it is none we read."""
    lower = name.lower()
    suffix = next(filter(lower.endswith, COMPRESSIONS), "")
    return next(filter(lower.removesuffix(suffix).endswith, KINDS), "")


def is_plain(name: str) -> bool:
    """True when the stored bytes are the records' bytes, so that a split of the file can be read alone."""
    lower = name.lower()
    return not lower.endswith((*COMPRESSIONS, *TARS, ".zip")) and kind_of(name) != ""


def allowed(size: int, limits: Limits) -> int:
    """How many bytes may come out of a file of ``size`` bytes."""
    return min(limits.total, max(_FREE_BYTES, int(size * limits.ratio)))


def bomb(most: int) -> Rejected:
    """The refusal of a file that expands past ``most`` bytes."""
    return Rejected(DECOMPRESSION_BOMB, f"expands past {most:,} bytes, the limit for a file of its size")


def members(path: str, size: int, limits: Limits) -> Iterator[Member]:
    """The byte streams in one file, in stored order; each is to be read before the next is asked for.

    Raises :class:`Rejected` with a file reason, or OSError, for damage that is not one member's alone.
    """
    lower, meter = path.lower(), _Meter(allowed(size, limits))
    system, inner = locate(path)
    if lower.endswith(".zip"):
        with system.open_input_file(inner) as file:
            yield from _zip(path, io.BytesIO(file.read()) if size < _SMALL else file, meter)
    elif lower.endswith(TARS):
        with system.open_input_stream(inner, compression=None) as file, _expanded(path, file, size, meter) as stream:
            yield from _tar(path, stream, meter)
    elif not kind_of(path):
        raise Rejected(UNSUPPORTED_FILE, f"expected one of {' '.join(KINDS)} (.gz .zst .bz2 .zip .tar.gz): {path}")
    else:
        with system.open_input_stream(inner, compression=None) as file:
            yield Member(path, kind_of(path), partial(_expanded, path, file, size, meter))


@contextmanager
def _expanded(name: str, file: IO[bytes] | pa.NativeFile, size: int, meter: "_Meter") -> Iterator[IO[bytes]]:
    """The stream of ``size`` bytes without its compression, metered; as it is when its name tells of none."""
    lower = name.lower()
    codec = next((codec for suffix, codec in COMPRESSIONS.items() if lower.endswith(suffix)), None)
    if codec is None:
        yield file
        return
    if not size:
        raise Rejected(CORRUPT_FILE, f"empty; expected {codec} data")
    native = file if isinstance(file, pa.NativeFile) else pa.PythonFile(file, mode="r")
    yield _Bounded(pa.CompressedInputStream(native, codec), meter)  # type: ignore[misc]


def _zip(path: str, file: IO[bytes] | pa.NativeFile, meter: "_Meter") -> Iterator[Member]:
    with _damage("not a readable zip"):
        archive = zipfile.ZipFile(file)
        _require_all(archive, file)
    names = _Names(path)
    for info in archive.infolist():
        if not info.filename.endswith("/") and not _is_hidden(info.filename):  # is_dir needs a name, which may be empty
            yield Member(names.add(info.filename), kind_of(info.filename), partial(_unzipped, archive, info, meter))


def _require_all(archive: zipfile.ZipFile, file: IO[bytes] | pa.NativeFile) -> None:
    """zipfile reads the directory by its size: where a size in it is damaged, members are lost. Their number is told at
    the end (its last 16 bits; all ones where it is told elsewhere, in the records of zip64)."""
    file.seek(-_ZIP_END - len(archive.comment), os.SEEK_END)
    end = file.read(_ZIP_END)
    told, found = int.from_bytes(end[10:12], "little"), len(archive.infolist())
    if end.startswith(b"PK\5\6") and told not in (found & 0xFFFF, 0xFFFF):
        raise zipfile.BadZipFile(f"{told:,} members by the end of its directory, {found:,} in it")


@contextmanager
def _unzipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo, meter: "_Meter") -> Iterator[IO[bytes]]:
    if info.flag_bits & 1:
        raise Rejected(UNSUPPORTED_FILE, "encrypted; expected a zip without a password")
    with _damage("not a readable member of the zip"):
        data = archive.open(info)
    with data, _expanded(info.filename, _Bounded(data, meter), info.file_size, meter) as stream:  # type: ignore[arg-type]
        yield stream


def _tar(path: str, stream: IO[bytes], meter: "_Meter") -> Iterator[Member]:
    names = _Names(path)
    with _damage("not a readable tar"):
        archive = tarfile.open(fileobj=stream, mode="r|", tarinfo=_StrictHeader)  # noqa: SIM115 (the stream is closed by its owner)
    while True:
        with _damage("not a readable tar"):
            info = archive.next()
            data = info and info.isfile() and not _is_hidden(info.name) and archive.extractfile(info)
        if info is None:
            break
        if data:
            opened = partial(_expanded, info.name, _Bounded(data, meter), info.size, meter)  # type: ignore[arg-type]
            yield Member(names.add(info.name), kind_of(info.name), opened)
    _require_end(archive)


def _require_end(archive: tarfile.TarFile) -> None:
    """Read on to the stream's end, where compression has its checksum: nothing but zeros follows a tar's end."""
    rest: IO[bytes] = archive.fileobj  # type: ignore[assignment]
    for block in iter(partial(rest.read, _READ_BYTES), b""):
        if block.strip(b"\0"):
            what = "more follows the end of the archive; give archives that were joined as files of their own"
            raise Rejected(CORRUPT_FILE, what)


class _StrictHeader(tarfile.TarInfo):
    """tarfile takes a damaged or missing header for the end of the archive, and the members after it are lost."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_StrictHeader":
        try:
            return super().frombuf(buf, encoding, errors)  # type: ignore[return-value]
        except tarfile.HeaderError as error:
            if len(buf) == tarfile.BLOCKSIZE and not any(buf):
                raise
            raise tarfile.ReadError(f"a header cannot be read: {error}") from error


class _Names:
    """Names for the members of one archive: a second member of one name gets a number."""

    def __init__(self, archive: str):
        self._archive, self._times, self._given = archive, Counter[str](), set[str]()

    def add(self, name: str) -> str:
        given = writable = name.encode("utf-8", "backslashreplace").decode()
        while given in self._given:
            self._times[writable] += 1
            given = f"{writable}#{self._times[writable] + 1}"
        self._given.add(given)
        return f"{self._archive}!{given}"


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) and part not in (".", "..") for part in name.split("/"))


class _Meter:
    """How many bytes came out of a file, and how many may."""

    def __init__(self, most: int):
        self._most, self.given = most, 0

    def count(self, size: int) -> None:
        self.given += size
        if self.given > self._most:
            raise bomb(self._most)


class _Bounded:
    """A stream on a meter, whose codec's errors are a file reason."""

    def __init__(self, stream: IO[bytes], meter: _Meter):
        self._stream, self._meter, self.closed = stream, meter, False

    def read(self, size: int) -> bytes:
        with _damage("damaged", self._meter):
            data = self._stream.read(size)
        self._meter.count(len(data))
        return data

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


@contextmanager
def _damage(what: str, meter: _Meter | None = None) -> Iterator[None]:
    """Errors of codecs and archives are a file reason; what the system cannot read (they have a number) is not."""
    try:
        yield
    except (NotImplementedError, lzma.LZMAError) as error:
        raise Rejected(UNSUPPORTED_FILE, f"{what}: {error}") from error
    except (OSError, *_ERRORS) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        where = f" (after {meter.given:,} expanded bytes)" if meter else ""
        raise Rejected(CORRUPT_FILE, f"{what}: {error}{where}") from error


_ERRORS = (EOFError, ValueError, RuntimeError, struct.error, zlib.error, zipfile.BadZipFile, tarfile.TarError)
