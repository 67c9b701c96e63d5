"""Tokens are made once, the same however many processes make them, and no conversation is unaccounted for."""

import json
import multiprocessing
import os
import pickle
import resource
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from conf import tables
from conf.recipe import load
from conf.training import Training
from tests.training.chats import conversation, saved
from tests.versions.lakes import make_lake, publish, rows_of
from training.chat import load_tokenizer
from training.corpus import Corpus, open_version
from training.encoding import Encoder, Row
from training.errors import RunRefused, TrainingError
from training.exchanges import OUTCOMES
from training.tokens import MARKER, Prepared, look, open_prepared, prepare


def corpus_of(folder: Path, conversations: list) -> Corpus:
    folder.mkdir()
    (folder / tables.MARKER).write_text(json.dumps({"layout": tables.LAYOUT}))
    publish(str(folder), rows_of(conversations))
    return open_version(str(folder))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return saved(tmp_path_factory.mktemp("model"), "byte_level", "chatml")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """2,500 conversations, so that a pool of processes pays; one in ten is eval."""
    return open_version(make_lake(tmp_path_factory.mktemp("corpus") / "lake", 2500))


def settings_for(cache: Path, *overrides: str) -> Training:
    return load(None, [f"data.cache={cache}", "base.template=chatml", *overrides], tree=Training)


@pytest.fixture(scope="module")
def prepared(corpus: Corpus, model: str, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(corpus, model, settings_for(tmp_path_factory.mktemp("cache"), "data.workers=2"))


def test_rows_are_the_conversations_in_order_with_their_masks(corpus, model, prepared):
    encoder = Encoder(load_tokenizer(model, "chatml"))
    rows = [row for batch in corpus.batches(["messages", "split"]) for row in batch.to_pylist()]
    for split in ("train", "eval"):
        found = getattr(prepared, split)
        assert len(found) == prepared.stats[f"{split}.token_rows"] > 0
        assert (np.diff(found.conversations) > 0).all()
        for index in range(0, len(found), 97):
            source = rows[found.conversations[index]]
            assert source["split"] == split
            expected = encoder.encode([source["messages"]])[0]
            assert isinstance(expected, Row)
            ids, trained = found.row(index)
            assert ids.tolist() == expected.ids.tolist()
            assert np.flatnonzero(trained).tolist() == [n for turn in expected.turns for n in range(*turn)]
            assert (found.lengths[index], found.trained[index]) == (len(ids), trained.sum())


def test_every_conversation_is_counted_once(corpus, prepared):
    stats = prepared.stats
    for split in ("train", "eval"):
        assert stats[f"{split}.rows"] == sum(stats[f"{split}.{outcome}"] for outcome in OUTCOMES)
    assert stats["train.rows"] + stats["eval.rows"] == corpus.rows
    assert stats["train.tokens"] == prepared.train.lengths.sum()
    assert stats["train.trained_tokens"] == prepared.train.trained.sum()


def test_the_number_of_workers_changes_no_byte(corpus, model, prepared, tmp_path):
    alone = prepare(corpus, model, settings_for(tmp_path, "data.workers=1"))
    assert alone.stats == prepared.stats
    for name in ("train.arrow", "eval.arrow"):
        assert (Path(alone.folder) / name).read_bytes() == (Path(prepared.folder) / name).read_bytes()


def test_a_second_call_makes_nothing(corpus, model, prepared):
    before = os.stat(Path(prepared.folder) / MARKER)
    settings = settings_for(Path(prepared.folder).parents[1])
    again = prepare(corpus, model, settings, progress=lambda done, of: pytest.fail("tokenized again"))
    assert (again.folder, again.stats, again.digests) == (prepared.folder, prepared.stats, prepared.digests)
    assert os.stat(Path(prepared.folder) / MARKER) == before


OTHERS = {
    "context": ("data.max_tokens=64", "options"),
    "loss": ("data.loss_on=last", "options"),
    "long": ("data.long=split", "options"),
    "template": ("base.template=zephyr", "template"),
    "new_token": ("base.new_tokens=[<|x|>]", "tokenizer"),
}


@pytest.mark.parametrize(("override", "changed"), OTHERS.values(), ids=OTHERS)
def test_whatever_changes_the_tokens_has_another_cache(override, changed, model, tmp_path):
    corpus = corpus_of(tmp_path / "lake", [conversation("a", "b")] * 20)
    plain = prepare(corpus, model, settings_for(tmp_path))
    other = prepare(corpus, model, settings_for(tmp_path, override))
    assert plain.folder != other.folder
    assert {name for name in plain.digests if plain.digests[name] != other.digests[name]} == {changed}


@pytest.mark.parametrize("override", ["data.packing=false", "data.workers=1", "data.min_mask_share=0.01"])
def test_whatever_does_not_change_the_tokens_shares_the_cache(override, model, tmp_path):
    corpus = corpus_of(tmp_path / "lake", [conversation("a", "b")] * 20)
    assert (
        prepare(corpus, model, settings_for(tmp_path)).folder
        == prepare(corpus, model, settings_for(tmp_path, override)).folder
    )


def test_two_processes_at_once_make_one_cache(model, tmp_path):
    corpus = corpus_of(tmp_path / "lake", [conversation("a", "b")] * 200)
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        arguments = (corpus.lake, model, settings_for(tmp_path))
        folders = pool.starmap(prepare_there, [arguments, arguments])
    assert folders[0] == folders[1]
    assert [path.name for path in Path(folders[0]).parent.iterdir() if path.is_dir()] == [Path(folders[0]).name]


def prepare_there(lake: str, model: str, settings: Training, file_size: int = resource.RLIM_INFINITY) -> str:
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, resource.RLIM_INFINITY))
    return prepare(open_version(lake), model, settings).folder


