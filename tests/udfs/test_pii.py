import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conf.rules import Pii
from udfs import pii
from udfs.pii import KINDS, PREFIX

ALL = tuple(kind.name for kind in KINDS)
KEY = "sk-Zq81LmXt0aBcD4eFgH7iJkL9mNoP2qRs"


def _mask(conversations, kinds=ALL):
    offsets = np.cumsum([0, *map(len, conversations)])
    texts = pa.array([text for each in conversations for text in each], pa.string())
    masked, changed, _ = pii.mask(texts, offsets, kinds)
    return masked.to_pylist(), {name: np.flatnonzero(flags).tolist() for name, flags in changed.items() if flags.any()}


def test_the_recipe_has_a_key_for_every_kind():
    assert set(Pii.model_fields) == set(ALL)
    assert [name for name, is_on in Pii() if not is_on] == ["national_id"]


def test_a_value_has_one_pseudonym_in_one_conversation_and_numbers_start_anew_in_the_next():
    masked, changed = _mask(
        [
            ["Write to Ana@Example.org or bo@example.org, call +1 202-555-0143.", "ana@example.org? (202) 555-0143!"],
            [],
            [None, "bo@example.org"],
        ]
    )
    assert masked == [
        "Write to EMAIL_1 or EMAIL_2, call PHONE_1.",
        "EMAIL_1? PHONE_1!",
        "",
        "EMAIL_1",
    ]
    assert changed == {"mask_email": [0, 1, 3], "mask_phone": [0, 1]}


def test_no_pseudonym_is_given_that_the_conversation_has_written():
    masked, _ = _mask([["a@example.org and b@example.org"], ["a@example.org b@example.org", "EMAIL_1, XEMAIL_2y"]])
    assert masked == ["EMAIL_1 and EMAIL_2", "EMAIL_3 EMAIL_4", "EMAIL_1, XEMAIL_2y"]


def test_a_kind_that_is_off_is_left_alone_and_has_no_flags():
    masked, changed, _ = pii.mask(pa.array(["a@example.org 203.0.113.9"]), np.array([0, 1]), ("ip",))
    assert masked.to_pylist() == ["a@example.org IP_1"]
    assert list(changed) == ["mask_ip"]
    assert _mask([["a@example.org"]], ()) == (["a@example.org"], {})


def test_an_unknown_kind_is_refused_by_name():
    with pytest.raises(ValueError, match=r"no kind is called fax; expected some of card, email"):
        _mask([["a"]], ("fax",))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"api_key={KEY}@example.org", "api_key=EMAIL_1"),
        ("https://ana:Zx81pq@example.org/x", "https://LOGIN_1@example.org/x"),
        ("电话是010-84378966,010-84378963。", "电话是PHONE_1,PHONE_2。"),
        ("card 4111 1111 1111 1111, call 4111 1111 1111 1111", "card CARD_1, call CARD_1"),
        ("请写信到ana@example.org，谢谢", "请写信到EMAIL_1，谢谢"),
        ("NAME_1 +1 202-555-0143 202-555-0144", "NAME_1 PHONE_1 PHONE_2"),
        ("4111 1111 1111 1111 5500 0000 0000 0004 12/25", "CARD_1 CARD_2 12/25"),
        ("+1 202-555-0143 (202) 555-0144", "PHONE_1 PHONE_2"),
        ("212\u00a0736\u00a05000, 4111 1111\n1111\u00a01111", "PHONE_1, CARD_1"),
    ],
)
def test_where_values_touch_what_remains_has_none(text, masked):
    assert _mask([[text]])[0] == [masked]


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话１３８１２３４５６７８。13812345678", "电话PHONE_1。PHONE_1"),
        ("هاتف ٠١٠٠١٢٣٤٥٦٧", "هاتف PHONE_1"),
        ("फ़ोन ९८२०१ २३४५६", "फ़ोन PHONE_1"),
        ("+44\u202f20\u202f7946\u202f0018 and ＋44 20 7946 0018", "PHONE_1 and PHONE_1"),
        ("4111\u00a01111\u00a01111\u00a01111", "CARD_1"),
        ("DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", "IBAN_1"),
        ("ana＠example.org，ana@example.org", "EMAIL_1，EMAIL_1"),
        ("第１２３章，２０２４年", "第１２３章，２０２４年"),
    ],
)
def test_digits_signs_and_blanks_of_other_scripts_make_no_other_value(text, masked):
    assert _mask([[text]])[0] == [masked]


