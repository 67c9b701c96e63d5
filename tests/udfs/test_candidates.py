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
    return {"conversation_id": name, "sets": name.encode() * 4}


def facts(name: str, component: int) -> dict[str, object]:
    return {"conversation_id": name, "order": [float(component)], "is_fixed": component == 1, "component": component}


def rows(*batches: list[dict[str, object]]) -> list[dict[str, object]]:
    found = matched(pa.RecordBatch.from_pylist(batch, SCHEMA) for batch in batches)
    return [row for batch in found for row in batch.to_pylist()]


@pytest.mark.parametrize("is_first", [True, False])
def test_each_signature_has_its_own_facts_wherever_they_stand(is_first):
    signed, told = [signature("b"), signature("a")], [facts("a", 1), facts("b", 2)]
    found = rows(told, [], signed) if is_first else rows(signed, told)
    assert found == [signature("b") | facts("b", 2), signature("a") | facts("a", 1)]


def test_a_signature_without_facts_is_left_out_and_one_that_came_twice_counts_once():
    found = rows([signature("a"), signature("x"), signature("a")], [facts("a", 1), facts("b", 2)])
    assert found == [signature("a") | facts("a", 1)]
    assert rows([signature("a")]) == rows() == rows([]) == []
