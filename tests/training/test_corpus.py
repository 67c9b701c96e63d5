"""A corpus is exactly the version it was asked for, or an error."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from conf import tables
from jobs.pins import pin
from tests.versions.lakes import data_files, make_lake, publish, rows_of
from training.corpus import CorpusError, open_version, verify


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = make_lake(tmp_path_factory.mktemp("corpus") / "lake", 20, 30)
    pin(made, "baseline", 0)
    return made


@pytest.mark.parametrize(("choice", "rows"), [({"pin": "baseline"}, 20), ({"version": 0}, 20), ({}, 30)])
def test_a_corpus_has_the_rows_of_its_version(lake: str, choice: dict[str, Any], rows: int) -> None:
    corpus = open_version(lake, **choice)
    assert corpus.rows == sum(batch.num_rows for batch in corpus.batches()) == rows
    assert corpus.pin == choice.get("pin")
    assert corpus.table_id == str(DeltaTable(f"{lake}/{tables.DATASET}").metadata().id)
    assert verify(corpus) == corpus.digest


def test_a_pinned_corpus_stays_the_same_when_more_is_published(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake", 20)
    pin(lake, "baseline")
    before = open_version(lake, pin="baseline")
    publish(lake, rows_of([[{"role": "user", "content": "new"}]]))
    after = open_version(lake, pin="baseline")
    assert before == after
    assert list(before.batches()) == list(after.batches())
    assert open_version(lake).rows == 1


def test_batches_give_the_columns_asked_for(lake: str) -> None:
    (batch,) = open_version(lake).batches(["messages", "copies"])
    assert batch.schema.names == ["messages", "copies"]
    assert batch["messages"][0].as_py()[0].keys() == {"role", "content"}


def test_two_ways_to_choose_are_one_too_many(lake: str) -> None:
    with pytest.raises(CorpusError, match="pin and version are both given"):
        open_version(lake, pin="baseline", version=1)


def test_a_corpus_that_lost_a_file_does_not_open(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake", 20)
    path = data_files(lake, 0)[0]
    path.unlink()
    with pytest.raises(CorpusError, match=f"1 of 1 data files are not as written: dataset/{path.name} .missing"):
        open_version(lake)


def test_a_lake_may_be_named_by_a_relative_path_or_a_file_uri(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(lake).parent)
    for name in ("lake", "lake/", Path(lake).as_uri(), f"file:{lake}"):
        assert verify(open_version(name)) == open_version(lake).digest


def test_training_opens_a_corpus_without_spark_and_ends_cleanly(lake: str) -> None:
    program = (
        "import sys; from training.corpus import open_version, verify\n"
        "corpus = open_version(sys.argv[1]); verify(corpus); list(corpus.batches())\n"
        "sys.exit(any(name.split('.')[0] in ('pyspark', 'jobs') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program, lake], timeout=60).returncode == 0
