"""Which files does a sample have, and are they always the same?"""

import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.cli import main
from jobs.errors import UsageError
from jobs.sample import write_sample
from jobs.sample.lmsys import SCHEMA
from jobs.sample.parts import FILES, PARQUET, TRUNCATED
from tests.sample.conftest import CONVERSATIONS

TRUTH = {"_truth/README.txt", "_truth/faults.parquet", "_truth/planted.parquet"}


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _lmsys(folder: Path) -> pa.Table:
    return pa.concat_tables(pq.read_table(folder / file) for file in PARQUET)


def test_the_same_seed_gives_the_same_bytes_in_every_file(sample: Path, tmp_path: Path):
    write_sample(tmp_path / "again", CONVERSATIONS, seed=3)
    assert _digests(tmp_path / "again") == _digests(sample)


def test_another_seed_gives_other_bytes_in_every_file_but_the_note(sample: Path, tmp_path: Path):
    write_sample(tmp_path / "other", CONVERSATIONS, seed=4)
    first, second = _digests(sample), _digests(tmp_path / "other")
    assert {name for name in first if first[name] == second[name]} == {"_truth/README.txt"}


def test_a_sample_has_these_files_and_no_others(sample: Path):
    assert set(_digests(sample)) == {*PARQUET, *FILES.values(), TRUNCATED} | TRUTH


def test_the_parquet_files_have_the_schema_written_down(sample: Path):
    for file in PARQUET:
        assert pq.read_schema(sample / file).equals(SCHEMA, check_metadata=True)


@pytest.mark.skipif("WINNOW_REAL_DATA" not in os.environ, reason="WINNOW_REAL_DATA is not set; .ci/run sets it")
def test_the_schema_is_the_one_of_real_lmsys_files():
    real = sorted(Path(os.environ["WINNOW_REAL_DATA"]).glob("corpus_10k/data/*.parquet"))[0]
    assert pq.read_schema(real).remove_metadata().equals(SCHEMA)


def test_turns_and_moderation_fit_the_messages(sample: Path):
    for row in _lmsys(sample).to_pylist():
        assert row["turn"] == sum(message["role"] == "user" for message in row["conversation"])
        assert len(row["openai_moderation"]) == len(row["conversation"])
        for verdict in row["openai_moderation"]:
            assert verdict["flagged"] == any(verdict["categories"].values())
        assert row["redacted"] == any("NAME_1" in message["content"] for message in row["conversation"])


def test_ids_are_32_hex_digits_and_never_repeat(sample: Path):
    ids = _lmsys(sample)["conversation_id"].to_pylist()
    assert len(set(ids)) == len(ids)
    assert all(len(id) == 32 and int(id, 16) >= 0 for id in ids)


def test_several_models_answer_the_same_first_message(sample: Path):
    models: dict[str, set[str]] = {}
    for row in _lmsys(sample).to_pylist():
        models.setdefault(row["conversation"][0]["content"], set()).add(row["model"])
    assert sum(len(answering) >= 3 for answering in models.values()) >= CONVERSATIONS * 0.12 / 8


def test_the_counts_are_the_records_written(sample: Path, tmp_path: Path):
    counts = write_sample(tmp_path / "again", CONVERSATIONS, seed=3)
    assert counts["conversations"] == CONVERSATIONS
    assert counts["near_copies"] == round(0.08 * CONVERSATIONS)
    assert counts["decoys"] == round(0.03 * CONVERSATIONS)
    written = sum(counts[file] for file in (*PARQUET, *FILES.values()))
    assert written == CONVERSATIONS + counts["broken_records"]
    assert sum(counts[file] for file in PARQUET) == _lmsys(sample).num_rows


def test_a_sample_may_be_written_over(tmp_path: Path):
    write_sample(tmp_path, 200, seed=1)
    write_sample(tmp_path, 200, seed=2)
    write_sample(tmp_path / "fresh", 200, seed=2)
    fresh = _digests(tmp_path / "fresh")
    assert {name: digest for name, digest in _digests(tmp_path).items() if name in fresh} == fresh


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "thesis.txt").write_text("mine")
    assert main(["sample", "--out", str(tmp_path)]) == 2
    assert "not a sample of ours" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("place", ["/proc/sample", "/dev/null/sample"])
def test_a_place_where_no_folder_can_be_made_is_told(place: str, capsys: pytest.CaptureFixture[str]):
    assert main(["sample", "--out", place]) == 2
    assert f"{place} cannot be made" in capsys.readouterr().err


@pytest.mark.parametrize("conversations", [-1, 0, 199])
def test_too_few_conversations_are_refused_before_anything_is_written(tmp_path: Path, conversations: int):
    with pytest.raises(UsageError, match="at least 200"):
        write_sample(tmp_path / "out", conversations)
    assert not (tmp_path / "out").exists()


def test_the_command_says_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["sample", "--out", str(tmp_path / "out"), "--conversations", "200", "--seed", "5"]) == 0
    said = capsys.readouterr().out
    assert all(file in said for file in (*PARQUET, *FILES.values()))
