"""The sample for a reader covers every degree of overlap, shows a text once, and is the same every time."""

import random
from typing import Any

from jobs import terminal
from jobs.audit import sample


def row(number: int, overlap: float, text: str = "") -> dict[str, Any]:
    place = {"conversation_id": f"c{number:03}", "benchmark": "b", "item": "1", "message": 0, "question": "Q?"}
    return {
        **place,
        "overlap": overlap,
        "text": text or f"text {number}",
        "hit": overlap >= 0.5,
        "matched": 1,
        "features": 2,
    }


ROWS = [row(n, 1.0) for n in range(50)] + [row(100 + n, 0.6) for n in range(3)] + [row(200, 0.3), row(201, 0.1)]


def test_every_band_is_shown_before_one_is_shown_twice() -> None:
    assert [found["overlap"] for found in sample(ROWS, 4)] == [0.1, 0.3, 0.6, 1.0]
    assert [found["overlap"] for found in sample(ROWS, 8)] == [0.1, 0.3, 0.6, 0.6, 0.6, 1.0, 1.0, 1.0]
    assert len(sample(ROWS, 100)) == len(ROWS)


def test_the_order_of_the_table_changes_nothing() -> None:
    shuffled = random.Random(1).sample(ROWS, len(ROWS))
    assert sample(shuffled, 10) == sample(ROWS, 10)


def test_equal_findings_are_shown_once_and_counted() -> None:
    [found] = sample([row(3, 1.0, "same"), row(1, 1.0, "same"), row(2, 1.0, "same")], 10)
    assert (found["conversation_id"], found["copies"]) == ("c001", 3)
    told = terminal.as_contamination(found, 200).split("\n")
    assert told[0] == "hit: b 1, overlap 1.00 (1 of 2), c001 message 0 and 2 like it"
    assert told[1:] == ["  asked: Q?", "  found: same"]


def test_nothing_gives_nothing() -> None:
    assert sample([], 5) == [] and sample(ROWS, 0) == []


def test_a_family_is_told_in_three_lines_without_control_characters() -> None:
    facts = {"level": "template", "family": "ab" * 16, "rows": 1200, "removed": 1100, "prompts": 300}
    told = terminal.as_family({**facts, "form": "a poem about …", "example": "A poem\x1b[31m about\nrain"}, 70)
    assert told.split("\n") == [
        "template abababababab: 1,200 rows, 1,100 removed, 300 prompts",
        "  a poem about …",
        "  e.g. A poem\ufffd[31m about rain",
    ]