pieces = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "a@example.org",
                "@",
                "://u:",
                "pw8@x.de",
                "+1 202-555-0143",
                "203.0.113.9",
                KEY,
                "api_key=",
                " ",
                "\n",
                "-",
                "4111111111111111",
                "DE89370400440532013000",
                "call ",
                "EMAIL_1",
                "KEY_2@",
                "123-45-6789",
                "eyJ",
                ".",
                "-----BEGIN PRIVATE KEY-----",
                "2001:db8::1",
                "电话",
                "\x00",
                "é",
                "(",
                "0",
                "12345678Z",
            ]
        ),
        st.text(max_size=5),
    ),
    max_size=12,
).map("".join)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(pieces, max_size=3), max_size=3))
def test_masking_masked_text_changes_nothing_and_a_conversation_is_masked_as_it_is_alone(conversations):
    encodable = [[text.encode("utf-8", "replace").decode() for text in each] for each in conversations]
    masked, changed = _mask(encodable)
    rows = iter(masked)
    again = [[next(rows) for _ in each] for each in encodable]
    assert _mask(again) == (masked, {})
    assert [text for each in encodable for text in _mask([each])[0]] == masked
    flagged = {row for rows_of in changed.values() for row in rows_of}
    assert flagged == {row for row, text in enumerate(t for each in encodable for t in each) if masked[row] != text}
    assert all(name.startswith(PREFIX) for name in changed)


@pytest.mark.parametrize(
    ("texts", "replaced"),
    [
        (["none"], []),
        (
            ["A@Example.org, a@example.org", "call +1 202-555-0143"],
            [
                (0, 9, "EMAIL_1", "a@example.org"),
                (0, 0, "EMAIL_1", "A@Example.org"),
                (1, 5, "PHONE_1", "+1 202-555-0143"),
            ],
        ),
        (
            [f"api_key={KEY}@example.org"],
            [(0, 8, "EMAIL_1", "KEY_1@example.org"), (0, 8, "KEY_1", KEY)],
        ),
        ([None, "電話 é a@example.org"], [(1, 5, "EMAIL_1", "a@example.org")]),
    ],
)
def test_what_was_written_is_told_by_place_in_the_order_of_putting_it_back(texts, replaced):
    found = pii.mask(pa.array(["x", *texts], pa.string()), np.array([0, 1, 1 + len(texts)]), ALL).replaced
    assert [one[1:] for one in found] == replaced
    assert {one.conversation for one in found} <= {1}


def test_a_text_without_the_pseudonym_is_not_restored():
    with pytest.raises(ValueError, match=r"expected EMAIL_1 behind 3 characters"):
        pii.restore("to  EMAIL_1", [(3, "EMAIL_1", "a@example.org")])


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "1",
        "1 ",
        "a@",
        "a.",
        "@a.b",
        "eyJ",
        "eyJaaaaaaaa.",
        "api_key=",
        "-----BEGIN PRIVATE KEY-----",
        "://a:b",
        "sk-",
        "1.",
        "2001:",
        "DE89 3704 ",
        "4111 ",
        "+1",
        "(",
        "a@b.co ",
        "中",
        "\x00",
        "xoxb-",
        "ssh a@b.co ",
        "token ",
        "12\n",
        "12 34-\n",
        "4111 1111\n",
        "+1 202-555-0143 12 ",
    ],
)
def test_long_runs_of_anything_go_through_in_linear_time(unit):
    masked, _ = _mask([[unit * (100_000 // len(unit))]])
    assert len(masked) == 1
