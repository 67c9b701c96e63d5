"""How fast is the strict reader? Records and megabytes a second per format, beside the bare library on the same bytes.

    python -m benchmarks.ingest [--megabytes 20] [--lmsys FOLDER] [--session]

Seconds of one core's time, best of five in turn, without Spark: what one task does to one split. ``--session`` adds
the fixed cost of a job: starting the JVM and the session, and committing to empty Delta tables.
"""

import argparse
import csv
import io
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pyarrow.compute as pc
import pyarrow.parquet as pq

from conf.settings import Input
from jobs.files import find
from jobs.reader import survey
from jobs.reader.read import read_split
from jobs.sample.generate import write_sample

_TIMES = 5

Turns = list[dict[str, str]]


def sharegpt(number: int, turns: Turns) -> dict[str, Any]:
    speakers = {"user": "human", "assistant": "gpt", "system": "system"}
    return {"id": f"s{number}", "conversations": [{"from": speakers[t["role"]], "value": t["content"]} for t in turns]}


def messages(number: int, turns: Turns) -> dict[str, Any]:
    return {"id": number, "messages": turns}


def samantha(number: int, turns: Turns) -> dict[str, Any]:
    names = {"user": "Theodore", "assistant": "Samantha"}
    return {"elapsed": 1.0, "conversation": "\n\n".join(f"{names[t['role']]}: {t['content']}" for t in turns)}


def alpaca(number: int, turns: Turns) -> dict[str, Any]:
    return {"instruction": turns[0]["content"], "input": "", "output": turns[-1]["content"]}


def openorca(number: int, turns: Turns) -> dict[str, Any]:
    return {"id": f"o{number}", "system_prompt": "", "question": turns[0]["content"], "response": turns[-1]["content"]}


def oasst(number: int, turns: Turns) -> dict[str, Any]:
    node: dict[str, Any] = {}
    for depth, turn in reversed(list(enumerate(turns))):
        role = "prompter" if turn["role"] == "user" else "assistant"
        text = {"message_id": f"{number}-{depth}", "text": turn["content"], "role": role, "lang": "en"}
        node = {**text, "replies": [node] if node else []}
    return {"message_tree_id": f"t{number}", "prompt": node}


def hh_rlhf(number: int, turns: Turns) -> dict[str, Any]:
    names = {"user": "Human", "assistant": "Assistant"}
    text = "".join(f"\n\n{names[t['role']]}: {t['content']}" for t in turns)
    return {"chosen": text, "rejected": text + " "}


def arena(number: int, turns: Turns) -> dict[str, Any]:
    sides = {"conversation_a": turns, "conversation_b": turns}
    return {"question_id": f"q{number}", "model_a": "a", "model_b": "b", "winner": "tie", "judge": "j", **sides}


def wildchat(number: int, turns: Turns) -> dict[str, Any]:
    talk = [{**turn, "language": "English", "toxic": False, "redacted": False} for turn in turns]
    labels = {"turn": len(turns) // 2, "language": "English", "toxic": False, "redacted": False}
    head = {"conversation_hash": f"w{number}", "model": "m", "timestamp": "2023-04-09T00:02:53"}
    return {**head, "conversation": talk, **labels}


MAKERS = (sharegpt, messages, samantha, alpaca, openorca, oasst, hh_rlhf, arena, wildchat)


def main() -> None:
    """Print the table."""
    options = _options()
    print(f"{'format':<22}{'records':>9}{'MB':>7}{'records/s':>11}{'MB/s':>8}{'bare MB/s':>11}{'times slower':>14}")
    with tempfile.TemporaryDirectory() as folder:
        chats = _chats(Path(folder))
        for maker in MAKERS:
            path = Path(folder) / f"{maker.__name__}.jsonl"
            _fill(path, maker, chats, options.megabytes * 1_000_000)
            _report(maker.__name__, path, _bare_lines)
        array = Path(folder) / "sharegpt.json"
        lines = (Path(folder) / "sharegpt.jsonl").read_bytes().splitlines()
        array.write_bytes(b"[" + b",\n".join(lines) + b"]")
        _report("sharegpt, one array", array, _bare_json)
        table = Path(folder) / "pairs.csv"
        _fill_csv(table, chats, options.megabytes * 1_000_000)
        _report("prompt_response csv", table, _bare_csv)
        lmsys = Path(options.lmsys) if options.lmsys else Path(folder) / "sample" / "lmsys"
        for path in sorted(lmsys.glob("*.parquet"))[:1]:
            _report("lmsys parquet", path, lambda found: pq.read_table(found))
    if options.session:
        _fixed_cost()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=20, help="size of each file made (default: 20)")
    parser.add_argument("--lmsys", help="folder of LMSYS-Chat-1M parquet files; default: our own sample")
    parser.add_argument("--session", action="store_true", help="measure the fixed cost of a Spark job too")
    return parser.parse_args()


