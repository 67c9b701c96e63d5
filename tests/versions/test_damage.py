"""A version that is not what was published is refused, by the name of what is wrong."""

import json
from pathlib import Path

import pytest
from deltalake import DeltaTable

from conf import tables
from tests.versions.lakes import commit_file, conversation, data_files, make_lake, publish, rows_of
from udfs.contents import open_version, verify
from udfs.lake import VersionError
from udfs.versions import read_pins, resolve


@pytest.fixture
def lake(tmp_path: Path) -> str:
    return make_lake(tmp_path / "lake", 20, 30, 40)


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
def test_a_damaged_newest_commit_is_never_taken_for_a_version(lake: str, harm, told: str) -> None:  # type: ignore[no-untyped-def]
    harm(commit_file(lake, 2))
    for choice in ({}, {"version": 2}, {"timestamp": "2999-01-01"}):
        with pytest.raises(VersionError, match=f"{commit_file(lake, 2).name} is {told}.*Published versions: 1 ") as caught:
            resolve(lake, **choice)
        assert caught.value.exit_code == 5
    assert check(lake, 1) == resolve(lake, version=1).digest


@pytest.mark.parametrize(("harm", "told"), [(empty, "empty"), (cut_in_half, "torn"), (Path.unlink, "missing")])
def test_a_damaged_commit_below_stops_the_versions_built_on_it(lake: str, harm, told: str) -> None:  # type: ignore[no-untyped-def]
    harm(commit_file(lake, 1))
    with pytest.raises(VersionError, match=f"version 2 .* cannot be rebuilt: .*{commit_file(lake, 1).name} is {told}"):
        open_version(resolve(lake))
    assert check(lake, 0) == resolve(lake, version=0).digest


def test_a_commit_cut_between_two_lines_has_other_rows_than_it_recorded(lake: str) -> None:
    path = commit_file(lake, 2)
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    with pytest.raises(VersionError, match="expected 40 rows, found 30"):
        open_version(resolve(lake))


@pytest.mark.parametrize(
    ("harm", "told"), [(Path.unlink, "missing"), (empty, "0 of"), (cut_in_half, r"\d+ of \d+ bytes")]
)
def test_a_missing_or_short_data_file_is_named(lake: str, harm, told: str) -> None:  # type: ignore[no-untyped-def]
    path = data_files(lake, 1)[0]
    harm(path)
    with pytest.raises(VersionError, match=f"{path.name} .*{told}") as caught:
        open_version(resolve(lake, version=1))
    assert caught.value.exit_code == 5


def test_no_flipped_bit_of_the_data_gets_past_verification(lake: str) -> None:
    path = data_files(lake, 1)[0]
    sound = path.read_bytes()
    caught = 0
    for place in range(4, len(sound), len(sound) // 60):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 4]) + sound[place + 1 :])
        try:
            assert check(lake, 1) == resolve(lake, version=1).digest
        except VersionError as error:
            caught += 1
            assert error.exit_code == 5
            assert path.name in str(error) or "conversation" in str(error) or "digest" in str(error)
    assert caught > 10


def test_a_changed_message_is_named_by_its_conversation(lake: str) -> None:
    rows = rows_of([conversation(number) for number in range(5)])
    texts = [conversation(number, "changed " if number == 3 else "") for number in range(5)]
    changed = rows.set_column(4, rows.schema.field("messages"), rows_of(texts)["messages"])
    version = publish(lake, changed)
    with pytest.raises(VersionError, match=f"c3.*{rows['digest'][3]}"):
        check(lake, version)


@pytest.mark.parametrize("column", ["conversation_id", "source", "split"])
def test_a_changed_id_source_or_split_changes_the_digest(lake: str, column: str) -> None:
    rows = rows_of([conversation(number) for number in range(5)])
    values = rows[column].to_pylist()
    at = rows.schema.get_field_index(column)
    changed = rows.set_column(at, rows.schema.field(at), [["other", *values[1:]]])
    recorded = resolve(lake, version=publish(lake, rows)).digest
    version = publish(lake, changed, recorded)
    with pytest.raises(VersionError, match=f"expected {recorded}, found 5-"):
        check(lake, version)


def test_rows_that_are_null_where_they_must_not_be_are_refused(lake: str) -> None:
    rows = rows_of([conversation(0), conversation(1)])
    at = rows.schema.get_field_index("messages")
    broken = rows.set_column(at, rows.schema.field(at), [[None, conversation(1)]])
    with pytest.raises(VersionError, match="messages"):
        check(lake, publish(lake, broken))


def test_a_missing_column_is_named(lake: str) -> None:
    rows = rows_of([conversation(0)])
    version = publish(lake, rows.drop_columns(["split"]), "1-" + "0" * 60, schema_mode="overwrite")
    with pytest.raises(VersionError, match="split"):
        check(lake, version)


def test_the_order_and_the_files_of_the_rows_do_not_matter(lake: str) -> None:
    rows = rows_of([conversation(number) for number in range(50)])
    digest = check(lake, publish(lake, rows))
    version = publish(lake, rows.take(list(range(49, -1, -1))), target_file_size=1, partition_by=None)
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
    with pytest.raises(VersionError, match="columnMapping"):
        open_version(resolve(lake))


def test_damaged_pins_are_not_read_as_older_pins(lake: str) -> None:
    from jobs.versions import pin

    pin(lake, "a", 0)
    pin(lake, "b", 1)
    empty(commit_file(lake, 1, tables.PINS))
    assert DeltaTable(f"{lake}/{tables.PINS}").version() == 1
    with pytest.raises(VersionError, match=f"{tables.PINS}.*empty"):
        read_pins(lake)
