"""Memory whose end is the end of what may be touched: a step past it ends the process."""

import ctypes
import mmap
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_NOTHING, _READ_WRITE = 0, 3


@contextmanager
def guarded() -> Iterator[np.ndarray]:
    """A page of bytes; the next one can be neither read nor written."""
    libc, size = ctypes.CDLL(None, use_errno=True), mmap.PAGESIZE
    pages = np.frombuffer(mmap.mmap(-1, 2 * size), np.uint8)
    next_page = ctypes.c_void_p(pages.ctypes.data + size)
    assert libc.mprotect(next_page, ctypes.c_size_t(size), _NOTHING) == 0
    try:
        yield pages[:size]
    finally:
        libc.mprotect(next_page, ctypes.c_size_t(size), _READ_WRITE)
