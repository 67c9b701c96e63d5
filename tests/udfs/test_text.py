import time

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs import rules, text
from udfs.repair import Options, SystemPrompt

PIECES = (
    "a", "b", "é", "à", "ß", "Ł", "’", "“", "”", "…", "–", "€", "™", "中", "文", "Привет", "Їі", "😀", "Ã", "Â", "â",
    "&lt;", "ﬁ", "```", "\\u2019", "\\u201", "ï»¿", "\x92", "\x85", "\x80", "\x81", "\x0c", "\x1b", "\x1b[31m", "[3m",
    "\x00", "\ufeff", "\u202e", "\u200d", "\u200f", "\ufffd", "\ud83d", "\ude00", " ", "   ", "\n", "\n\n\n", "\r\n",
    "\r", "\t", "\u00a0", "\u3000", "\u2003",
    "`", "~~~", "and/or", "and", "/", "or", "❤", "\ufe0f", "\ufe0e", "\U0001f3fd", "👩", "🇩🇪", "1", "\u20e3", "🏴",
    "\U000e0067", "\U000e007f", "©", "&amp;", "&#39;", "amp;", "<p>", "</p>", "<br>", "<div class='x'>", "</div>",
    "<pre><code>", "</code></pre>",
    "<table><tr><td>", "</td></tr></table>", "Copy code", "\nCopy code\n", "1 / 2\n", "ChatGPT said:\n",
    "Regenerate response",
    "python", "<|im_end|>", "<|", "|>", "</s>", "<s", ">", "[INST]", "[", "]", "<<SYS>>", "USER:", "ASSISTANT", ":",
    "Samantha",
    "Theodore", "Hey ", ", ", ". ", "I ", "is ",
)  # fmt: skip
pieces = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
charsets = st.sampled_from(["latin-1", "cp1252", "cp1251", "cp1250", "mac_roman", "cp437"])


def _misread(drawn: tuple[str, list[str]]) -> str:
    written, charsets_used = drawn
    for charset in charsets_used:
        written = written.encode("utf-8", "replace").decode(charset, "replace")
    return written


anything = st.one_of(
    st.text(st.characters(), max_size=50), pieces, st.tuples(pieces, st.lists(charsets, max_size=2)).map(_misread)
)


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("It\u00e2\u20ac\u2122s fine", "It’s fine"),
        ("PÃ©rez", "Pérez"),
        ("Â£100", "£100"),
        ("РџСЂРёРІРµС‚", "Привет"),
        ("\u00d0\u00bf\u00d1\u20ac\u00d0\u00b8\u00d0\u00b2\u00d0\u00b5\u00d1\u201a", "привет"),
        ("l\x92embauche", "l’embauche"),
        ("ï»¿hello", "hello"),
        ("\ufeffhello", "hello"),
        ("a\r\nb\rc\x0cd", "a\nb\nc\nd"),
        ("a\x00b\x07c\x7f", "abc"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("abc\u202ecba\u202c", "abccba"),
        ("\ud83d\ude00 \ud83d", "😀 \ufffd"),
    ],
)
def test_fix_unicode_mends(broken, mended):
    assert text.fix_unicode(broken) == mended


@pytest.mark.parametrize(
    "kept",
    ["“quotes” ‘stay’", "&lt;b&gt; &amp;", "ﬁne ﬂow", "ｆｕｌｌ　ｗｉｄｔｈ",
     "👩\u200d👩\u200d👧", "می\u200cخواهم",
             "ש\u200f!", "tab\tand\nnewline", "São Paulo ÀÉÎ", "Різні їжі Її", "├── src", "naïve café — déjà vu…"]
)  # fmt: skip
def test_fix_unicode_leaves(kept):
    assert text.fix_unicode(kept) == kept


