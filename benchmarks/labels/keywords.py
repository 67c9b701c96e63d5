"""Keyword categories against human labels, and facts about identity against rows labelled by reading.

Sets: OpenAI's moderation set (Markov et al. 2023; 1,680 prompts), XSTest (Röttger et al. 2023), GPTFuzz (Yu et al.
2023), hate speech on Twitter (Davidson et al. 2017); ``identity.jsonl`` beside this file names rows of the corpora.
"""

import csv
import gzip
import json
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.labels import corpus, devpack, scores
from udfs import facts, keywords
from udfs.batch import Limits, batch_of

HARM = ("crime", "hate", "self_harm", "sexual", "violence")
_MODERATED = {"sexual": ("S", "S3"), "violence": ("V", "V2"), "self_harm": ("SH",), "hate": ("H", "H2")}
_LABELS = Path(__file__).with_name("identity.jsonl")

Talk = list[tuple[str, str]]


def main(data: Path) -> None:
    """Print one line a set and label."""
    safety = devpack.folder(data) / "safety"
    print(scores.HEAD)
    for lines in (
        _moderation(safety),
        _hate(safety),
        _xstest(safety),
        _gptfuzz(safety),
        _follow_ups(safety.parent),
        _identity(data),
    ):
        for each in lines:
            print(each, flush=True)
    print(_speed(data))


def _labelled(texts: list[str], role: str = "user") -> list[set[str]]:
    lists = keywords.shipped()
    column, roles = pa.array(texts, pa.string()), pa.array([role] * len(texts), pa.string())
    hits = keywords.find(column, roles, lists)
    return [set(each) for each in keywords.categories(hits, len(texts), lists).to_pylist()]


def _has(found: list[set[str]], *names: str) -> np.ndarray:
    return np.array([bool(each & set(names)) for each in found])


def _moderation(safety: Path) -> Iterable[str]:
    with gzip.open(
        safety / "openai__moderation-api-release/data/samples-1680.jsonl.gz", "rt", encoding="utf-8"
    ) as file:
        rows = [json.loads(line) for line in file]
    found = _labelled([row["prompt"] for row in rows])
    for category, keys in _MODERATED.items():
        is_told = np.array([any(row.get(key) is not None for key in keys) for row in rows])
        truth = np.array([any(row.get(key) for key in keys) for row in rows])
        yield scores.line("moderation", category, _has(found, category)[is_told], truth[is_told])
    truth = np.array([any(row.get(key) for key in ("S", "S3", "V", "V2", "SH", "H", "H2", "HR")) for row in rows])
    yield scores.line("moderation", "any harm", _has(found, *HARM), truth)


def _hate(safety: Path) -> Iterable[str]:
    rows = _csv(safety / "t-davidson__hate-speech-and-offensive-language/data/labeled_data.csv")
    found = _labelled([row["tweet"] for row in rows])
    yield scores.line(
        "tweets", "hate (hate speech)", _has(found, "hate"), np.array([row["class"] == "0" for row in rows])
    )
    truth = np.array([row["class"] in "01" for row in rows])
    yield scores.line("tweets", "hate (or offensive)", _has(found, "hate"), truth)


def _xstest(safety: Path) -> Iterable[str]:
    rows = _csv(safety / "paul-rottger__exaggerated-safety/xstest_prompts.csv")
    found = _has(_labelled([row["prompt"] for row in rows]), *HARM)
    truth = np.array([row["label"] == "unsafe" for row in rows])
    yield scores.line("XSTest", "any harm", found, truth)
    safe = ~truth
    print(f"<!-- XSTest: {int((found & safe).sum())} of {int(safe.sum())} safe prompts have a harm label -->")


