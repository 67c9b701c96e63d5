"""A version that is not what was published is refused, by the name of what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from conf import tables
from jobs.pins import pin
from tests.versions.lakes import commit_file, conversation, data_files, make_lake, publish, publish_in_files, rows_of
from udfs.delta.contents import open_version, read_batches, verify
from udfs.delta.lake import LakeError, read_rows
from udfs.delta.versions import read_pins, resolve


@pytest.fixture
def lake(tmp_path: Path) -> str:
    return make_lake(tmp_path / "lake", 20, 30, 40)


Harm = Callable[[Path], object]


def check(lake: str, version: int) -> str:
    chosen = resolve(lake, version=version)
    return verify(chosen, open_version(chosen))


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def test_a_sound_version_verifies_to_its_recorded_digest(lake: str) -> None:
    for version in range(3):
        assert check(lake, version) == resolve(lake, version=version).digest


@pytest.mark.parametrize(("harm", "told"), [(empty, r"empty \(0 bytes\)"), (cut_in_half, "torn: line")])
def test_a_damaged_newest_commit_is_never_taken_for_a_version(lake: str, harm: Harm, told: str) -> None:
    harm(commit_file(lake, 2))
    for choice in ({}, {"version": 2}, {"timestamp": "2999-01-01"}):
        expected = f"{commit_file(lake, 2).name} is {told}.*Published versions: 1 "
        with pytest.raises(LakeError, match=expected) as caught:
            resolve(lake, **choice)
        assert caught.value.exit_code == 5
    assert check(lake, 1) == resolve(lake, version=1).digest


@pytest.mark.parametrize(("harm", "told"), [(empty, "empty"), (cut_in_half, "torn"), (Path.unlink, "missing")])
def test_a_damaged_commit_below_stops_the_versions_built_on_it(lake: str, harm: Harm, told: str) -> None:
    harm(commit_file(lake, 1))
    with pytest.raises(LakeError, match=f"version 2 .* cannot be rebuilt: .*{commit_file(lake, 1).name} is {told}"):
        open_version(resolve(lake))
    assert check(lake, 0) == resolve(lake, version=0).digest


def test_a_commit_cut_between_two_lines_has_other_rows_than_it_recorded(lake: str) -> None:
    path = commit_file(lake, 2)
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    with pytest.raises(LakeError, match="expected 40 rows, found 30"):
        open_version(resolve(lake))


@pytest.mark.parametrize(
    ("harm", "told"), [(Path.unlink, "missing"), (empty, "0 of"), (cut_in_half, r"\d+ of \d+ bytes")]
)
def test_a_missing_or_short_data_file_is_named(lake: str, harm: Harm, told: str) -> None:
    path = data_files(lake, 1)[0]
    harm(path)
    with pytest.raises(LakeError, match=f"{path.name} .*{told}") as caught:
        open_version(resolve(lake, version=1))
    assert caught.value.exit_code == 5


def test_no_flipped_bit_changes_a_row_unseen(lake: str) -> None:
    path = data_files(lake, 1)[0]
    rows = pq.read_table(path)
    pq.write_table(rows, path, write_page_checksum=True)  # as Spark does
    set_size(lake, 1, path.stat().st_size)
    sound, refused = path.read_bytes(), 0
    for place in range(4, len(sound), len(sound) // 150):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 4]) + sound[place + 1 :])
        try:
            check(lake, 1)
        except LakeError as error:
            refused += 1
            assert path.name in str(error) or "is damaged" in str(error)
        else:
            read = open_version(resolve(lake, version=1))
            assert pa.Table.from_batches(read_batches(read)).equals(rows.cast(read.to_pyarrow_dataset().schema))
    assert refused > 40


def set_size(lake: str, version: int, size: int) -> None:
    path = commit_file(lake, version)
    actions = [json.loads(line) for line in path.read_text().splitlines()]
    for action in actions:
        action.get("add", {}).update({"size": size} if "add" in action else {})
    path.write_text("".join(json.dumps(action) + "\n" for action in actions))


def test_a_changed_message_is_named_by_its_conversation(lake: str) -> None:
    rows = rows_of([conversation(number) for number in range(5)])
    texts = [conversation(number, "changed " if number == 3 else "") for number in range(5)]
    changed = rows.set_column(4, rows.schema.field("messages"), rows_of(texts)["messages"])
    version = publish(lake, changed)
    with pytest.raises(LakeError, match=f"c3.*{rows['digest'][3]}"):
        check(lake, version)


@pytest.mark.parametrize("column", ["conversation_id", "source", "split"])
def test_a_changed_id_source_or_split_changes_the_digest(lake: str, column: str) -> None:
    rows = rows_of([conversation(number) for number in range(5)])
    values = rows[column].to_pylist()
    at = rows.schema.get_field_index(column)
    changed = rows.set_column(at, rows.schema.field(at), [["other", *values[1:]]])
    recorded = resolve(lake, version=publish(lake, rows)).digest
    version = publish(lake, changed, recorded)
    with pytest.raises(LakeError, match=f"expected {recorded}, found 5-"):
        check(lake, version)


def test_rows_that_are_null_where_they_must_not_be_are_refused(lake: str) -> None:
    rows = rows_of([conversation(0), conversation(1)])
    at = rows.schema.get_field_index("messages")
    broken = rows.set_column(at, rows.schema.field(at), [[None, conversation(1)]])
    with pytest.raises(LakeError, match="messages"):
        check(lake, publish(lake, broken))


def test_a_missing_column_is_named(lake: str) -> None:
    rows = rows_of([conversation(0)])
    version = publish(lake, rows.drop_columns(["split"]), "1-" + "0" * 60, schema_mode="overwrite")
    with pytest.raises(LakeError, match="split"):
        check(lake, version)


def test_the_order_and_the_files_of_the_rows_do_not_matter(lake: str) -> None:
    rows = rows_of([conversation(number) for number in range(50)])
    digest = check(lake, publish(lake, rows))
    version = publish_in_files(lake, rows.take(list(range(49, -1, -1))))
    assert len(data_files(lake, version)) == 2
    assert check(lake, version) == digest


def test_a_dataset_partitioned_by_split_verifies(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake")
    version = publish(lake, rows_of([conversation(number) for number in range(20)]), partition_by=["source", "split"])
    assert len(data_files(lake, version)) == 2
    assert check(lake, version) == resolve(lake).digest


def test_column_mapping_is_refused_before_it_reads_as_nulls(lake: str) -> None:
    path = commit_file(lake, 0)
    actions = [json.loads(line) for line in path.read_text().splitlines()]
    for action in actions:
        action.get("metaData", {}).get("configuration", {})["delta.columnMapping.mode"] = "name"
    path.write_text("".join(json.dumps(action) + "\n" for action in actions))
    with pytest.raises(LakeError, match="columnMapping"):
        open_version(resolve(lake))


def test_damaged_pins_are_not_read_as_older_pins(lake: str) -> None:
    pin(lake, "a", 0)
    pin(lake, "b", 1)
    empty(commit_file(lake, 1, tables.PINS))
    assert DeltaTable(f"{lake}/{tables.PINS}").version() == 1
    with pytest.raises(LakeError, match=f"{tables.PINS}.*empty"):
        read_pins(lake)


def test_a_damaged_checkpoint_is_told_on_one_line(lake: str) -> None:
    DeltaTable(f"{lake}/{tables.DATASET}").create_checkpoint()
    (checkpoint,) = (Path(lake) / tables.DATASET / "_delta_log").glob("*.checkpoint.parquet")
    cut_in_half(checkpoint)
    with pytest.raises(LakeError, match=f"cannot read version 2 of table {tables.DATASET}: .") as caught:
        open_version(resolve(lake))
    assert "\n" not in str(caught.value) and "<unknown>" not in str(caught.value)
    assert caught.value.exit_code == 5
    assert check(lake, 1) == resolve(lake, version=1).digest


def test_to_find_a_row_the_texts_of_files_without_it_are_not_read(tmp_path: Path) -> None:
    lake = make_lake(tmp_path / "lake", 1)
    version = publish_in_files(lake, rows_of([conversation(number) for number in range(40)]))
    is_second = lambda file: pq.read_table(file)["conversation_id"][0].as_py() == "c20"  # noqa: E731
    (second,) = filter(is_second, data_files(lake, version))
    texts = pq.read_metadata(second).row_group(0).column(5)
    assert texts.path_in_schema == "messages.list.element.content"
    harmed = bytearray(second.read_bytes())
    start = texts.dictionary_page_offset or texts.data_page_offset
    harmed[start : start + texts.total_compressed_size] = bytes(texts.total_compressed_size)
    second.write_bytes(harmed)

    def read(name: str) -> list[dict]:  # both names are between the least and the greatest one of the second file
        return read_rows(lake, tables.DATASET, where=pc.field("conversation_id") == name)

    assert [row["messages"] for row in read("c3")] == [conversation(3)]
    with pytest.raises(LakeError, match=f"cannot read version {version} of table dataset"):
        read("c30")
