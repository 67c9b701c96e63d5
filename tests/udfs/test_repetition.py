import numpy as np
import pyarrow as pa
import pytest

from tests.udfs.chats import holds
from udfs import repetition

POEM = (
    "The moon is far away from the earth, and yet its pull moves every sea. Sailors knew this long before anyone could "
    "say why: they watched the tide come in, counted hours, and wrote small tables for their harbours."
)


@pytest.mark.parametrize(
    "text",
    [
        "I do not know what to say about it. " * 10,
        "no " * 40,
        "我不知道该说什么。" * 10,
        "Line one of it\n" * 20,
        "Well " + "a" * 200,
        "Well " + "哈" * 200,
        POEM + " the the the" * 60,
    ],
)
def test_a_loop_is_repetition(text):
    assert holds("repetition", "u:speak please", f"a:{text}")
    assert holds("repetition", f"u:{text}", "a:Stop it please.")


@pytest.mark.parametrize(
    "text", [POEM, POEM + "\n" + "-" * 300, "ha ha ha ha", "", "| a | b |\n|---|---|\n" + " " * 500]
)
def test_text_rules_and_short_chants_are_not(text):
    assert not holds("repetition", "u:speak please", f"a:{text}")


def test_what_is_repeated_is_counted_once():
    words = " ".join(f"w{number}" for number in range(40))
    found = repetition.repeated(pa.array([words, f"{words} {words}", "w " * 40, "few words", ""]))
    assert np.allclose(found, [0, 0.5, 39 / 40, 0, 0])


def test_a_run_is_counted_in_characters():
    assert repetition.longest_run(pa.array(["aab", "中中中", "😀😀😀😀", "xyxyxy", "----", ""])).tolist() == [
        2,
        3,
        4,
        3,
        1,
        1,
    ]
