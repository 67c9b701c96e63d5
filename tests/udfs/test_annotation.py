import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs import pii, rules, turns
from udfs.annotation import Plan, annotate
from udfs.facts import FACTS
from udfs.sealing import SEALED, Key, unmask

ALL = Plan(edits=tuple(edit.name for edit in rules.EDITS), facts=tuple(fact.name for fact in FACTS))
message = st.tuples(
    st.sampled_from(["system", "user", "assistant", "tool", None]), st.one_of(st.none(), st.text(max_size=30))
)


def _annotate(conversations):
    messages = [each for conversation in conversations for each in conversation]
    roles, contents = (pa.array([each[part] for each in messages], pa.string()) for part in (0, 1))
    return annotate(roles, contents, np.cumsum([0, *map(len, conversations)], dtype=np.int32), ALL)


def _rows(columns):
    return [dict(zip(columns._fields, row, strict=True)) for row in zip(*(c.to_pylist() for c in columns), strict=True)]


def test_one_pass_says_everything_about_messages_and_conversations():
    _, messages, conversations = _annotate(
        [
            [
                ("system", "Answer in English, whatever the user says, and be polite at all times."),
                ("user", " Wie wird das Wetter morgen in Berlin?\r\n"),
                ("assistant", "Als KI-Sprachmodell kann ich das Wetter nicht sehen."),
            ],
            [],
            [("user", "I’ll say it again: please answer"), ("user", "  ")],
        ]
    )
    assert [(row["language"], row["keywords"], row["edits"]) for row in _rows(messages)] == [
        ("en", [], []),
        ("de", [], ["fix_unicode", "trim_whitespace"]),
        ("de", [], []),
        ("en", [], ["straighten_quotes"]),
        ("und", [], ["trim_whitespace"]),
    ]
    rows = _rows(conversations)
    assert all(0 <= row.pop("quality") <= 1 and row.pop("repairs") == [] for row in rows)
    assert {row.pop("sealed") for row in rows} == {None}
    assert len({row.pop("digest") for row in rows}) == 3
    assert rows == [
        {"language": "de", "keywords": [], "hits": [], "reasons": ["ai_disclaimer"], "turns": 1, "characters": 159},
        {
            **{"language": "und", "keywords": [], "hits": [], "reasons": ["unanswered", "too_short"]},
            **{"turns": 0, "characters": 0},
        },
        {
            "language": "en",
            "keywords": [],
            "hits": [],
            "reasons": ["blank_message", "bad_roles", "unanswered", "too_short"],
            "turns": 2,
            "characters": 32,
        },
    ]


def test_repaired_turns_tell_what_was_done_and_where_each_message_came_from():
    plan = ALL._replace(repairs=turns.REPAIRS)
    roles = ["assistant", "user", "user", "assistant", "user", "assistant", "user"]
    contents = ["Hi!", "How are ", " you, and what’s new?\n", "Fine.", "\x00", "What?", "More"]
    found = annotate(pa.array(roles), pa.array(contents), np.array([0, 7]), plan)
    assert [(row["role"], row["content"], row["origin"], row["edits"]) for row in _rows(found.messages)] == [
        ("user", "How are\n\nyou, and what's new?", 1, ["straighten_quotes", "trim_whitespace", "merge_roles"]),
        ("assistant", "Fine.", 3, []),
    ]
    row = _rows(found.conversations)[0]
    assert row["repairs"] == ["drop_blank", "trim_start", "merge_roles", "drop_unanswered"]
    assert not {"blank_message", "bad_roles", "unanswered"} & set(row["reasons"])
    assert found.offsets.tolist() == [0, 2]


def test_columns_have_the_types_of_the_table():
    _, messages, conversations = _annotate([[("user", "hello"), ("assistant", "hi")]])
    strings = pa.list_(pa.string())
    places = {"message": pa.int32(), "role": pa.string(), "category": pa.string(), "term": pa.string()}
    hits = pa.list_(pa.struct({**places, "offset": pa.int32()}))
    assert [each.type for each in messages] == [*[pa.string()] * 3, pa.float64(), strings, strings, pa.int32()]
    lists, numbers = [strings, hits, strings, strings], [pa.float64(), pa.int32(), pa.int64()]
    assert [each.type for each in conversations] == [pa.string(), *lists, *numbers, pa.string(), SEALED]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(message, max_size=3), max_size=4))
