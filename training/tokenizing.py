"""All rows of a corpus through the tokenizer, over all cores, in order, each accounted for; no files here."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from training.chat import ChatTokenizer
from training.corpus import Corpus
from training.encoding import Encoder, trained_ranges
from training.errors import TrainingError
from training.exchanges import Fitted, Rules, fit
from training.processes import WorkerLost, in_order

SPLITS = ("train", "eval")

SCHEMA = pa.schema(
    [
        ("row", pa.int64()),  # number of the conversation in the corpus' order
        ("input_ids", pa.list_(pa.int32())),
        ("trained", pa.list_(pa.int32())),  # start and end of each range of tokens with loss, end excluded
        ("trained_tokens", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Tokenized:
    """What some conversations became: token rows of each split, counts, and why the template refused the first one."""

    conversations: int
    rows: dict[str, pa.RecordBatch]
    counts: Counter[str] = field(default_factory=Counter)
    refusal: str = ""


def tokenize(corpus: Corpus, tokenizer: ChatTokenizer, rules: Rules, workers: int, rows: int) -> Iterator[Tokenized]:
    """The corpus in its order, some rows at a time; ``workers`` processes, 0 for one on each core this process may use,
    or where these are one or two for this process alone: its tokenizer uses both, and no process starts another.

    The result does not depend on ``workers``. Only the first ``rows`` conversations.
    Raises TrainingError if a worker process is killed.
    """
    cores = len(os.sched_getaffinity(0))
    workers = workers or (cores if cores > 2 else 1)
    tasks = _tasks(corpus.batches(["messages", "split"]), rows)
    if workers == 1 or rows <= 2000:  # processes take longer to start
        encoder = Encoder(tokenizer)
        yield from (_tokenized(encoder, batch, first, rules) for batch, first in tasks)
        return
    try:
        yield from in_order(_worker, (tokenizer, rules), tasks, workers)
    except WorkerLost as error:
        raise TrainingError(
            "a process that was tokenizing was killed, most likely for want of memory. Set data.workers lower."
        ) from error


def _tasks(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[tuple[pa.RecordBatch, int]]:
    """The batches of the first so many rows, each with the number of its first row."""
    done = 0
    for batch in batches:
        yield batch.slice(0, rows - done), done
        done += batch.num_rows
        if done >= rows:
            return


def _worker(tokenizer: ChatTokenizer, rules: Rules) -> Callable[[pa.RecordBatch, int], Tokenized]:
    """What a worker process does with a task."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes are the parallelism
    encoder = Encoder(tokenizer)
    return lambda batch, first: _tokenized(encoder, batch, first, rules)


def _tokenized(encoder: Encoder, batch: pa.RecordBatch, first: int, rules: Rules) -> Tokenized:
    fitted = fit(encoder, batch["messages"].to_pylist(), rules)
    splits = batch["split"].to_pylist()
    counts: Counter[str] = Counter()
    for split, one in zip(splits, fitted, strict=True):
        counts.update({f"{split}.rows": 1, f"{split}.{one.outcome}": 1})
        counts[f"{split}.exchanges_lost"] += one.exchanges_lost
        counts[f"{split}.tokens_lost"] += one.tokens_lost
    rows = {split: _token_rows(fitted, splits, split, first, rules.loss_on) for split in SPLITS}
    for split, made in rows.items():
        counts[f"{split}.token_rows"] += made.num_rows
        counts[f"{split}.tokens"] += len(made["input_ids"].flatten())
        counts[f"{split}.trained_tokens"] += int(np.sum(made["trained_tokens"].to_numpy()))
    refusal = next((one.reason for one in fitted if one.reason), "")
    return Tokenized(batch.num_rows, rows, counts, refusal)


def _token_rows(fitted: list[Fitted], splits: list[str], split: str, first: int, loss_on: str) -> pa.RecordBatch:
    """The token rows of one split as Arrow, by SCHEMA."""
    of_split = [(first + n, row) for n, one in enumerate(fitted) if splits[n] == split for row in one.rows]
    numbers, rows = [number for number, _ in of_split], [row for _, row in of_split]
    ranges = [trained_ranges(row, loss_on) for row in rows]
    trained = [int((one[:, 1] - one[:, 0]).sum()) for one in ranges]
    columns = [
        pa.array(numbers, pa.int64()),
        _lists([row.ids for row in rows]),
        _lists([one.ravel() for one in ranges]),
        pa.array(trained, pa.int32()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def _lists(arrays: list[np.ndarray]) -> pa.Array:
    ends = np.cumsum([0, *map(len, arrays)], dtype=np.int32)
    values = np.concatenate([np.empty(0, np.int32), *arrays]).astype(np.int32, copy=False)
    return pa.ListArray.from_arrays(ends, values)
