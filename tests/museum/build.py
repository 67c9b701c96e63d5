"""Damaged and hostile files that are too big or too binary to keep: made anew, always the same bytes."""

import bz2
import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from tests.formats.records import LABEL

LINE = (
    b'{"id": "g%d", "messages": [{"role": "user", "content": "%s"}, {"role": "assistant", "content": "Answer %d."}]}\n'
)


def lines(count: int) -> bytes:
    """So many sound records, which hardly compress."""
    noise = bytes(range(97, 123))
    return b"".join(LINE % (n, bytes(noise[(n * k * k + k) % 26] for k in range(400)), n) for n in range(count))


def gz(data: bytes) -> bytes:
    return gzip.compress(data, 6, mtime=0)


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(data)


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return out.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def parquet(count: int, **options: object) -> bytes:
    """LMSYS-like records in row groups of 50."""
    record = {
        "model": "vicuna-13b",
        "turn": 1,
        "language": "English",
        "openai_moderation": [LABEL, LABEL],
        "redacted": False,
    }
    rows = [
        {**record, "conversation_id": f"c{n}", "conversation": [_message("user", n), _message("assistant", n)]}
        for n in range(count)
    ]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out, row_group_size=50, **options)
    return out.getvalue()


def _message(role: str, number: int) -> dict[str, str]:
    return {"content": f"{role} says {number} " * 20, "role": role}


