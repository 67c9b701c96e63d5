"""How far has the tokenising come? Told on a line that is written over at a terminal, and now and then in a log."""

import sys
import time
from collections.abc import Callable

EVERY = 30.0
"""Seconds between two lines of a log: few lines an hour, and never a silence that looks like a hang."""


def telling(every: float = EVERY) -> Callable[[int, int], None]:
    """A function to call with the rows done and the rows in all, which tells of them where it is time; of the last
    always."""
    told = time.monotonic()

    def tell(done: int, rows: int) -> None:
        nonlocal told
        line, now, is_last = f"tokenising: {done:,} of {rows:,} rows", time.monotonic(), done == rows
        if sys.stderr.isatty():
            print(f"\r{line}", end="\n" if is_last else "", file=sys.stderr, flush=True)
        elif is_last or now - told >= every:
            print(line, file=sys.stderr, flush=True)
            told = now

    return tell
