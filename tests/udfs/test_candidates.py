import pyarrow as pa
import pytest

from udfs.candidates import matched

SCHEMA = pa.schema(
    [
        ("conversation_id", pa.string()),
        ("sets", pa.binary()),
        ("order", pa.list_(pa.float64())),
        ("is_fixed", pa.bool_()),
        ("component", pa.int64()),
    ]
)


def signature(name: str) -> dict[str, object]:
    return {"conversation_id": name, "sets": name.encode() * 4, "component": ord(name)}


def facts(name: str, number: int) -> dict[str, object]:
    return {"conversation_id": name, "order": [float(number)], "is_fixed": number == 1}


def rows(*batches: list[dict[str, object]]) -> list[dict[str, object]]:
    found = matched(pa.RecordBatch.from_pylist(batch, SCHEMA) for batch in batches)
    if found is None:
        return []
    spans = zip(found.sets.starts.tolist(), found.sets.ends.tolist(), strict=True)
    sets = [found.sets.hashes[start:end].tobytes() for start, end in spans]
    return [row | {"sets": each} for row, each in zip(found.rows.to_pylist(), sets, strict=True)]


@pytest.mark.parametrize("is_first", [True, False])
def test_each_signature_has_its_own_facts_wherever_they_stand(is_first):
    signed, told = [signature("b"), signature("a")], [facts("a", 1), facts("b", 2)]
    found = rows(told, [], signed) if is_first else rows(signed, told)
    assert sorted(found, key=str) == sorted([signature("b") | facts("b", 2), signature("a") | facts("a", 1)], key=str)


def test_a_signature_without_facts_is_left_out_and_one_that_came_twice_counts_once():
    found = rows([signature("a"), signature("x"), signature("a")], [facts("a", 1), facts("b", 2)])
    assert found == [signature("a") | facts("a", 1)]
    assert rows([signature("a")]) == rows() == rows([]) == []
