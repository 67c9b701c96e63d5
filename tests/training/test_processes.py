"""Work in other processes: answers in order, errors that are told, and no hang whenever a process is killed."""

import multiprocessing
import os
import signal
import struct
import time

import pytest

from training.processes import WorkerLost, in_order


def adding(start: int):
    return lambda number, seconds=0.0: (time.sleep(seconds), start + number)[1]


def failing():
    return lambda number: 1 // number


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
    "written", [b"", struct.pack("!i", 1000), struct.pack("!i", 1000) + b"x" * 10], ids=["nothing", "length", "half"]
)
def test_a_worker_killed_before_its_whole_answer_is_an_error_though_others_are_at_work(written):
    begun = time.monotonic()
    with pytest.raises(WorkerLost):
        list(in_order(dying, (written,), [(0,), (1,)], 2))
    assert time.monotonic() - begun < 50
    assert multiprocessing.active_children() == []


def test_what_cannot_be_started_is_an_error():
    with pytest.raises(WorkerLost):
        list(in_order(adding, ("a", "too many"), [(0,)] * 9, 2))
