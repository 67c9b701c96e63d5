"""How a kernel becomes machine code: numba without the GIL, compiled once per machine and version of the source.

Kernels may call kernels of their own file and of this one, nothing else: the cache knows a kernel by the source of
those two files and would not see a change in a third.
"""

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types, uint32, uint64
from numba.core import cgutils
from numba.extending import intrinsic

_CONFIG: Any = numba.config
_intrinsic: Any = intrinsic


def compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code (``numba.njit``, releases the GIL), compiled for its argument types when called.

    The first call on a machine compiles: 6 s of one core for all kernels of tokens, shingles, minhash and verifying;
    later processes load them in 0.1 s. The cache is in the first of these folders that can be written:
    ``NUMBA_CACHE_DIR``, the module's ``__pycache__``, ``winnow-kernels-<uid>`` in the temporary folder (private to the
    user). It is found by the content of the source, so executors that get the package as a zip share it between runs.
    With no such folder, or no source, every process compiles for itself.
    """
    kernel = numba.njit(nogil=True)(function)
    chosen = _CONFIG.CACHE_LOCATOR_CLASSES
    _CONFIG.CACHE_LOCATOR_CLASSES = f"{__name__}.Place"  # numba reads the setting when caching is enabled, below
    try:
        kernel.enable_caching()
    except RuntimeError:  # numba's answer to "no place"
        pass
    finally:
        _CONFIG.CACHE_LOCATOR_CLASSES = chosen
    return kernel


class Place:
    """Where one kernel's machine code is stored, and for which source: a cache locator as numba documents them."""

    def __init__(self, folder: Path, digest: str, line: int):
        self.folder = folder
        self.digest = digest
        self.line = line

    @classmethod
    def from_function(cls, function: Callable[..., Any], _file: str) -> "Place | None":
        """The place for a function, or None: it has no source, or no folder can be written."""
        try:
            digest = _digest(function)
        except (KeyError, AttributeError, OSError):
            return None
        folder = _choose_folder(Path(function.__globals__["__file__"]).parent, digest)
        return cls(folder, digest, function.__code__.co_firstlineno) if folder else None

    def ensure_cache_path(self) -> None:
        """Make the folder, private to the user; it may be gone since it was chosen."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get_cache_path(self) -> str:
        """The folder of the cache's files."""
        return str(self.folder)

    def get_source_stamp(self) -> str:
        """What must be equal for cached code to be used."""
        return self.digest

    def get_disambiguator(self) -> str:
        """What tells functions of one name in one file apart."""
        return str(self.line)


def freeze(array: np.ndarray, kind: Any) -> np.ndarray:
    """The array as contiguous ``kind``, read-only: Arrow's buffers are, and one array type compiles only once."""
    view = np.ascontiguousarray(array, dtype=kind).view()
    view.flags.writeable = False
    return view


def _digest(function: Callable[..., Any]) -> str:
    """Digest of the source of the function's module and of this one, on disk or in a zip."""
    module = function.__globals__
    sources = module["__loader__"].get_data(module["__file__"]), globals()["__loader__"].get_data(__file__)
    return hashlib.blake2b(b"\0".join(sources), digest_size=16).hexdigest()


def _choose_folder(package: Path, digest: str) -> Path | None:
    """The first folder that can be written, one for each version of the source."""
    given = [Path(_CONFIG.CACHE_DIR, digest)] if _CONFIG.CACHE_DIR else []
    beside = package / "__pycache__" / digest
    return next(filter(_is_writable, [*given, beside, *_private_folders(digest)]), None)


def _private_folders(digest: str) -> Iterator[Path]:
    """A folder in the temporary folder, if nobody else can write there: what is cached will be run."""
    private = Path(tempfile.gettempdir(), f"winnow-kernels-{os.getuid()}")
    try:
        private.mkdir(mode=0o700, exist_ok=True)
        found = private.lstat()
    except OSError:
        return
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022:
        yield private / digest


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


@compiled
def mix(word: Any) -> Any:
    """A bijection of 64-bit words that spreads every input bit over all output bits (MurmurHash3's finaliser)."""
    word = uint64(word)
    word = (word ^ (word >> uint64(33))) * uint64(0xFF51AFD7ED558CCD)
    word = (word ^ (word >> uint64(33))) * uint64(0xC4CEB9FE1A85EC53)
    return word ^ (word >> uint64(33))


