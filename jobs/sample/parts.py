"""How do the records of a part become its file, and where in it does each conversation and each broken record stand?"""

import gzip
import json
from pathlib import Path
from random import Random
from typing import NamedTuple

from jobs.sample.broken import Broken, csv_line, csv_records, json_records
from jobs.sample.conversations import Chat, compose
from jobs.sample.formats import JSON, csv_row
from jobs.sample.lmsys import write_parquet

FILES = {
    "sharegpt": "sharegpt/part.json",
    "messages": "messages/chat_record_0.jsonl.gz",
    "samantha": "samantha/samantha.jsonl",
    "alpaca": "alpaca/alpaca.jsonl",
    "csv": "csv/pairs.csv",
}
PARQUET = ("lmsys/train-00000-of-00002.parquet", "lmsys/train-00001-of-00002.parquet")
TRUNCATED = "messages/broken.jsonl.gz"
"""A gzip file that ends in the middle: no record of it may be used."""
WITH_IDS = ("lmsys", "sharegpt", "messages")
"""Parts whose records carry the conversation's id."""

_SOUND_START = 3
"""So many sound records come first, for readers that tell the format from the beginning."""


class Place(NamedTuple):
    """Record ``record`` (from 0; a CSV's header does not count) of ``file``: a conversation, or why there is none."""

    file: str
    record: int
    chat: Chat | None
    reason: str | None


def write_parts(folder: Path, chats: list[Chat], rng: Random) -> list[Place]:
    """Every file of the sample but the truth; returns all records in the order of the files."""
    places = _write_lmsys(folder, [chat for chat in chats if chat.home == "lmsys"], rng)
    for part, file in FILES.items():
        sound = [(_encoded(chat), chat) for chat in chats if chat.home == part]
        broken = csv_records(rng) if part == "csv" else json_records(part, rng)
        records = _mixed(sound, broken, rng)
        _write(folder / file, part, [data for data, _, _ in records])
        places += [Place(file, i, chat, reason) for i, (_, chat, reason) in enumerate(records)]
    _write_truncated(folder / TRUNCATED, rng)
    return places


def _write_lmsys(folder: Path, chats: list[Chat], rng: Random) -> list[Place]:
    half = (len(chats) + 1) // 2
    places = []
    for file, part in zip(PARQUET, (chats[:half], chats[half:]), strict=True):
        write_parquet(_made(folder / file), part, rng)
        places += [Place(file, i, chat, None) for i, chat in enumerate(part)]
    return places


def _mixed(
    sound: list[tuple[bytes, Chat]], broken: list[Broken], rng: Random
) -> list[tuple[bytes, Chat | None, str | None]]:
    """The broken records at random places among the sound ones: bytes, chat, reason."""
    records: list[tuple[bytes, Chat | None, str | None]] = [(data, chat, None) for data, chat in sound]
    for reason, data in broken:
        at = min(_SOUND_START, len(records)) + int(rng.random() * max(1, len(records) - _SOUND_START))
        records.insert(at, (data, None, reason))
    return records


def _encoded(chat: Chat) -> bytes:
    if chat.home == "csv":
        return csv_line(csv_row(chat))
    return json.dumps(JSON[chat.home](chat), ensure_ascii=chat.home == "sharegpt").encode()


def _write(path: Path, part: str, records: list[bytes]) -> None:
    if part == "csv":
        data = b"prompt,response\n" + b"".join(records)
    elif part == "sharegpt":
        data = b"[\n" + b",\n".join(records) + b"\n]\n"
    else:
        data = b"".join(record + b"\n" for record in records)
    _made(path).write_bytes(_zipped(data) if path.suffix == ".gz" else data)


def _write_truncated(path: Path, rng: Random) -> None:
    lines = [_encoded(compose("messages", rng)) for _ in range(50)]
    data = _zipped(b"\n".join(lines))
    _made(path).write_bytes(data[: len(data) * 2 // 3])


def _zipped(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=6, mtime=0)


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