def test_any_text_goes_through_and_a_conversation_is_labelled_as_it_is_alone(drawn):
    together = _annotate(drawn)
    said = together.conversations._replace(sealed=pa.array([]))
    assert all(column.null_count == 0 for part in (together.messages, said) for column in part)
    for row, conversation in enumerate(drawn):
        alone = _rows(_annotate([conversation]).conversations)[0]
        assert _rows(together.conversations)[row] == alone


planes = st.integers(0, 0x10FFFF).filter(lambda code: not 0xD800 <= code < 0xE000).map(chr)
spice = st.sampled_from(
    ["\x00", "\u202e", "\u200f", "\ufeff", "\u0301", "\ufffe", "\\ud800", "שלום", "مرحبا", "😀\u200d🔥", "🇩🇪",
     "<|im_end|>", "```", "&lt;", "Ã©", "a@b.org ", "4111 1111 1111 1111 ", "as an ai ", "\r\n\n\n", "ก็", "and/or "]
)  # fmt: skip
anything = st.lists(st.one_of(planes, spice, st.text(max_size=8)), max_size=12).map("".join)


@settings(max_examples=100, deadline=None)
@given(st.lists(anything, min_size=20, max_size=20))
def test_two_thousand_texts_of_every_plane_go_through_every_rule(texts):
    """Unpaired surrogates never get here: Arrow has none, and the reader quarantines records that do."""
    kinds = tuple(kind.name for kind in pii.KINDS)
    roles, count = pa.array(["user", "assistant"] * 10), np.arange(0, 21, 2)
    found = annotate(roles, pa.array(texts), count, ALL._replace(pii=kinds, repairs=turns.REPAIRS))
    assert len(found.conversations.language) == 10
    for text in found.messages.content.to_pylist():
        text.encode()


@pytest.mark.parametrize("unit", ["a", "中", "\x00", "Ã¢", "``` ", " \n", "i'm just an ai ", "\U0010ffff", "🤖"])
def test_a_megabyte_goes_through(unit):
    assert len(_annotate([[("user", unit * (1_000_000 // len(unit)))]]).messages.content) == 1


@pytest.mark.parametrize("offsets", [[], [0, 1], [0, 3], [1, 2], [0, 2, 1, 2]])
def test_offsets_that_do_not_fit_the_messages_are_refused(offsets):
    with pytest.raises(ValueError, match="offsets must rise from 0 to 2"):
        annotate(pa.array(["user", "user"]), pa.array(["a", "b"]), np.array(offsets, dtype=np.int32), ALL)


def test_roles_and_contents_must_pair_up():
    with pytest.raises(ValueError, match="found 1 roles and 2 contents"):
        annotate(pa.array(["user"]), pa.array(["a", "b"]), np.array([0, 2]), ALL)


def test_personal_data_is_masked_after_the_edits_and_named_with_them():
    texts, roles = pa.array([" Write to ana@example.org", "ana@example.org?"]), pa.array(["user", "assistant"])
    _, messages, conversations = annotate(roles, texts, np.array([0, 2]), ALL._replace(pii=("email",)))
    assert messages.content.to_pylist() == ["Write to EMAIL_1", "EMAIL_1?"]
    assert messages.edits.to_pylist() == [["trim_whitespace", "mask_email"], ["mask_email"]]
    assert conversations.characters.to_pylist() == [24]


def test_with_a_key_what_is_masked_is_sealed_by_the_messages_that_are_stored():
    plan = ALL._replace(repairs=turns.REPAIRS, pii=("email",), key=Key(bytes(range(64))))
    roles, texts = (
        pa.array(["assistant", "user", "assistant"] * 2),
        pa.array(["Hi!", " To a@example.org ", "Sent."] * 2),
    )
    with pytest.raises(ValueError, match="sealing needs the ids"):
        annotate(roles, texts, np.array([0, 3, 6]), plan)
    found = annotate(roles, texts, np.array([0, 3, 6]), plan, pa.array(["one", "two"]))
    contents, sealed = found.messages.content.to_pylist(), found.conversations.sealed.to_pylist()
    assert contents == ["To EMAIL_1", "Sent."] * 2
    assert [
        unmask(plan.key, *one) for one in zip(("one", "two"), (contents[:2], contents[2:]), sealed, strict=True)
    ] == [["To a@example.org", "Sent."]] * 2
    unsealed = annotate(roles, texts, np.array([0, 3, 6]), plan._replace(key=None))
    assert all(a.equals(b) for a, b in zip(found.messages, unsealed.messages, strict=True))
    assert found.conversations.digest.equals(unsealed.conversations.digest)
