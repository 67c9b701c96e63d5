import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks import annotate_rows, annotate_steps
from conf import recipe
from jobs.annotate import plan as plan_of

CHAT = [
    {"content": "“Hi”, write to ada@example.com!\n\n\n\nThanks ", "role": "user"},
    {"content": "As an AI language model, I'm sorry, but I can't assist with that.", "role": "assistant"},
]


@pytest.fixture(scope="module")
def plan():
    return plan_of(recipe.load("lmsys").rules)


def test_steps_are_all_rules_of_the_recipe_and_the_whole_pass(tmp_path, plan):
    pq.write_table(pa.table({"conversation": [CHAT] * 5}), tmp_path / "train-0.parquet")
    chats = annotate_steps.read(tmp_path, 3)
    assert [batch.contents.to_pylist() for batch in chats] == [[each["content"] for each in CHAT] * 3]
    found = annotate_steps.measure(chats, plan, 1)
    named = {*plan.edits, *plan.facts, *(f"mask_{kind}" for kind in plan.pii), "language", "keywords", "quality"}
    assert named < set(found)
    lines = list(annotate_steps.table(found, 6))
    assert lines[-1].startswith(f"| {annotate_steps.WHOLE} |")
    assert len(lines) == len(found) + 2


def test_naive_code_has_all_edits_and_masks_and_sees_what_they_see(plan):
    rules = annotate_rows.rules_of(plan)
    assert set(rules) == {*plan.edits, *(f"mask_{kind}" for kind in plan.pii)}
    roles, contents = ([message[part] for message in CHAT] for part in ("role", "content"))
    holds = {name for name, rule in rules.items() if rule(roles, contents)}
    assert holds == {"straighten_quotes", "collapse_newlines", "trim_whitespace", "mask_email"}
