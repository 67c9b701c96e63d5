"""Work in other processes: answers in order, errors that are told, and no hang whenever a process is killed."""

import multiprocessing
import os
import signal
import struct
import threading
import time

import pytest

from training.processes import WorkerLost, in_order


def adding(start: int):
    return lambda number, seconds=0.0: (time.sleep(seconds), start + number)[1]


def failing():
    return lambda number: 1 // number


class OfTwo(Exception):
    """Pickle makes it anew of its text alone, and cannot."""

    def __init__(self, row: int, reason: str):
        super().__init__(f"row {row}: {reason}")


def failing_for_two():
    def work(number: int):
        raise OfTwo(number, "no text")

    return work


def failing_with_a_lock():
    def work(number: int):
        error = ValueError(f"row {number}: no text")
        error.lock = threading.Lock()  # type: ignore[attr-defined]
        raise error

    return work


def answering_with_what_cannot_be_sent():
    return lambda number: lambda: number


def dying(written: bytes):
    def work(number: int) -> int:
        if number == 0:
            pipe = multiprocessing.current_process()._args[0]
            os.write(pipe.fileno(), written)
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
        return number

    return work


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_answers_are_in_the_order_of_the_tasks(workers):
    tasks = [(number, 0.2 if number in (0, 5) else 0.0) for number in range(20)]
    assert list(in_order(adding, (100,), tasks, workers)) == list(range(100, 120))
    assert multiprocessing.active_children() == []


def test_tasks_are_taken_as_answers_are():
    taken = []
    tasks = ((taken.append(number), (number,))[1] for number in range(100))
    answers = in_order(adding, (0,), tasks, 2)
    assert [next(answers) for _ in range(4)] == [0, 1, 2, 3]
    assert len(taken) == 3 + 6
    answers.close()
    assert multiprocessing.active_children() == []


def test_what_a_worker_raises_is_raised_with_its_traceback():
    with pytest.raises(ZeroDivisionError) as told:
        list(in_order(failing, (), [(1,), (0,), (1,)], 2))
    assert "1 // number" in told.value.__notes__[0]
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (failing_for_two, "OfTwo: row 3: no text"),
        (failing_with_a_lock, "ValueError: row 3: no text"),
        (answering_with_what_cannot_be_sent, "pickle"),
    ],
)
def test_what_cannot_be_sent_from_a_worker_is_told_and_the_worker_is_not_lost(make, told):
    with pytest.raises(Exception, match=told) as error:
        list(in_order(make, (), [(3,)], 1))
    assert not isinstance(error.value, WorkerLost) and "Traceback" in error.value.__notes__[0]
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(
    "written", [b"", struct.pack("!i", 1000), struct.pack("!i", 1000) + b"x" * 10], ids=["nothing", "length", "half"]
)
def test_a_worker_killed_before_its_whole_answer_is_an_error_though_others_are_at_work(written):
    begun = time.monotonic()
    with pytest.raises(WorkerLost):
        list(in_order(dying, (written,), [(0,), (1,)], 2))
    assert time.monotonic() - begun < 50
    assert multiprocessing.active_children() == []


def test_what_cannot_be_started_says_why():
    with pytest.raises(TypeError, match="adding"):
        list(in_order(adding, ("a", "too many"), [(0,)] * 9, 2))