@_intrinsic
def byte_at(_typing: Any, data: Any, at: Any) -> Any:
    """The byte at place ``at`` of the data at an address, unchecked. A kernel that hands an array to another counts its
    users, which took a third of the time of kernels that look at every byte; an address is a number."""

    def load(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address = builder.inttoptr(builder.add(*arguments), ir.IntType(8).as_pointer())
        return builder.load(address)

    return types.uint8(types.uint64, types.uint64), load


@_intrinsic
def word_at(_typing: Any, data: Any, at: Any) -> Any:
    """Eight bytes as one word, wherever they stand, unchecked."""

    def load(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address = builder.inttoptr(builder.add(*arguments), ir.IntType(64).as_pointer())
        return builder.load(address, align=1)

    return types.uint64(types.uint64, types.uint64), load


@_intrinsic
def put_byte(_typing: Any, data: Any, at: Any, byte: Any) -> Any:
    """The byte to place ``at`` of the data at an address, unchecked."""

    def store(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address = builder.inttoptr(builder.add(*arguments[:2]), ir.IntType(8).as_pointer())
        builder.store(arguments[2], address)

    return types.void(types.uint64, types.uint64, types.uint8), store


@_intrinsic
def put_word(_typing: Any, data: Any, at: Any, word: Any) -> Any:
    """Eight bytes to place ``at`` of the data at an address, unchecked."""

    def store(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address = builder.inttoptr(builder.add(*arguments[:2]), ir.IntType(64).as_pointer())
        builder.store(arguments[2], address, align=1)

    return types.void(types.uint64, types.uint64, types.uint64), store


@_intrinsic
def put_bytes(_typing: Any, data: Any, at: Any, size: Any, target: Any, to: Any) -> Any:
    """``size`` bytes from place ``at`` of the data at an address to place ``to`` of the target at another, unchecked.
    They must not overlap. It is C's memcpy: to assign a slice took five times as long for texts of usual length."""

    def copy(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        begin, place, count, end, to_place = arguments
        ends = ((begin, place), (end, to_place))
        source, sink = (builder.inttoptr(builder.add(*pair), ir.IntType(8).as_pointer()) for pair in ends)
        cgutils.raw_memcpy(builder, sink, source, count, 1)

    return types.void(*[types.uint64] * 5), copy


@_intrinsic
def find_byte(_typing: Any, data: Any, at: Any, end: Any, byte: Any) -> Any:
    """The first place from ``at`` on of this byte in the data at an address, or ``end``. It is C's memchr."""

    def find(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        begin, place, stop, sought = arguments
        pointer, word, number = ir.IntType(8).as_pointer(), ir.IntType(64), ir.IntType(32)
        kind = ir.FunctionType(pointer, [pointer, number, word])
        memchr = cgutils.get_or_insert_function(builder.module, kind, "memchr")
        first = builder.inttoptr(builder.add(begin, place), pointer)
        found = builder.call(memchr, [first, builder.zext(sought, number), builder.sub(stop, place)])
        address = builder.ptrtoint(found, word)
        is_none = builder.icmp_unsigned("==", address, ir.Constant(word, 0))
        return builder.select(is_none, stop, builder.sub(address, begin))

    return types.uint64(types.uint64, types.uint64, types.uint64, types.uint8), find


@compiled
def has_zero_byte(word: Any) -> Any:
    """Is a byte of the word zero? The high bits of the first such byte, and maybe of later ones."""
    return (word - uint64(0x0101010101010101)) & ~word & uint64(0x8080808080808080)


@_intrinsic
def trailing_zeros(_typing: Any, word: Any) -> Any:
    """The number of zero bits below the lowest one bit of a word that has one."""

    def count(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), count


@compiled
def decode(data: Any, at: Any, end: Any) -> tuple[Any, Any]:
    """The code point at place ``at`` of the data at an address, and the place after it (both uint64 but for the code
    point, uint32); a broken sequence reads as U+FFFD, one byte long."""
    lead, one = uint32(byte_at(data, at)), uint64(1)
    if lead < 0x80:
        return lead, at + one
    width = uint64(2) if lead < 0xE0 else uint64(3) if lead < 0xF0 else uint64(4)
    if lead < 0xC2 or lead > 0xF4 or at + width > end:
        return uint32(0xFFFD), at + one
    code = lead & uint32(0xFF >> (width + one))
    for place in range(at + one, at + width):
        code = (code << uint32(6)) | (uint32(byte_at(data, place)) & uint32(0x3F))
    return min(code, uint32(0x10FFFF)), at + width
