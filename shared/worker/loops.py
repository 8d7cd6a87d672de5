"""Supervised threads: one dies or makes no progress, and the process ends to be started anew."""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shared.log import get_logger

STUCK_SECONDS = 30.0
_LOOK_SECONDS = 0.5
_STOP_SECONDS = 25.0

_log = get_logger(__name__)


def _nothing() -> None:
    """Close nothing."""


@dataclass(slots=True)
class Loop:
    """One kind of work, done step by step.

    `step` does what waits and returns True when more is waiting; it returns within 30 seconds.
    Otherwise the loop sleeps until `wake` is set, `pause` seconds at the most.
    """

    name: str
    step: Callable[[], bool]
    wake: threading.Event = field(default_factory=threading.Event)
    pause: float = 1.0
    close: Callable[[], None] = _nothing
    last_beat: float = field(default_factory=time.monotonic, init=False)

    def run(self, stop: threading.Event) -> None:
        """Repeat the step until told to stop; what a step holds is finished first."""
        try:
            while not stop.is_set():
                self.last_beat = time.monotonic()
                if self.step():
                    continue
                self.last_beat = time.monotonic()
                if self.pause:
                    self.wake.wait(self.pause)
                    self.wake.clear()
        finally:
            self.close()


def run_loops(
    loops: Sequence[Loop],
    stop: threading.Event,
    *,
    stuck_seconds: float = STUCK_SECONDS,
    end_process: Callable[[int], object] = os._exit,
) -> int:
    """Run the loops until `stop` is set; return the exit code: 0, or 1 when a loop died.

    A loop without progress for `stuck_seconds` cannot be ended from outside, so the process is:
    `end_process(1)` is called.
    """
    threads = {
        loop.name: threading.Thread(target=loop.run, args=(stop,), name=loop.name, daemon=True)
        for loop in loops
    }
    for loop in loops:
        loop.last_beat = time.monotonic()
        threads[loop.name].start()
    died = False
    while not stop.wait(_LOOK_SECONDS):
        if any(not thread.is_alive() for thread in threads.values()):
            died = True
            stop.set()
        for loop in loops:
            if time.monotonic() - loop.last_beat > stuck_seconds:
                _log.error("loop-stuck", loop=loop.name)
                end_process(1)
    _wake_and_join(loops, threads)
    return 1 if died else 0


def _wake_and_join(loops: Sequence[Loop], threads: dict[str, threading.Thread]) -> None:
    for loop in loops:
        loop.wake.set()
    deadline = time.monotonic() + _STOP_SECONDS
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