def flipped(data: bytes, at: float) -> bytes:
    """One bit of the byte at this share of the data is the other one."""
    where = int(len(data) * at)
    return data[:where] + bytes([data[where] ^ 4]) + data[where + 1 :]


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _encrypted() -> bytes:
    """A zip whose member says it is encrypted."""
    data = bytearray(zipped({"a.jsonl": lines(3)}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _lacks_members() -> bytes:
    """A zip of two members; the first one's entry in the directory says that a long comment follows, so hides the
    second one's."""
    data = bytearray(zipped({"a.jsonl": lines(3), "b.jsonl": lines(3)}))
    data[data.index(b"PK\x01\x02") + 33] = 1
    return bytes(data)


def _damaged_header() -> bytes:
    """A tar of two members; the second one's header has a wrong checksum."""
    data = bytearray(tarred({"a.jsonl": lines(3), "b.jsonl": lines(3)}))
    data[data.index(b"b.jsonl")] = 120
    return bytes(data)


def _padded(megabytes: int) -> bytes:
    """Sound records that compress a thousandfold."""
    return (LINE % (1, b"0" * 4000, 1)) * (megabytes * 244)


def _two_of_one_name() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for count in (2, 3):
            info = tarfile.TarInfo("a.jsonl")
            info.size = len(lines(count))
            archive.addfile(info, io.BytesIO(lines(count)))
    return out.getvalue()


_PAIR = {"a.jsonl": lines(200), "b.jsonl": lines(200)}

FAILED: dict[str, tuple[Callable[[], bytes], str]] = {
    "truncated.jsonl.gz": (lambda: _half(gz(lines(500))), "corrupt_file"),
    "truncated.jsonl.zst": (lambda: _half(zst(lines(500))), "corrupt_file"),
    "truncated.jsonl.bz2": (lambda: _half(bz2.compress(lines(500))), "corrupt_file"),
    "truncated.zip": (lambda: _half(zipped(_PAIR)), "corrupt_file"),
    "truncated.tar": (lambda: _half(tarred(_PAIR)), "corrupt_file"),
    "truncated.tar.gz": (lambda: gz(tarred(_PAIR))[:-200], "corrupt_file"),
    "truncated.tar.zst": (lambda: _half(zst(tarred(_PAIR))), "corrupt_file"),
    "truncated.parquet": (lambda: _half(parquet(200)), "corrupt_file"),
    "no_end_of_archive.tar": (lambda: tarred({"a.jsonl": lines(3)})[:2048], "corrupt_file"),
    "two_tars.tar": (lambda: tarred({"a.jsonl": lines(3)}) + tarred({"b.jsonl": lines(3)}), "corrupt_file"),
    "two_tars.tar.gz": (lambda: gz(tarred({"a.jsonl": b""})) + gz(tarred({"b.jsonl": lines(3)})), "corrupt_file"),
    "no_tar.tar": (lambda: lines(50), "corrupt_file"),
    "flipped.jsonl.gz": (lambda: flipped(gz(lines(500)), 0.5), "corrupt_file"),
    "flipped_checksum.jsonl.gz": (lambda: flipped(gz(lines(500)), 0.99999), "corrupt_file"),
    "flipped.jsonl.zst": (lambda: flipped(zst(lines(500)), 0.5), "corrupt_file"),
    "flipped.jsonl.bz2": (lambda: flipped(bz2.compress(lines(500)), 0.5), "corrupt_file"),
    "flipped.zip": (lambda: flipped(zipped({"a.jsonl": lines(500)}), 0.5), "corrupt_file"),
    "flipped_header.tar": (_damaged_header, "corrupt_file"),
    "flipped.tar.gz": (lambda: flipped(gz(tarred(_PAIR)), 0.9), "corrupt_file"),
    "flipped_page.parquet": (
        lambda: flipped(parquet(200, write_page_checksum=True, compression="NONE"), 0.3),
        "corrupt_file",
    ),
    "damaged_name.parquet": (lambda: parquet(3).replace(b"redacted", b"redacte\xff"), "corrupt_file"),
    "lacks_rows.parquet": (lambda: parquet(3).replace(b"\x16\x06\x26", b"\x16\x04\x26"), "corrupt_file"),
    "no_gzip.jsonl.gz": (lambda: lines(3), "corrupt_file"),
    "empty.jsonl.gz": (lambda: b"", "corrupt_file"),
    "garbage_after.jsonl.gz": (lambda: gz(lines(3)) + b"garbage", "corrupt_file"),
    "empty.parquet": (lambda: b"", "corrupt_file"),
    "encrypted.zip": (_encrypted, "unsupported_file"),
    "readme.zip": (lambda: zipped({"readme.txt": b"Hello."}), "unsupported_file"),
    "lacks_members.zip": (lambda: _lacks_members(), "corrupt_file"),
    "no_name.zip": (lambda: zipped({"x.jsonl": lines(3)}).replace(b"x.jsonl", b"\0.jsonl"), "unsupported_file"),
    "zip_in.zip": (lambda: zipped({"a.zip": zipped(_PAIR)}), "unsupported_file"),
    "gzip_named.jsonl": (lambda: gz(lines(3)), "unsupported_file"),
    "bomb.jsonl.gz": (lambda: gz(_padded(300)), "decompression_bomb"),
    "bomb.zip": (lambda: zipped({"a.jsonl": _padded(150)}), "decompression_bomb"),
    "bomb_in_bomb.zip": (lambda: zipped({"a.jsonl.gz": gz(_padded(150))}), "decompression_bomb"),
    "bomb_of_many.zip": (lambda: zipped({f"{n}.jsonl": _padded(30) for n in range(5)}), "decompression_bomb"),
    "bomb.csv.bz2": (
        lambda: bz2.compress(b"prompt,response\n" + (b"0," + b"0" * 4000 + b"\n") * 25_000),
        "decompression_bomb",
    ),
}
"""File -> its bytes, and the reason for which it, or a member of it, is refused."""

READ: dict[str, tuple[Callable[[], bytes], int]] = {
    "sound.jsonl.gz": (lambda: gz(lines(50)), 50),
    "sound.jsonl.zst": (lambda: zst(lines(50)), 50),
    "sound.jsonl.bz2": (lambda: bz2.compress(lines(50)), 50),
    "sound.zip": (lambda: zipped(_PAIR), 400),
    "stored.zip": (lambda: zipped(_PAIR, zipfile.ZIP_STORED), 400),
    "sound.tar": (lambda: tarred(_PAIR), 400),
    "sound.tar.gz": (lambda: gz(tarred(_PAIR)), 400),
    "sound.tar.zst": (lambda: zst(tarred(_PAIR)), 400),
    "sound.parquet": (lambda: parquet(120), 120),
    "two_gzip_members.jsonl.gz": (lambda: gz(lines(50)) + gz(lines(50)), 100),
    "two_zstd_frames.jsonl.zst": (lambda: zst(lines(50)) + zst(lines(50)), 100),
    "gzip_of_nothing.jsonl.gz": (lambda: gz(b""), 0),
    "no_rows.parquet": (lambda: _without_rows(), 0),
    "parquet_in.zip": (lambda: zipped({"a.parquet": parquet(120)}), 120),
    "gzip_in.zip": (lambda: zipped({"a.jsonl.gz": gz(lines(50)), ".hidden": b"", "b/__MACOSX/": b""}), 50),
    "csv_in.tar.gz": (lambda: gz(tarred({"a/b.csv": b"prompt,response\nHi,Hello\n"})), 1),
    "tsv_in.zip": (lambda: zipped({"a/b.TSV": b"prompt\tresponse\nHi,\tHello\n"}), 1),
    "tabs.tsv.gz": (lambda: gz(b"prompt\tresponse\nHi\t5,5\n"), 1),
    "two_of_one_name.tar.gz": (_two_of_one_name, 5),
    "folder.tar.gz": (lambda: gz(tarred({"./a.jsonl": lines(2), "./b/../c.jsonl": lines(3), "./.d/e.jsonl": b""})), 5),
    "nothing.zip": (lambda: zipped({}), 0),
    "document_of_2_mb.json": (lambda: _document(2_000_000), 1),
    "first_member_of_2_mb.json": (lambda: b"[\n" + _document(2_000_000) + b",\n" + _document(10) + b"]", 2),
}
"""File -> its bytes, and how many conversations it holds."""


def _without_rows() -> bytes:
    out = io.BytesIO()
    pq.write_table(pq.read_table(io.BytesIO(parquet(1))).slice(0, 0), out)
    return out.getvalue()


def _document(size: int) -> bytes:
    text = b'{\n  "id": "d%d",\n  "padding": "%s",\n  "messages": [{"role": "user", "content": "Hi"}]\n}\n'
    return text % (size, b"x" * size)


def build(folder: Path, name: str, make: Callable[[], bytes]) -> Path:
    """The file, in the folder."""
    path = folder / name
    path.write_bytes(make())
    return path
