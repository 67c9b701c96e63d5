"""What is going on: job, stage, rows and rows a second; a bar on a terminal, plain lines elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from pyspark.sql import SparkSession
from tqdm import tqdm

_TICK_SECONDS = 0.5


class Progress:
    """Reports the stages of one job. ``rows`` are those that Spark says its stages wrote meanwhile."""

    def __init__(self, spark: SparkSession | None, job: str, out: TextIO | None = None):
        self._spark, self._job, self._out = spark, job, out or sys.stderr
        self._is_terminal = self._out.isatty()

    @contextmanager
    def stage(self, name: str, size: int = 0) -> Iterator[None]:
        """Report one stage from start to end: a live bar of Spark tasks on a terminal, one line when it is done."""
        started, done = time.monotonic(), threading.Event()
        before = self._rows()
        watcher = threading.Thread(target=self._watch, args=(name, before, done), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            done.set()
            watcher.join()
        self._line(name, time.monotonic() - started, self._rows() - before, size)

    def say(self, text: str) -> None:
        """One plain line."""
        print(f"{self._job}: {text}", file=self._out, flush=True)

    def _line(self, name: str, seconds: float, rows: int, size: int) -> None:
        rate = f", {rows:,} rows, {rows / max(seconds, 1e-3):,.0f} rows/s" if rows else ""
        rate += f", {size / 1e6 / max(seconds, 1e-3):,.1f} MB/s" if size else ""
        self.say(f"{name} {seconds:.1f} s{rate}")

    def _watch(self, name: str, before: int, done: threading.Event) -> None:
        if not self._is_terminal or self._spark is None:
            return
        started = time.monotonic()
        with tqdm(total=0, desc=f"{self._job}: {name}", unit="task", leave=False, file=self._out) as bar:
            while not done.wait(_TICK_SECONDS):
                bar.total, bar.n = self._tasks()
                rows = self._rows() - before
                bar.set_postfix_str(f"{rows:,} rows, {rows / (time.monotonic() - started):,.0f} rows/s")
                bar.refresh()

    def _tasks(self) -> tuple[int, int]:
        tracker = self._spark.sparkContext.statusTracker()  # type: ignore[union-attr]
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        return sum(s.numTasks for s in stages if s), sum(s.numCompletedTasks for s in stages if s)

    def _rows(self) -> int:
        """Rows written so far by all stages of this session (from Spark's own status store, which needs no UI)."""
        if self._spark is None:
            return 0
        try:
            gateway: Any = self._spark.sparkContext._gateway
            everything, no_quantiles = gateway.jvm.java.util.ArrayList(), gateway.new_array(gateway.jvm.double, 0)
            store = self._spark._jsc.sc().statusStore()
            stages = store.stageList(everything, False, False, no_quantiles, everything)
            return sum(stages.apply(i).outputRecords() for i in range(stages.size()))
        except Exception:  # the status store is Spark's private API: without it there is progress, but no row count
            return 0
