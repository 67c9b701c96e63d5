"""One process per rank on this machine: started together, told of signals, and never left waiting for a dead one."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from training.errors import STOPPED
from training.lock import INHERITED

GRACE = 30.0
"""Seconds the other ranks have to end by themselves after one has failed."""
POLL = 0.1
PASSED_ON = {signal.SIGUSR1: signal.SIGUSR1, signal.SIGTERM: signal.SIGTERM, signal.SIGINT: signal.SIGTERM}
"""What the ranks are sent for a signal this process gets; a second Ctrl-C kills them."""


def run(command: Sequence[str], ranks: int, threads: int, lock: int) -> int:
    """Run ``command`` once per rank and return the exit code of the run: 0, 75 (stopped, goes on), or the failure's.

    ``threads`` are OpenMP threads of each rank; 0 shares the machine's cores out. ``lock`` is the open file that keeps
    other runs out: each rank holds it too, and so it is held until the last of them has ended.
    """
    port, cores = _free_port(), os.cpu_count() or 1
    common = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(ranks),
        "LOCAL_WORLD_SIZE": str(ranks),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or str(threads or max(1, cores // ranks)),
        INHERITED: str(lock),
    }
    processes: list[subprocess.Popen[bytes]] = []
    with _signals_to(processes):
        for rank in range(ranks):
            environment = {**os.environ, **common, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            # A session of its own: Ctrl-C reaches the ranks through us, as a wish to save.
            processes.append(subprocess.Popen(command, env=environment, start_new_session=True, pass_fds=(lock,)))
        return _wait(processes)


def _wait(processes: list[subprocess.Popen[bytes]]) -> int:
    while True:
        codes = [process.poll() for process in processes]
        failed = [(rank, code) for rank, code in enumerate(codes) if code not in (None, 0, STOPPED)]
        if failed:
            time.sleep(POLL * 5)  # the rank that failed first may be about to end too
            return _failure(processes)
        if None not in codes:
            return STOPPED if STOPPED in codes else 0
        time.sleep(POLL)


def _failure(processes: list[subprocess.Popen[bytes]]) -> int:
    """End the ranks that still run; return the exit code of the one that is the cause, and name it."""
    codes = {rank: process.poll() for rank, process in enumerate(processes)}
    failed = {rank: code for rank, code in codes.items() if code not in (None, 0, STOPPED)}
    rank, code = min(failed.items(), key=lambda one: (_suspicion(one[1]), one[0]))
    _end([process for process in processes if process.poll() is None])
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = ": out of memory, or killed by someone" if -code == signal.SIGKILL else ""
        print(f"winnow train: rank {rank} was ended by {name}{hint}; the others were ended too.", file=sys.stderr)
        return 128 - code
    print(f"winnow train: rank {rank} failed with exit code {code}; the others were ended too.", file=sys.stderr)
    return code or 1


def _suspicion(code: int | None) -> int:
    """A rank that was killed is the cause before one that then missed it; a refusal (2) before a failure (1)."""
    return 0 if code is None or code < 0 else 1 if code != 1 else 2


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + GRACE
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _signals_to:
    """While open, signals of this process go on to the ranks; what was set before is put back at the end."""

    def __init__(self, processes: list[subprocess.Popen[bytes]]):
        self.processes = processes
        self.asked = 0

    def __enter__(self) -> None:
        self.before = {number: signal.signal(number, self._pass_on) for number in PASSED_ON}

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        for process in self.processes:
            if process.poll() is None:
                process.kill()

    def _pass_on(self, number: int, _: object) -> None:
        self.asked += number == signal.SIGINT
        sent = signal.SIGKILL if self.asked > 1 else PASSED_ON[signal.Signals(number)]
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(sent)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
