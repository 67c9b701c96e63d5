"""Where do a command's lines go once nobody reads them (``winnow run ... 2>&1 | head``, a terminal that was closed)?"""

import errno
import os
from typing import Any, TextIO

_GONE = (errno.EPIPE, errno.EIO)


class Outlet:
    """A stream whose reader may leave: what is written then goes nowhere, and who writes goes on."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text, as far as somebody reads it."""
        try:
            return self._stream.write(text)
        except OSError as error:
            self._drop(error)
        return len(text)

    def flush(self) -> None:
        """Hand on what was written, as far as somebody reads it."""
        try:
            self._stream.flush()
        except OSError as error:
            self._drop(error)

    def _drop(self, error: OSError) -> None:
        """From now on to nowhere, for all that write to this descriptor: Python flushes it once more at its end."""
        if error.errno not in _GONE:
            raise error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
