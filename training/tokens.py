"""Every conversation of a corpus as tokens, made once and memory-mapped by every rank.

Example:
    prepared = prepare(corpus, "/models/zephyr-7b-beta", settings)      # before any process group
    prepared = open_prepared(prepared.folder)                           # in every rank, milliseconds
"""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

from conf.recipe import digest
from conf.training import Data, Training
from training import trainable
from training.chat import load_tokenizer
from training.corpus import Corpus
from training.errors import TrainingError
from training.exchanges import OUTCOMES, Rules
from training.token_file import Split, writing
from training.tokenizing import SCHEMA, SPLITS, Tokenized, tokenize

FORMAT = 2
"""Raised when the same input would become other rows: caches of another format are not used."""

MARKER = "prepared.json"

Progress = Callable[[int, int], None]
"""Called with conversations done and conversations in all."""


@dataclass(frozen=True)
class Prepared:
    """A token cache: the rows of both splits, what became of every conversation, and what it was made from.

    ``stats`` has for each split (``train.``, ``eval.``): ``rows`` conversations, which is the sum of the outcomes in
    ``training.exchanges.OUTCOMES``; ``token_rows``, ``tokens``, ``trained_tokens``, ``exchanges_lost``,
    ``tokens_lost``. ``digests``: ``dataset``, ``tokenizer``, ``template``, ``options``. ``refusal`` is why the template
    refused the first conversation that it refused, if any.
    """

    folder: str
    train: Split
    eval: Split
    stats: dict[str, int | float]
    digests: dict[str, str]
    refusal: str = ""

    @property
    def longest(self) -> int:
        """Tokens of the longest row of both splits."""
        return max((int(split.lengths.max()) for split in (self.train, self.eval) if len(split)), default=0)


def prepare(corpus: Corpus, tokenizer_folder: str, settings: Training, progress: Progress | None = None) -> Prepared:
    """The cache for these rows, this tokenizer and these settings; made if there is none yet, over all cores.

    Safe to call from several processes at once, also on several nodes that share the folder: one cache results.
    Raises RunRefused if the tokenizer or its template cannot be used, or if the rows give nothing to train or to
    evaluate on (``training.trainable``), TrainingError if the folder cannot be written.
    """
    made = look(corpus, tokenizer_folder, settings, corpus.rows, progress)
    trainable.check(made.stats, made.refusal, settings.data)
    return made


def look(
    corpus: Corpus, tokenizer_folder: str, settings: Training, rows: int, progress: Progress | None = None
) -> Prepared:
    """The cache of only the first ``rows`` conversations, or of all where there is one; suitable or not."""
    tokenizer = load_tokenizer(tokenizer_folder, settings.base.template, settings.base.new_tokens)
    rules = Rules(settings.data.max_tokens, settings.data.loss_on, settings.data.long)
    digests = {
        "dataset": corpus.digest,
        "tokenizer": tokenizer.digest,
        "template": tokenizer.template.digest,
        "options": digest(Data(**asdict(rules))),
    }
    folder = _folder(settings, digests)
    if rows < corpus.rows and not (folder / MARKER).exists():
        folder = folder.with_name(f"{folder.name}-first-{rows}")
    with _writable(folder.parent), _locked(folder):
        if not (folder / MARKER).exists():
            of = min(rows, corpus.rows)
            made = tokenize(corpus, tokenizer, rules, settings.data.workers, of)
            _make(folder, digests, of, made, progress or (lambda done, of: None))
    return open_prepared(str(folder))


def open_prepared(folder: str) -> Prepared:
    """A cache that ``prepare`` made. Raises TrainingError if it is not whole."""
    try:
        made = json.loads((Path(folder) / MARKER).read_text())
        for name, size in made["bytes"].items():
            found = os.path.getsize(Path(folder) / name)
            if found != size:
                raise TrainingError(f"{folder}/{name} has {found} bytes, expected {size}. Remove it and run again.")
        splits = {split: Split(f"{folder}/{split}.arrow") for split in SPLITS}
        return Prepared(folder, **splits, stats=made["stats"], digests=made["digests"], refusal=made["refusal"])
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"the token cache {folder} cannot be read: {error}. Remove it and run again.") from error


def _folder(settings: Training, digests: dict[str, str]) -> Path:
    key = hashlib.sha256(json.dumps([FORMAT, digests], sort_keys=True).encode()).hexdigest()[:24]
    return Path(settings.data.cache).expanduser().absolute() / "tokens" / key


def _make(folder: Path, digests: dict[str, str], of: int, made: Iterator[Tokenized], progress: Progress) -> None:
    """Write the cache beside its place, then move it there: it is whole or not there."""
    mine = f"{folder.name}.new-{os.uname().nodename}-"
    for left in folder.parent.glob(f"{mine}*"):  # by a killed process: the lock says that none is at work here
        shutil.rmtree(left, ignore_errors=True)
    new = folder.with_name(f"{mine}{os.getpid()}")
    try:
        new.mkdir(parents=True)
        marker = {"digests": digests, **_write(new, of, made, progress)}
        marker["bytes"] = {f"{split}.arrow": (new / f"{split}.arrow").stat().st_size for split in SPLITS}
        (new / MARKER).write_text(json.dumps(marker, indent=1, sort_keys=True))
        new.rename(folder)
    except OSError:
        if not (folder / MARKER).exists():  # else another node was faster
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _write(folder: Path, of: int, made: Iterator[Tokenized], progress: Progress) -> dict[str, Any]:
    """Write every batch to its split's file; return ``stats`` and ``refusal``."""
    names = ("rows", *OUTCOMES, "token_rows", "tokens", "trained_tokens", "exchanges_lost", "tokens_lost")
    counts = Counter({f"{split}.{name}": 0 for split in SPLITS for name in names})
    refusal, done = "", 0
    with ExitStack() as files:
        writers = {split: files.enter_context(writing(folder / f"{split}.arrow", SCHEMA)) for split in SPLITS}
        for some in made:
            for split, rows in some.rows.items():
                if rows.num_rows:
                    writers[split].write_batch(rows)
            counts.update(some.counts)
            refusal, done = refusal or some.refusal, done + some.conversations
            progress(done, of)
    if done != of:
        raise TrainingError(
            f"{done} rows read, the version recorded {of}. Check it: `winnow show --lake ... --verify`."
        )
    return {"stats": dict(counts), "refusal": refusal}


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        free = shutil.disk_usage(folder).free / 1e9 if folder.exists() else 0.0
        raise TrainingError(
            f"the token cache cannot be written to {folder} ({error.strerror or error}; {free:.1f} GB free). It needs "
            "about 4 bytes a token. Set data.cache to another folder."
        ) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """At most one process of this machine in the block, and where the file system can, of any machine."""
    with folder.with_suffix(".lock").open("w") as file:
        with suppress(OSError):  # no locks on this file system: the work may be done twice, the rename decides
            flock(file, LOCK_EX)
        yield
