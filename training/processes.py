"""A function in worker processes, its results in the order of the tasks; a worker that is killed is an error.

Each worker has a pipe of its own. Where all write to one, as in ``concurrent.futures`` and ``multiprocessing.Pool``, a
worker that is killed half-way through an answer leaves the reader waiting for the rest for ever: the other workers hold
the pipe open. Here its end is the end of its pipe.
"""

import multiprocessing
import pickle
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import Any

Task = tuple[Any, ...]
Work = Callable[..., Any]


class WorkerLost(Exception):
    """A worker process ended before it had answered."""


def in_order(make: Callable[..., Work], arguments: Task, tasks: Iterable[Task], workers: int) -> Iterator[Any]:
    """``work(*task)`` for each task, in their order. ``work`` is what ``make(*arguments)`` returns in each of
    ``workers`` processes, once; ``make`` stands at the top of a module. At most three tasks a worker are under way, so
    that memory stays bounded.

    What they raise is raised here, with the worker's traceback as a note; where it cannot be sent from process to
    process, a RuntimeError that tells of it. Raises WorkerLost when a process is killed. No process is left either way.
    """
    running: deque[Future[Any]] = deque()
    with _asking(make, arguments, workers) as ask:
        for task in tasks:
            running.append(ask(task))
            if len(running) >= 3 * workers:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


@contextmanager
def _asking(make: Callable[..., Work], arguments: Task, workers: int) -> Iterator[Callable[[Task], Future[Any]]]:
    """Hands a task to the first worker that is idle: a thread for each sends it and waits for the answer."""
    started: list[tuple[BaseProcess, Connection]] = []
    idle: SimpleQueue[Connection] = SimpleQueue()
    threads = ThreadPoolExecutor(workers)
    try:
        for _ in range(workers):
            started.append(_start(make, arguments))
            idle.put(started[-1][1])
        yield lambda task: threads.submit(_answer, idle, task)
    finally:
        for process, _ in started:
            process.kill()  # which ends its pipe, and so what still waits for an answer
        threads.shutdown(cancel_futures=True)
        for process, pipe in started:
            process.join()
            pipe.close()


def _start(make: Callable[..., Work], arguments: Task) -> tuple[BaseProcess, Connection]:
    """A fresh process, not a fork: the threads of Arrow and of the tokenizer do not survive a fork."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([make.__module__])  # imports once, not once a worker
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, make, arguments), daemon=True)
    process.start()
    theirs.close()  # the worker alone holds this end now
    return process, ours


def _answer(idle: SimpleQueue[Connection], task: Task) -> Any:
    """The answer of an idle worker."""
    pipe = idle.get()
    try:
        pipe.send(task)
        result, error = pipe.recv()
    except (EOFError, OSError) as lost:
        raise WorkerLost(str(lost)) from lost
    finally:
        idle.put(pipe)
    if error is not None:
        raise error
    return result


def _serve(pipe: Connection, make: Callable[..., Work], arguments: Task) -> None:
    """In the worker: answers until nobody asks."""
    made: list[Work] = []

    def work(*task: Any) -> Any:  # made at the first task, so that a failure to make it is an answer too
        if not made:
            made.append(make(*arguments))
        return made[0](*task)

    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        pipe.send_bytes(_tried(work, task))


def _tried(work: Work, task: Task) -> bytes:
    """The pickled answer: a result and None, or None and what was raised."""
    try:
        return pickle.dumps((work(*task), None))
    except Exception as error:
        error.add_note(traceback.format_exc())
        return pickle.dumps((None, _sendable(error)))


def _sendable(error: Exception) -> Exception:
    """The error; its text where it would not arrive, as with one that holds a lock or is made of two values."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        told = RuntimeError(f"{type(error).__name__}: {error}")
        told.__notes__ = error.__notes__
        return told
    return error