def test_threads_and_another_process_read_the_same_rows(prepared):
    with ThreadPoolExecutor(4) as pool:
        lengths = list(pool.map(lambda n: len(prepared.train.row(n)[0]), range(500)))
    assert lengths == prepared.train.lengths[:500].tolist()
    copy = pickle.loads(pickle.dumps(prepared.train))
    assert copy.row(7)[0].tolist() == prepared.train.row(7)[0].tolist()


def test_progress_ends_at_all_conversations(model, tmp_path):
    corpus = corpus_of(tmp_path / "lake", [conversation("a", "b")] * 1500)
    seen: list[tuple[int, int]] = []
    prepare(corpus, model, settings_for(tmp_path), lambda done, of: seen.append((done, of)))
    assert seen == [(1024, 1500), (1500, 1500)]


@pytest.mark.parametrize("name", ["train.arrow", "eval.arrow", MARKER])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_cache_that_is_not_whole_is_told(name, damage, prepared, tmp_path):
    folder = shutil.copytree(prepared.folder, tmp_path / "cache")
    path = folder / name
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-7])
    else:
        path.unlink()
    with pytest.raises(TrainingError, match="Remove it and run again"):
        open_prepared(str(folder))


def test_what_a_killed_process_left_is_removed_and_does_not_count(model, tmp_path):
    corpus = corpus_of(tmp_path / "lake", [conversation("a", "b")] * 20)
    folder = Path(prepare(corpus, model, settings_for(tmp_path / "elsewhere")).folder)
    left = tmp_path / "tokens" / f"{folder.name}.new-{os.uname().nodename}-1"
    left.mkdir(parents=True)
    (left / "train.arrow").write_bytes(b"half")
    made = prepare(corpus, model, settings_for(tmp_path))
    assert made.stats["train.rows"] == 18
    assert not left.exists()


def test_a_killed_worker_is_an_error_and_never_a_hang(model, tmp_path):
    corpus = corpus_of(tmp_path / "lake", [conversation("a", "b")] * 12_000)

    def kill(done: int, of: int) -> None:
        for child in multiprocessing.active_children():
            child.kill()

    with pytest.raises(TrainingError, match=r"a process that was tokenizing was killed.*Set data\.workers lower"):
        prepare(corpus, model, settings_for(tmp_path, "data.workers=2"), kill)
    assert [path for path in (tmp_path / "tokens").iterdir() if path.is_dir()] == []


@pytest.mark.parametrize(("conversations", "workers"), [(20, 1), (2_500, 2)], ids=["here", "in_workers"])
def test_a_tokenizer_that_breaks_down_is_told_with_its_own_words(conversations, workers, model, tmp_path):
    broken = Path(shutil.copytree(model, tmp_path / "model")) / "tokenizer.json"
    made = json.loads(broken.read_text())
    broken.write_text(json.dumps({**made, "pre_tokenizer": {"type": "FixedLength", "length": 0}}))
    corpus = corpus_of(tmp_path / "lake", [conversation("a", "b")] * conversations)
    with pytest.raises(TrainingError, match="the tokenizer broke down: chunk size must be non-zero") as told:
        prepare(corpus, str(broken.parent), settings_for(tmp_path, f"data.workers={workers}"))
    assert "killed" not in str(told.value)
    assert multiprocessing.active_children() == []


