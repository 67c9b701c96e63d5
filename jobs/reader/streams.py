"""Byte streams that know where they are: a looked-at head, the lines of one split, text lines for the csv module."""

from collections.abc import Iterator
from typing import IO

import pyarrow as pa

from jobs.reader.records import BLOCK, SAMPLE
from jobs.reader.sniff import HEAD

_BOM = b"\xef\xbb\xbf"


class HeadedStream:
    """A stream whose head was looked at. ``read`` gives the head first, then the rest, without a leading BOM.

    ``offset`` is where the first given byte stood, ``position`` where the next one stands. The head holds at least one
    whole line unless that line is longer than ``limit``.
    """

    def __init__(self, stream: IO[bytes], limit: int):
        self.head = stream.read(HEAD)
        while b"\n" not in self.head and len(self.head) <= limit and (more := stream.read(HEAD)):
            self.head += more
        self.offset = self.position = bom_length(self.head)
        self._pending, self._stream = self.head[self.offset :], stream

    def read(self, size: int) -> bytes:
        data, self._pending = self._pending or self._stream.read(size), b""
        self.position += len(data)
        return data


class SplitStream:
    """The whole lines of a file that begin in [offset, end).

    A line begun before the split is another split's: it is skipped and ``is_inside`` says so. The last line is given
    to its end, wherever that is.
    """

    def __init__(self, file: pa.NativeFile, start: int, end: int):
        self._file, self._end, self._is_open = file, end, False
        self.offset = start if start == 0 else self._next_line(start - 1)
        self.is_inside = self.offset != start
        self.position = self.offset
        file.seek(self.offset)

    def _next_line(self, at: int) -> int:
        self._file.seek(at)
        while block := self._file.read(1 << 16):
            if (found := block.find(b"\n")) >= 0:
                return at + found + 1
            at += len(block)
        return at

    def read(self, size: int) -> bytes:
        if self.position < self._end:
            block = self._file.read(min(size, self._end - self.position))
        elif self._is_open:
            line, newline, _ = self._file.read(1 << 16).partition(b"\n")
            block = line + newline
        else:
            return b""
        self.position += len(block)
        self._is_open = block != b"" and not block.endswith(b"\n")
        return block


class TextLines:
    """Lines of text for the csv module. ``position`` is the next line's byte; ``seen`` the bytes since ``mark``.

    Bytes that are not UTF-8 become lone surrogates, so that one bad row does not end the file.
    """

    def __init__(self, stream: IO[bytes]):
        self._stream, self.seen, self.position = stream, b"", 0

    def __iter__(self) -> Iterator[str]:
        rest = b""
        while block := self._stream.read(BLOCK):
            *whole, rest = (rest + block).split(b"\n")
            yield from (self._give(line + b"\n") for line in whole)
        if rest:
            yield self._give(rest)

    def _give(self, line: bytes) -> str:
        skipped = bom_length(line) if self.position == 0 else 0
        self.position += len(line)
        self.seen = (self.seen + line)[:SAMPLE] if len(self.seen) < SAMPLE else self.seen
        return line[skipped:].decode("utf-8", "surrogateescape")

    def mark(self) -> int:
        """Begin a new record here; returns its byte position."""
        self.seen = b""
        return self.position


def bom_length(head: bytes) -> int:
    """Bytes of a UTF-8 byte order mark at the head: 3 or 0."""
    return len(_BOM) if head.startswith(_BOM) else 0
