"""Byte streams that know where they are: one with a looked-at head, and the lines of one split of a file."""

from typing import IO

import pyarrow as pa

from jobs.reader.sniff import HEAD
from jobs.refusals import UNSUPPORTED_FILE, Rejected

_BOM = b"\xef\xbb\xbf"
_MAGIC = {
    b"\x1f\x8b": "gzip (.gz)",
    b"\x28\xb5\x2f\xfd": "Zstandard (.zst)",
    b"BZh91AY&SY": "bzip2 (.bz2)",
    b"PK\x03\x04": "zip (.zip)",
    b"PAR1\x15": "Parquet (.parquet)",
    b"\xff\xfe": "UTF-16 text, which is not read",
    b"\xfe\xff": "UTF-16 text, which is not read",
}
_LINE = 1 << 16
_BLANKS = b" \t\r\n"


class HeadedStream:
    """A stream whose head was looked at. ``read`` gives the head first, then the rest, without a leading BOM.

    ``offset`` is where the first given byte stands, ``size`` how many bytes were given and skipped. The head holds at
    least one whole line unless that line is longer than ``limit``. Raises :class:`Rejected` for what is no text.
    """

    def __init__(self, stream: IO[bytes] | pa.NativeFile, limit: int):
        self._stream, self._limit = stream, limit
        self.head = stream.read(HEAD)
        while b"\n" not in self.head and self.look_further():
            pass
        _require_text(self.head)
        self.offset = self.size = bom_length(self.head)
        self._given = self.offset

    def look_further(self) -> bool:
        """Make the head longer, before anything was read. False: it is past the limit, or all there is."""
        more = self._stream.read(HEAD) if len(self.head) <= self._limit else b""
        self.head += more
        return more != b""

    def skip_blank_lines(self) -> None:
        """Begin with the first line that has more than blanks, before anything was read."""
        head, more = self.head[self._given :], b"more"
        while more:
            skipped = head.rfind(b"\n", 0, len(head) - len(head.lstrip(_BLANKS))) + 1
            head, self.offset, self.size = head[skipped:], self.offset + skipped, self.size + skipped
            is_blank = len(head) <= self._limit and not head.strip(_BLANKS)
            more = self._stream.read(HEAD) if is_blank else b""
            head += more
        self.head, self._given = head, 0

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        data = self.head[self._given : self._given + size]
        self._given += len(data)
        if not data:
            self.head = b""
            data = self._stream.read(size)
        self.size += len(data)
        return data


class SplitStream:
    """The whole lines of a file that begin in [start, end), without a BOM before the first.

    A line begun before the split is another split's: it is skipped and ``is_inside`` says so. The last line is given
    to its end, wherever that is. ``offset`` and ``size`` are as in :class:`HeadedStream`.
    """

    def __init__(self, file: pa.NativeFile, start: int, end: int):
        self._file, self._end, self._is_open = file, end, start == 0
        begin = self._next_line(start - 1) if start else 0
        self.is_inside = begin != start
        file.seek(begin)
        self.offset = begin if start else bom_length(file.read(len(_BOM)))
        self.size = self.offset - begin
        file.seek(self.offset)

    def _next_line(self, at: int) -> int:
        self._file.seek(at)
        while block := self._file.read(_LINE):
            if (found := block.find(b"\n")) >= 0:
                return at + found + 1
            at += len(block)
        return at

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; none at the end."""
        left = self._end - self._file.tell()
        if left > 0:
            block = self._file.read(min(size, left))
        elif self._is_open:
            block = self._rest_of_line(min(size, _LINE))
        else:
            return b""
        self.size += len(block)
        self._is_open = block != b"" and not block.endswith(b"\n")
        return block

    def _rest_of_line(self, size: int) -> bytes:
        line, newline, _ = self._file.read(size).partition(b"\n")
        return line + newline


def bom_length(head: bytes) -> int:
    """Bytes of a UTF-8 byte order mark at the head: 3 or 0."""
    return len(_BOM) if head.startswith(_BOM) else 0


def _require_text(head: bytes) -> None:
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            raise Rejected(UNSUPPORTED_FILE, f"expected text, as the file's name says; found {name}")
