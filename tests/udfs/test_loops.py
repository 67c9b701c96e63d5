import numpy as np
import pyarrow as pa

from udfs import loops


def test_what_is_repeated_is_counted_once():
    words = " ".join(f"w{number}" for number in range(40))
    found = loops.repeated(pa.array([words, f"{words} {words}", "w " * 40, "few words", ""]))
    assert np.allclose(found, [0, 0.5, 39 / 40, 0, 0])


def test_a_run_is_counted_in_characters():
    assert loops.longest_run(pa.array(["aab", "中中中", "😀😀😀😀", "xyxyxy", "----", ""])).tolist() == [
        2,
        3,
        4,
        3,
        1,
        1,
    ]