def _chats(folder: Path) -> list[Turns]:
    write_sample(folder / "sample", conversations=10_000, seed=1)
    found = pq.read_table(folder / "sample" / "lmsys", columns=["conversation"]).column(0).to_pylist()
    plain = [[{"role": m["role"], "content": m["content"]} for m in chat if m["content"]] for chat in found]
    return [chat for chat in plain if [m["role"] for m in chat] == ["user", "assistant"] * (len(chat) // 2) and chat]


def _fill(path: Path, maker: Callable[[int, Turns], dict[str, Any]], chats: list[Turns], size: int) -> None:
    with path.open("wb") as out:
        number = 0
        while out.tell() < size:
            out.write(orjson.dumps(maker(number, chats[number % len(chats)])) + b"\n")
            number += 1


def _fill_csv(path: Path, chats: list[Turns], size: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["prompt", "response"])
        number = 0
        while out.tell() < size:
            chat = chats[number % len(chats)]
            writer.writerow([chat[0]["content"], chat[-1]["content"]])
            number += 1


def _report(name: str, path: Path, bare: Callable[[Path], Any]) -> None:
    size = path.stat().st_size / 1e6
    records, ours, theirs = _best(lambda: _read(path), lambda: bare(path))
    rates = f"{records / ours:>11,.0f}{size / ours:>8.1f}{size / theirs:>11.1f}{ours / theirs:>14.2f}"
    print(f"{name:<22}{records:>9,}{size:>7.1f}{rates}")


def _read(path: Path) -> int:
    """All of the file through the strict reader, in one split; returns its records."""
    options = Input(split_bytes=1_000_000_000)
    found = (survey.survey(chunk, options) for chunk in survey.chunks(find([str(path)]), options.split_bytes))
    count = 0
    for split in survey.splits(found):
        for batch in read_split(split, options):
            count += pc.sum(batch.column("records")).as_py() or 0
    return count


def _bare_lines(path: Path) -> int:
    return sum(1 for line in path.open("rb") if orjson.loads(line))


def _bare_json(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


def _bare_csv(path: Path) -> int:
    return sum(1 for _ in csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def _best(ours: Callable[[], Any], theirs: Callable[[], Any]) -> tuple[Any, float, float]:
    """What ours gives and the least time of each in turn, after one run that warms caches and compiles kernels."""
    result, _ = ours(), theirs()
    times = [(_seconds(ours), _seconds(theirs)) for _ in range(_TIMES)]
    return result, min(mine for mine, _ in times), min(their for _, their in times)


def _seconds(work: Callable[[], Any]) -> float:
    """Seconds of one core: what threads of a library do beside the main one counts too, waiting for a core does not."""
    started = time.process_time()
    work()
    return time.process_time() - started


def _fixed_cost() -> None:
    from jobs.session import open_session

    started = time.perf_counter()
    spark = open_session("benchmark", {"spark.master": "local[2]"})
    session = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(3):
            began = time.perf_counter()
            spark.range(0).write.format("delta").save(f"{folder}/{number}")
            print(f"empty Delta table {number + 1}: {time.perf_counter() - began:.1f} s")
    print(f"JVM and session: {session - started:.1f} s")
    spark.stop()


if __name__ == "__main__":
    main()