@pytest.mark.parametrize(
    ("curly", "straight"),
    [
        ("‘a’ ‚b‛ “c” „d‟", "'a' 'b' \"c\" \"d\""),
        ("« guillemets »", "« guillemets »"),
        (r"don\u2019t \u2018x\u2019 \u201cy\u201d \u201Cz\u201D", 'don\'t \'x\' "y" "z"'),
        (r"\u2014 \u201 \u2010", r"\u2014 \u201 \u2010"),
        ("“Ja” `“code”`\n```\n“code”\n```", '"Ja" `“code”`\n```\n“code”\n```'),
        ("他说“Python 很好”。\nShe said “猫” means cat", '他说“Python 很好”。\nShe said "猫" means cat'),
    ],
)
def test_straighten_quotes_gives_ascii_quotes(curly, straight):
    assert text.straighten_quotes(curly) == straight


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\n\n\nb", "a\n\nb"),
        ("a\n \t\n\u3000\n\nb", "a\n\nb"),
        ("a\n\nb\nc", "a\n\nb\nc"),
        ("a\n\n\n```\nx\n\n\n\ny\n```\n\n\n\nb", "a\n\n```\nx\n\n\n\ny\n```\n\nb"),
        ("a\n\n\n```\nx\n\n\n\nnever closed", "a\n\n```\nx\n\n\n\nnever closed"),
        ("a\n\n\n~~~\nx\n\n\n\n~~~\n\n\nb", "a\n\n~~~\nx\n\n\n\n~~~\n\nb"),
    ],
)
def test_collapse_newlines_leaves_one_empty_line_and_code_as_it_is(before, after):
    assert text.collapse_newlines(Options()).apply(before) == after


@pytest.mark.parametrize(
    ("most", "after"), [(1, "a\nb\nc"), (2, "a\n\nb\nc"), (3, "a\n\n\nb\nc"), (4, "a\n\n \n\nb\nc")]
)
def test_collapse_newlines_leaves_as_long_a_run_as_asked(most, after):
    assert text.collapse_newlines(Options(newlines=most)).apply("a\n\n \n\nb\nc") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x and/or y, and\\or z", "x and y, and z"),
        ("And/Or AND / OR", "And AND"),
        (
            "`and/or` ```\nand/or\n``` /usr/and/or/x hand/or and/ore",
            "`and/or` ```\nand/or\n``` /usr/and/or/x hand/or and/ore",
        ),
    ],
)
def test_and_or_becomes_and_outside_code_and_paths(before, after):
    assert text.and_or(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  a  \n", "a"),
        ("a  \nb\t\nc", "a\nb\nc"),
        ("\u3000\u2003a\u00a0", "a"),
        ("a \n```\nx  \n```  \nb", "a\n```\nx  \n```\nb"),
        (" \n\t ", ""),
        ("a\n  indented", "a\n  indented"),
    ],
)
def test_trim_whitespace_strips_the_message_and_its_lines_outside_code(before, after):
    assert text.trim_whitespace(before) == after


TOLD = Options(names=(("Samantha", ""), ("Theodore", "Sam")), system=SystemPrompt("normalise", "I is and/or", ("or",)))


@settings(max_examples=150, deadline=None)
@given(anything)
def test_every_edit_is_idempotent_and_screened(written):
    for edit in rules.EDITS:
        repair = edit.repair(TOLD)
        edited = repair.apply(written)
        assert repair.apply(edited) == edited, edit.name
        if edited != written and not any("\ud800" <= character <= "\udfff" for character in written):
            assert pc.match_substring_regex(pa.array([written]), repair.suspects)[0].as_py(), edit.name


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        " ",
        "\n",
        "``` ",
        "Ã¢",
        "\x1b[",
        "\\u201",
        " \n",
        "é’",
        "中",
        "`",
        "<|",
        "&amp;",
        "<p>",
        "😀 ",
        "Samantha, ",
    ],
)
def test_many_of_anything_take_every_edit_linear_time(unit):
    for edit in rules.EDITS:
        repair = edit.repair(TOLD)
        edited = repair.apply("x" + unit * 20_000 + "y")
        assert repair.apply(edited) == edited


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        ("&" + "amp;" * 20_000, "&"),
        ("&" + "#38;" * 20_000, "&"),
        ("ChatGPT:\n" * 20_000 + "x", "x"),
        ("```\n" + "Copy code\n" * 20_000 + "x", "```\nx"),
    ],
)
def test_what_an_edit_uncovers_again_and_again_takes_linear_time(layers, left):
    started = time.process_time()
    edited, _ = rules.edit(pa.array([layers]), pa.array(["user"]), ("unescape_html", "ui_junk"))
    assert edited[0].as_py() == left
    assert time.process_time() - started < 5
