"""Little lakes for the tests of versions: the dataset as ``publish`` commits it, written without Spark."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, write_deltalake

from conf import tables
from udfs import digest

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("conversation_id", "source", "model", "language")),
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("split", pa.string()),
        ("copies", pa.int64()),
        ("digest", pa.string()),
    ]
)


def conversation(number: int, text: str = "") -> list[dict[str, str]]:
    """Two to five messages; the first is told apart by ``number``."""
    roles = ["system", "user", "assistant", "user", "assistant"]
    first = 1 if number % 2 else 0
    return [{"role": role, "content": f"{text}{role} {number} é 漢"} for role in roles[first : first + 2 + number % 3]]


def rows_of(conversations: list[list[dict[str, str]]], prefix: str = "c") -> pa.Table:
    """Dataset rows of these messages; every tenth is in split ``eval``."""
    digests = content_digests(conversations)
    rows = [
        {
            "conversation_id": f"{prefix}{number}",
            "source": "chat",
            "model": "m" if number % 2 else None,
            "language": "en",
            "messages": messages,
            "split": "eval" if number % 10 == 9 else "train",
            "copies": 1,
            "digest": digests[number],
        }
        for number, messages in enumerate(conversations)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def content_digests(conversations: list[list[dict[str, str]]]) -> list[str]:
    """The content digest of each conversation, by the kernel that annotate uses."""
    messages = [message for conversation in conversations for message in conversation]
    roles, contents = (pa.array([message[key] for message in messages], pa.string()) for key in ("role", "content"))
    offsets = np.cumsum([0, *map(len, conversations)])
    found: list[str] = digest.conversations(roles, contents, offsets).to_pylist()
    return found


def dataset_digest(rows: pa.Table) -> str:
    """The dataset digest, written out plainly from its definition."""
    lanes = [0, 0, 0, 0]
    for row in rows.to_pylist():
        name, source = row["conversation_id"], row["source"]
        text = f"{len(name)}:{name}|{len(source)}:{source}|{row['split']}|{row['digest']}"
        found = hashlib.sha256(text.encode()).hexdigest()
        lanes = [(lane + int(found[15 * n : 15 * n + 15], 16)) % 2**60 for n, lane in enumerate(lanes)]
    return f"{rows.num_rows}-" + "".join(f"{lane:015x}" for lane in lanes)


def make_lake(folder: Path, *sizes: int) -> str:
    """A lake with one published version for each size; version ``n`` holds conversations ``v<n>-0``, ``v<n>-1``..."""
    folder.mkdir()
    (folder / tables.MARKER).write_text(json.dumps({"layout": tables.LAYOUT}))
    for version, size in enumerate(sizes):
        texts = [conversation(number, f"v{version} ") for number in range(size)]
        publish(str(folder), rows_of(texts, f"v{version}-"))
    return str(folder)


def publish(lake: str, rows: pa.Table, recorded: str | None = None, **options: Any) -> int:
    """Overwrite the dataset with ``rows``, with lineage as Spark would; returns the version."""
    lineage = {
        "run_id": "0" * 16,
        "job": "publish",
        "recipe": "smoke",
        "config_digest": "c" * 64,
        "code_version": "1.0.0",
        "inputs": {tables.CONVERSATIONS: 1},
        "counts": {"kept": rows.num_rows},
        "digest": recorded or dataset_digest(rows),
    }
    note = CommitProperties({"userMetadata": json.dumps(lineage)})
    write_deltalake(f"{lake}/{tables.DATASET}", rows, mode="overwrite", commit_properties=note, **options)
    return DeltaTable(f"{lake}/{tables.DATASET}").version()


def publish_in_files(lake: str, rows: pa.Table) -> int:
    """Publish ``rows`` as two data files."""
    half = rows.num_rows // 2
    return publish(lake, pa.concat_tables([rows.slice(0, half), rows.slice(half)]), target_file_size=1)


def commit_file(lake: str, version: int, table: str = tables.DATASET) -> Path:
    """Where a version's commit file is."""
    return Path(lake) / table / "_delta_log" / f"{version:020d}.json"


def data_files(lake: str, version: int) -> list[Path]:
    """The data files of a version of the dataset."""
    return [Path(path) for path in DeltaTable(f"{lake}/{tables.DATASET}", version=version).file_uris()]


def set_time(lake: str, version: int, milliseconds: int) -> None:
    """Let a version's commit say it was made at this moment."""
    path = commit_file(lake, version)
    actions = [json.loads(line) for line in path.read_text().splitlines()]
    for action in actions:
        if "commitInfo" in action:
            action["commitInfo"]["timestamp"] = milliseconds
    path.write_text("".join(json.dumps(action) + "\n" for action in actions))
