"""At most K conversations of one prompt and of one template, each removal naming a row that is kept."""

import hashlib
import random
import tempfile
from collections import Counter
from types import ModuleType
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from conf.duplicates import Dedup, PromptLevel, TemplateLevel
from jobs.duplicates import caps_on_driver, caps_on_spark
from jobs.duplicates.prompts import Found
from jobs.duplicates.signing import id_hashes as numbers_of
from jobs.tasks import Rows, rows_from_memory
from udfs.dedup.prompts import keys

FACTS = "conversation_id string, digest string, `order` array<double>"
MATCHES = "conversation_id string, kept_id string, level string"
LONG = " ".join(f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz") + " and then the text goes on to its end"
FIXTURES = [None, "", " ", "\n", "🙂", "🙂🙂", "か", "が", "กิน", "กัน", "मैं", "मे", "你好吗", "你好啊", "кошка", "собака"]


class Row(NamedTuple):
    conversation_id: str
    prompt: str | None
    digest: str
    order: list[float]


class Finding(NamedTuple):
    level: str
    kept_id: str | None
    similarity: float
    family: str
    is_removed: bool


def row(name: str, prompt: str | None, order: float = 0.0) -> Row:
    return Row(name, prompt, hashlib.sha256(name.encode()).hexdigest(), [float(order)])


def rows_of(prompt: str | None, count: int, name: str) -> list[Row]:
    return [row(f"{name}{number}", prompt, number) for number in range(count)]


def options(prompt: dict[str, Any] | None = None, template: dict[str, Any] | None = None) -> Dedup:
    """Small numbers: 3 conversations of a prompt, 4 of a template, which 3 prompts make."""
    level = TemplateLevel(**{"keep": 4, "min_family": 3, **(template or {})})
    return Dedup(prompt=PromptLevel(**{"keep": 3, **(prompt or {})}), template=level)


def frames(
    spark: SparkSession, rows: list[Row], removed: list[tuple[str, str, str | None]]
) -> tuple[DataFrame, Rows, Rows]:
    """Facts, signatures and matches of conversations that stand, and of those removed before (id, kept id, prompt)."""
    everyone = [*rows, *(row(name, prompt) for name, _, prompt in removed)]
    facts = [(one.conversation_id, one.digest, one.order) for one in everyone]
    matches = [(name, kept, "near") for name, kept, _ in removed]
    told = spark.createDataFrame(matches, MATCHES)
    return spark.createDataFrame(facts, FACTS), signatures(spark, everyone), Rows(spark, lambda: told)


def signatures(spark: SparkSession, rows: list[Row]) -> Rows:
    """What the caps read of signatures, in a file."""
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    prompts = pa.array(columns[1], pa.string())
    table = pa.table(
        {
            "conversation_id": pa.array(columns[0], pa.string()),
            "row": pa.array(numbers_of(columns[0])),
            "digest": pa.array(columns[2], pa.string()),
            "prompt": prompts,
            "prompt_key": keys(prompts),
        }
    )
    return rows_from_memory(spark, table, work())


def key(prompt: str | None) -> bytes | None:
    (found,) = keys(pa.array([prompt], pa.string())).to_pylist()
    return found


def work() -> str:
    """A folder that is not there yet."""
    return f"{tempfile.mkdtemp()}/work"


@pytest.fixture(scope="module", params=[caps_on_driver, caps_on_spark], ids=["driver", "spark"])
def way(request: pytest.FixtureRequest) -> ModuleType:
    """Both ways say the same."""
    return request.param


class Capping(NamedTuple):
    """A way to cap, on a session."""

    spark: SparkSession
    way: ModuleType

    def all(self, rows: list[Row], removed: Any = (), how: Dedup | None = None) -> Found:
        return self.way.cap(*frames(self.spark, rows, list(removed)), how or options(), work())

    def __call__(self, *asked: Any, **named: Any) -> dict[str, Finding]:
        """What is said of each conversation: its removal if it is removed, else its template rather than its prompt."""
        return last_words(self.all(*asked, **named))


@pytest.fixture(scope="module")
def cap(spark: SparkSession, way: ModuleType) -> Capping:
    return Capping(spark, way)


def last_words(said: Found) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    removed: Counter[str] = Counter()
    for line in said.members.frame().orderBy("is_removed", "level").collect():
        found[line["conversation_id"]] = Finding(*(line[name] for name in Finding._fields))
        removed[line["conversation_id"]] += line["is_removed"]
    assert all(count <= 1 for count in removed.values())
    return found


def gone(found: dict[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if finding.is_removed}


def by_digest(rows: list[Row]) -> list[str]:
    return [one.conversation_id for one in sorted(rows, key=lambda one: one.digest)]


def test_of_one_prompt_the_first_by_digest_stay_and_the_others_name_the_very_first(cap: Capping):
    many, few = rows_of("What is Spark?", 8, "many"), rows_of("And Delta?", 3, "few")
    spelt = [row("spelt", "what is  SPARK")]
    found = cap(many + few + spelt)
    order = by_digest(many + spelt)
    assert gone(found) == set(order[3:])
    assert {found[name].kept_id for name in order[3:]} == {order[0]}
    assert {finding.similarity for finding in found.values()} == {1.0}
    assert set(found) == set(order)


def test_tag_reports_the_family_and_removes_nothing_and_off_says_nothing(cap: Capping):
    many = rows_of("What is Spark?", 8, "many")
    found = cap(many, how=options({"policy": "tag"}))
    assert len(found) == 8
    assert {finding[:2] + finding[4:] for finding in found.values()} == {("prompt", None, False)}
    assert cap(many, how=options({"policy": "off"}, {"policy": "off"})) == {}


def test_nearly_the_same_long_prompts_are_one_family_but_not_with_other_numbers(cap: Capping):
    variants = [row(f"variant{end}", f"{LONG} {end}") for end in ("yes", "no", "maybe", "indeed", "today")]
    sums = [row(f"sum{number}", f"{LONG} {number}") for number in range(5)]
    found = cap(variants + sums, how=options(template={"policy": "off"}))
    assert gone(found) == set(by_digest(variants)[3:])
    assert all(0.85 <= found[name].similarity < 1.0 and found[name].level == "prompt" for name in gone(found))


def test_blank_symbol_and_one_letter_prompts_are_the_same_only_if_equal(cap: Capping):
    rows = [row(f"{kind}-{number}", text) for kind, text in enumerate(FIXTURES) for number in range(2)]
    assert cap(rows, how=options({"keep": 2})) == {}
    spoken = [one for one in rows if (one.prompt or "").strip()]
    found = cap(rows, how=options({"keep": 1}))
    assert Counter(finding.family for finding in found.values()) == {finding.family: 2 for finding in found.values()}
    assert set(found) == {one.conversation_id for one in spoken}


TEMPLATES = {
    "sum": [f"what is {number}+{number * 7}?" for number in range(6)],
    "words": [
        f"Write an introduction of 200 words for {name}" for name in ("Acme", "Bolt", "Cray", "Dole", "Esso", "Fiat")
    ],
    "中文": [
        f"请为公司写一篇两百字的介绍：{name}" for name in ("青山矿业", "大海航运", "明月书店", "红叶茶馆", "白云航空")
    ],
    "ไทย": [f"ช่วยเขียนบทความเกี่ยวกับ{name}" for name in ("แมว", "หมา", "ปลา", "นก", "ช้าง")],
}


def test_a_template_is_one_family_of_many_prompts_in_every_script(cap: Capping):
    rows = [row(f"{kind}{number}", text) for kind, texts in TEMPLATES.items() for number, text in enumerate(texts)]
    others = [
        row(f"other{number}", text) for number, text in enumerate(["hello there", "what is that", "write to Acme"])
    ]
    said = cap.all(rows + others)
    lines = said.members.frame().collect()
    found = {line["conversation_id"]: Finding(*(line[name] for name in Finding._fields)) for line in lines}
    assert set(found) == {one.conversation_id for one in rows}
    for kind, texts in TEMPLATES.items():
        of_kind = by_digest([one for one in rows if one.conversation_id.startswith(kind)])
        assert {found[name].family for name in of_kind} == {found[of_kind[0]].family}
        assert [name for name in of_kind if found[name].is_removed] == of_kind[4:]
        assert {found[name].kept_id for name in of_kind[4:]} == {of_kind[0]}
        assert all(found[name].similarity >= 0.65 and found[name].level == "template" for name in of_kind)
        assert len(texts) == len(of_kind)
    told = {line["form"]: line for line in said.families.collect()}
    assert set(told) == {
        "what is #+#?",
        "Write an introduction of 200 words for …",
        "请为公司写一篇两百字的介绍： …",
        "ช่วยเขียนบทความเกี่ยวกับ …",
    }
    line = told["Write an introduction of 200 words for …"]
    assert (line["level"], line["rows"], line["removed"], line["prompts"]) == ("template", 6, 2, 6)
    assert line["example"] in TEMPLATES["words"]


def crowd(seed: int) -> tuple[list[Row], list[tuple[str, str, str | None]]]:
    """All at once: frequent, nearly equal, templated, blank and rare prompts, and earlier removals of all kinds."""
    rng = random.Random(seed)
    pool = [text for texts in TEMPLATES.values() for text in texts] + FIXTURES
    pool += [f"{LONG} {end}" for end in ("yes", "no", "maybe")] + [
        f"Please say something about the {n}" for n in "abcdef"
    ]
    rows = [row(f"row{number}", rng.choice(pool), rng.randrange(3)) for number in range(400)]
    removed = []
    for number in range(150):
        head = rng.choice(rows)
        said = head.prompt if rng.random() < 0.8 else rng.choice(pool)
        removed.append((f"copy{number}", head.conversation_id, said if said is None else f" {said.upper()}"))
    return rows, removed


@pytest.fixture(scope="module")
def expected(cap: Capping) -> dict[str, Finding]:
    return cap(*crowd(1))


def test_every_removed_row_names_a_row_that_is_kept_in_the_end(cap: Capping, expected: dict[str, Finding]):
    best = options({"policy": "best"}, {"policy": "best"})
    for seed, how in ((1, options()), (2, best)):
        rows, removed = crowd(seed)
        found = expected if seed == 1 else cap(rows, removed, how)
        lost = gone(found)
        kept = {one.conversation_id for one in rows} - lost
        assert lost
        assert {found[name].level for name in lost} == {"prompt", "template"}
        assert {found[name].kept_id for name in lost} <= kept
        assert {found[name].kept_id if name in lost else head for name, head, _ in removed} <= kept
        assert all(finding.kept_id is None for finding in found.values() if not finding.is_removed)
        families_of_kept = [found[name].family for name in kept if name in found and found[name].level == "template"]
        heads = {head for _, head, _ in removed}
        safe = Counter(found[name].family for name in kept & heads if name in found)
        assert all(count <= 4 + safe[family] for family, count in Counter(families_of_kept).items())
        assert families_of_kept


def family_of(prompt: str | None) -> str | None:
    """The prompt family of a crowd's prompt, by knowing how the crowd was made."""
    text = (prompt or "").strip().lower()
    return (LONG if text.startswith(LONG.lower()) else text) or None


def template_of(prompt: str | None) -> str | None:
    family = family_of(prompt) or ""
    kinds = [kind for kind, texts in TEMPLATES.items() if family in map(str.lower, texts)]
    return kinds[0] if kinds else "say" if family.startswith("please say") else None


def judged(rows: list[Row], removed: list[tuple[str, str, str | None]]) -> dict[str, tuple[str, str]]:
    """Level and kept row of each removal, one row after the other."""
    found: dict[str, tuple[str, str]] = {}
    told = {name: (head, prompt) for name, head, prompt in removed}
    left = sorted(rows, key=lambda one: one.digest)
    for level, keep, group in (("prompt", 3, family_of), ("template", 4, template_of)):
        groups: dict[str, list[Row]] = {}
        for one in left:
            groups.setdefault(group(one.prompt) or "", []).append(one)
        groups.pop("", None)
        for name, members in groups.items():
            strange = {head for head, prompt in told.values() if group(prompt) != name}
            safe = [one for one in members if one is members[0] or one.conversation_id in strange]
            others = [one for one in members if one not in safe]
            for one in others[max(0, keep - len(safe)) :]:
                moved = [who for who, (head, _) in told.items() if head == one.conversation_id]
                for who in [one.conversation_id, *moved]:
                    found[who] = (level, members[0].conversation_id)
                    told[who] = (members[0].conversation_id, told[who][1] if who in told else one.prompt)
        left = [one for one in left if one.conversation_id not in found]
    return found


def test_a_crowd_is_judged_as_it_would_be_one_row_after_the_other(expected: dict[str, Finding]):
    found = {name: (finding.level, finding.kept_id) for name, finding in expected.items() if finding.is_removed}
    assert found == judged(*crowd(1))


@pytest.mark.parametrize("parts", [1, 7])
def test_the_result_does_not_depend_on_partitions_or_on_the_order_of_rows(
    cap: Capping, expected: dict[str, Finding], parts: int
):
    rows, removed = crowd(1)
    random.Random(parts).shuffle(rows)
    random.Random(parts).shuffle(removed)
    facts, signed, matches = frames(cap.spark, rows, removed)
    before = cap.spark.conf.get("spark.sql.shuffle.partitions")
    cap.spark.conf.set("spark.sql.shuffle.partitions", str(parts))
    try:
        found = last_words(cap.way.cap(facts.repartition(parts), signed, matches, options(), work()))
    finally:
        cap.spark.conf.set("spark.sql.shuffle.partitions", before)
    assert found == expected


def test_a_very_frequent_prompt_is_capped_like_any_other(cap: Capping):
    hot = [row(f"hot{number}", "hi") for number in range(50_000)]
    assert cap.all(hot, how=options({"keep": 100})).counts == {"prompt": 49_900}


@pytest.mark.parametrize("template", ["keep", "best"])
def test_both_ways_tell_the_same_families(spark: SparkSession, template: str):
    rows, removed = crowd(2)
    how = options(template={"policy": template})
    told = [way.cap(*frames(spark, rows, removed), how, work()) for way in (caps_on_driver, caps_on_spark)]
    first, second = (sorted(found.families.collect()) for found in told)
    assert len(first) > 4
    assert first == second
    assert told[0].counts == told[1].counts


def test_of_nothing_nothing_is_said(cap: Capping):
    assert cap([]) == {}
    assert cap([row("one", None)]) == {}
