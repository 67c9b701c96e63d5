"""Is the language right? ``langid_bench.jsonl`` (``text``, ``lang``, ``kind``) and the labels of ``corpus_10k``.

``main()`` prints a line for each goal with what was measured, the worst confusions and the speed. A label of ``und``
counts as wrong, but for the kinds that have no language.
"""

import json
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.labels import corpus
from udfs import language, sourcelabels

TOGETHER = ("sentence", "chat", "ui", "question", "len_40", "len_80", "len_160", "len_300")
NO_LANGUAGE = ("code_only", "url_only", "emoji_only")
MIN_CONFIDENCE = 0.5

Row = tuple[dict[str, str], str]


def macro(rows: list[Row]) -> float:
    """The mean over languages of the share, in percent, of each language's texts that were found right."""
    right = defaultdict(list)
    for row, code in rows:
        right[row["lang"]].append(row["lang"] == code)
    return 100 * float(np.mean([np.mean(each) for each in right.values()])) if right else float("nan")


def goals(rows: list[Row]) -> list[tuple[str, str, float]]:
    """Name, goal and measured percentage of each accuracy."""
    common = [each for each in rows if each[0]["lang"] in language.COMMON]
    together = [e for e in common if e[0]["kind"] in TOGETHER or e[0]["kind"].startswith("nl+")]
    others = [e for e in rows if e[0]["lang"] not in language.COMMON | {"und"} and e[0]["kind"] == "sentence"]
    none = [code == "und" for row, code in rows if row["kind"] in NO_LANGUAGE]
    wrong = [code not in ("und", row["lang"]) for row, code in rows if len(row["text"]) >= 40]
    return [
        ("common languages, all kinds of sentence", ">= 98", macro(together)),
        ("common languages, 20 characters", ">= 94", macro([e for e in common if e[0]["kind"] == "len_20"])),
        ("other languages, sentences", ">= 88", macro(others)),
        ("code, links, emoji without a language", ">= 80", 100 * float(np.mean(none))),
        ("wrong label at 40 characters and more", "<= 1", 100 * float(np.mean(wrong))),
    ]


def confusions(rows: list[Row], most: int = 12) -> list[tuple[tuple[str, str], int]]:
    """The (true, found) pairs most often confused."""
    return Counter((row["lang"], code) for row, code in rows if row["lang"] != code).most_common(most)


def on_corpus(folder: Path) -> list[tuple[str, str, float]]:
    """Messages a second in one process, and conversations whose language is what the source says, where it says one."""
    found = corpus.read(folder / "data")
    contents, offsets = found.contents, found.offsets
    language.detect(contents[:100], MIN_CONFIDENCE)
    started = time.process_time()
    verdict = language.detect(contents, MIN_CONFIDENCE)
    speed = len(contents) / (time.process_time() - started)
    lengths, is_user = np.asarray(pc.utf8_length(contents)), np.asarray(pc.equal(found.roles, "user"))
    ours = language.of_conversations(verdict, lengths, is_user, offsets).to_pylist()
    pairs = [(sourcelabels.code(name), code) for name, code in zip(found.languages, ours, strict=True)]
    known = [theirs == code for theirs, code in pairs if theirs != "und"]
    return [
        ("messages/s, one core", ">= 15000", speed),
        ("conversations as labelled", ">= 99.5", 100 * float(np.mean(known))),
    ]


def main(data: Path) -> None:
    """Print the table."""
    bench = [json.loads(line) for line in (data / "langid_bench.jsonl").read_text("utf-8").splitlines()]
    codes = language.detect(pa.array([row["text"] for row in bench]), MIN_CONFIDENCE).codes.to_pylist()
    rows = list(zip(bench, codes, strict=True))
    odd = {name: value for name, _, value in goals(rows[1::2])}
    for name, goal, value in goals(rows):
        print(f"{name:42} {goal:>9} {value:10.2f}   odd lines {odd[name]:6.2f}")
    for name, goal, value in on_corpus(data / "corpus_10k"):
        print(f"{name:42} {goal:>9} {value:10.2f}")
    print("confused:", ", ".join(f"{true} as {found} {count}" for (true, found), count in confusions(rows)))