def test_a_place_that_cannot_be_written_is_told(model, tmp_path):
    corpus = corpus_of(tmp_path / "lake", [conversation("a", "b")] * 20)
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"the token cache cannot be written to .*Set data\.cache"):
        prepare(corpus, model, settings_for(tmp_path / "file"))


@pytest.mark.parametrize("allowed", [0, 40_000], ids=["at_once", "in_the_rows"])
def test_a_full_disk_while_saving_leaves_no_cache(allowed, model, tmp_path):
    corpus = corpus_of(tmp_path / "lake", [conversation("a " * 300, "b " * 300)] * 100)
    full = tmp_path / "full"
    told = pytest.raises(TrainingError, match=r"the token cache cannot be written to .*File too large")
    with multiprocessing.get_context("spawn").Pool(1) as pool, told:
        # The kernel refuses to write a file beyond this size, as it would beyond a quota.
        pool.apply(prepare_there, (corpus.lake, model, settings_for(full), allowed))
    assert [path for path in (full / "tokens").iterdir() if path.is_dir()] == []
    assert prepare(corpus, model, settings_for(full)).stats["train.rows"] == 90


def test_a_refused_conversation_is_counted_with_its_reason(model, tmp_path):
    talks = [conversation("a", "b")] * 30
    talks[3] = [{"role": "tool", "content": "x"}]
    made = prepare(corpus_of(tmp_path / "lake", talks), model, settings_for(tmp_path, "base.template=zephyr"))
    assert (made.stats["train.refused"], made.stats["train.whole"]) == (1, 26)
    assert made.refusal == "zephyr knows the roles system, user and assistant, not tool"


UNFIT = {
    "no_eval_rows": ([conversation("a", "b")] * 9, [], "no eval rows: publish with publish.eval_share above 0"),
    "one_row": ([conversation("a", "b")], [], "no eval rows"),
    "nothing_answered": (
        [conversation("a")] * 20,
        [],
        "no train row has a token to train: 18 conversations = 18 no_loss",
    ),
    "mostly_unanswered": ([conversation("a"), conversation("a"), conversation("a", "b")] * 10, [], "over half"),
    "longer_than_the_context": (
        [conversation("a " * 300, "b " * 300)] * 20,
        ["data.max_tokens=64", "data.long=drop"],
        "18 conversations = 18 long; check base.template and data.max_tokens",
    ),
    "refused": (
        [[{"role": "tool", "content": "x"}]] * 20,
        ["base.template=zephyr"],
        "the template refuses: zephyr knows",
    ),
    "hardly_a_token": ([conversation("a " * 500, "b")] * 20, [], "% of the tokens would be trained, expected 2.00% to"),
    "too_many": (
        [conversation("a", "b")] * 20,
        ["data.loss_on=all", "data.max_mask_share=0.9"],
        "100.00% of the tokens",
    ),
}


@pytest.mark.parametrize(("talks", "overrides", "reason"), UNFIT.values(), ids=UNFIT)
def test_rows_that_teach_nothing_stop_the_run_with_the_reason(talks, overrides, reason, model, tmp_path):
    corpus = corpus_of(tmp_path / "lake", talks)
    with pytest.raises(RunRefused) as error:
        prepare(corpus, model, settings_for(tmp_path, *overrides))
    assert reason in str(error.value)


def test_without_evaluation_no_eval_rows_are_needed(model, tmp_path):
    corpus = corpus_of(tmp_path / "lake", [conversation("a", "b")] * 9)
    assert len(prepare(corpus, model, settings_for(tmp_path, "data.eval=none")).train) == 9


def test_a_look_at_the_first_rows_does_not_stand_for_the_whole(model, tmp_path):
    corpus = corpus_of(tmp_path / "lake", [conversation(str(n), "b") for n in range(1500)])
    some = look(corpus, model, settings_for(tmp_path), 1100)
    assert some.stats["train.rows"] + some.stats["eval.rows"] == 1100
    whole = prepare(corpus, model, settings_for(tmp_path))
    assert whole.stats["train.rows"] + whole.stats["eval.rows"] == 1500
    assert some.train.row(5)[0].tolist() == whole.train.row(5)[0].tolist()
    assert look(corpus, model, settings_for(tmp_path), 1100).folder == whole.folder
