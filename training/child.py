"""A command in a process of its own that hears the signals this process gets, and its exit code."""

import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from types import FrameType

_LISTEN_SECONDS = 1.0


class Child:
    """The command, started, which hears ``signals``. With ``own_session`` a Ctrl-C comes to it only by us."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        signals: Iterable[int],
        own_session: bool = False,
    ):
        self._process = subprocess.Popen(command, env=environment, start_new_session=own_session)
        self._before = {number: signal.signal(number, self._hand_on) for number in signals}
        self.pid = self._process.pid

    def wait(self) -> int:
        """Its exit code once it has ended, 128 + N where signal N ended it; signals are then heard as before."""
        while self._process.returncode is None:
            # Not without end: a signal that comes right before Python waits is heard only once it has waited.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_LISTEN_SECONDS)
        code = self._process.returncode
        for number, handler in self._before.items():
            signal.signal(number, handler)
        return code if code >= 0 else 128 - code

    def _hand_on(self, number: int, _frame: FrameType | None) -> None:
        self._process.send_signal(number)
