"""What a library says becomes what a user can act on."""

import pytest

from training.errors import RunRefused
from training.failures import explain

SAID = [
    ("CUDA out of memory. Tried to allocate 2.00 GiB", "out of memory: `winnow train --check`"),
    ("CUDA error: out of memory\nCUDA kernel errors might be reported later", "out of memory: `winnow train --check`"),
    ("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", "out of memory: `winnow train"),
    ("NCCL error in: x.cpp:1, unhandled cuda error\nLast error:\nCuda failure 2 'out of memory'", "out of memory: "),
    ("CUDA error: invalid device ordinal\nCUDA kernel errors might be reported later", "leave out what binds GPUs"),
    (
        "NCCL error in: x.cpp:1, invalid usage\nLast error:\nDuplicate GPU detected : rank 1 and rank 0 both on it",
        "leave out what binds GPUs to tasks",
    ),
    ("NCCL error in: x.cpp:1, remote process exited or there was a network error", "another rank is gone"),
    ("[x] Timed out waiting 1800000ms for recv operation to complete", "another rank is gone"),
    ("PytorchStreamWriter failed writing file data/1: file write failed", "the disk is full"),
    ("correct these values:\n- ds a=1 vs hf b=2\n- c", "these values: - ds a=1 vs hf b=2 - c (WINNOW_DEBUG=1 shows"),
    ("something else\nand more", "something else (WINNOW_DEBUG=1 shows"),
]


@pytest.mark.parametrize(("said", "told"), SAID)
def test_a_failure_of_a_library_is_one_line_that_says_what_to_do(said: str, told: str) -> None:
    line, code = explain(RuntimeError(said))
    assert told in line and said.splitlines()[0] in line and "\n" not in line
    assert code == 1


def test_an_error_of_ours_keeps_its_words_and_its_code() -> None:
    assert explain(RunRefused("no such pin")) == ("no such pin", 2)