def _gptfuzz(safety: Path) -> Iterable[str]:
    folder = safety / "sherdencooper__GPTFuzz/datasets"
    templates = [row["text"] for row in _csv(folder / "prompts/GPTFuzzer.csv")]
    plain = [row["prompt"] for row in _csv(safety / "paul-rottger__exaggerated-safety/xstest_prompts.csv")]
    arena = "arena_hard/lm-sys__arena-hard-auto/data/arena-hard-v0.1/question.jsonl"
    plain += [row["turns"][0]["content"] for row in _lines(safety.parent / arena)]
    truth = np.array([True] * len(templates) + [False] * len(plain))
    found = _has(_labelled(templates + plain), "jailbreak")
    yield scores.line("GPTFuzz templates; XSTest, Arena-Hard", "jailbreak", found, truth)
    questions = [row["text"] for row in _csv(folder / "questions/question_list.csv")]
    found = _has(_labelled(questions), *HARM)
    yield scores.line("GPTFuzz questions", "any harm", found, np.ones(len(questions), bool))
    answers = _csv(folder / "responses_labeled/evaluate.csv")
    truth = np.array([row["label"] == "0" for row in answers])
    found = _has(_labelled([row["Response"] for row in answers], "assistant"), "refusal")
    yield scores.line("GPTFuzz answers", "refusal", found, truth)


def _follow_ups(pack: Path) -> Iterable[str]:
    """MT-Bench's second turns, which go on from the first, against its first, each as a conversation of its own."""
    turns = [
        row["turns"]
        for row in _lines(pack / "mt_bench/lm-sys__FastChat/fastchat/llm_judge/data/mt_bench/question.jsonl")
    ]
    talks = [[("user", one[number]), ("assistant", "...")] for number in (1, 0) for one in turns]
    truth = np.arange(len(talks)) < len(turns)
    yield scores.line("MT-Bench, second turn or first", "needs_context", _judged(talks, "needs_context"), truth)


def _identity(data: Path) -> Iterable[str]:
    rows = [json.loads(line) for line in _LABELS.read_text("utf-8").splitlines()]
    talks = {
        name: _talks(data, name, {row["id"] for row in rows if row["file"] == name})
        for name in sorted({row["file"] for row in rows})
    }
    for fact in sorted({row["fact"] for row in rows}):
        told = [row for row in rows if row["fact"] == fact]
        found = _judged([talks[row["file"]][row["id"]] for row in told], fact)
        yield scores.line("rows read", fact, found, np.array([row["label"] for row in told]))


def _judged(talks: list[Talk], fact: str) -> np.ndarray:
    offsets = np.cumsum([0, *map(len, talks)])
    roles, contents = (pa.array([message[part] for talk in talks for message in talk], pa.string()) for part in (0, 1))
    batch = batch_of(roles, contents, offsets, pa.array(["und"] * len(roles)))
    return facts.judge(batch, [fact], Limits())[fact]


def _talks(data: Path, name: str, ids: set[str]) -> dict[str, Talk]:
    """Conversations of one file, by id: parquet in LMSYS's schema, or JSON by number of the record."""
    path = data / name if (data / name).exists() else devpack.folder(data) / name
    if path.suffix == ".parquet":
        table = pq.read_table(
            path, columns=["conversation_id", "conversation"], filters=[("conversation_id", "in", ids)]
        )
        rows = zip(table["conversation_id"].to_pylist(), table["conversation"].to_pylist(), strict=True)
        return {key: [(message["role"], message["content"]) for message in talk] for key, talk in rows}
    text = path.read_text("utf-8")
    records = json.loads(text) if path.suffix == ".json" else [json.loads(line) for line in text.splitlines()]
    return {str(number): _talk(record) for number, record in enumerate(records) if str(number) in ids}


def _talk(record: dict) -> Talk:
    if "messages" in record:
        return [(message["role"], message.get("content") or "") for message in record["messages"]]
    if "conversations" in record:
        roles = {"human": "user", "gpt": "assistant"}
        return [(roles[message["from"]], message["value"]) for message in record["conversations"]]
    return [("user", record["instruction"] + record["input"]), ("assistant", record["output"])]


def _speed(data: Path) -> str:
    found, lists = corpus.read(data / "corpus_10k/data/train-00000-of-00002.parquet"), keywords.shipped()
    keywords.find(found.contents.slice(0, 10), found.roles.slice(0, 10), lists)
    start = time.process_time()
    keywords.find(found.contents, found.roles, lists)
    return f"\nkeywords: {found.contents.nbytes / 1e6 / (time.process_time() - start):.0f} MB a CPU second"


def _lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
