"""Supervised threads: one dies or makes no progress, and the process ends to be started anew."""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.log import beginning, get_logger

STUCK_SECONDS = 28.0
"""With the time until the next look it is noticed within 30 seconds."""
_LOOK_SECONDS = 0.5
_STANDSTILL_SECONDS = 5.0
_LEAST_CPU_SECONDS = 1.0
_STOP_SECONDS = 25.0

_log = get_logger(__name__)
_running = threading.local()


def _nothing() -> None:
    """Close nothing."""


@dataclass(slots=True)
class Loop:
    """One kind of work, done step by step.

    `step` does what waits and returns True when more is waiting; it returns within STUCK_SECONDS,
    or calls `progress` between its parts. Otherwise the loop sleeps until `wake` is set, `pause`
    seconds at the most. Each step has a trace of its own, for what belongs to no event.
    """

    name: str
    step: Callable[[], bool]
    wake: threading.Event = field(default_factory=threading.Event)
    pause: float = 1.0
    close: Callable[[], None] = _nothing
    busy_since: float | None = field(default=None, init=False)

    def run(self, stop: threading.Event) -> None:
        """Repeat the step until told to stop; what a step holds is finished first."""
        _running.loop = self
        try:
            while not stop.is_set():
                self.busy_since = time.monotonic()
                with beginning():
                    more = self.step()
                self.busy_since = None
                if self.pause and not more:
                    self.wake.wait(self.pause)
                    self.wake.clear()
        finally:
            self.close()

    def is_stuck(self, seconds: float) -> bool:
        """Tell whether a step has been running for longer than that; a loop at rest is not."""
        since = self.busy_since
        return since is not None and time.monotonic() - since > seconds


def progress() -> None:
    """Tell the watchdog that the step of this thread goes on; nothing outside a loop's thread."""
    loop: Loop | None = getattr(_running, "loop", None)
    if loop is not None:
        loop.busy_since = time.monotonic()


def run_loops(
    loops: Sequence[Loop],
    stop: threading.Event,
    *,
    stuck_seconds: float = STUCK_SECONDS,
    end_process: Callable[[int], object] = os._exit,
) -> int:
    """Run the loops until `stop` is set; return the exit code: 0, or 1 when a loop died.

    A loop without progress for `stuck_seconds` cannot be ended from outside, so the process is:
    `end_process(1)` is called. One that does not even let this thread look (it holds the
    interpreter's lock) is ended by SIGPROF after that many seconds of computing.
    """
    threads = {
        loop.name: threading.Thread(target=loop.run, args=(stop,), name=loop.name, daemon=True)
        for loop in loops
    }
    # Of processor time, as it does not run while the process is stopped.
    computing = max(stuck_seconds, _LEAST_CPU_SECONDS)
    signal.setitimer(signal.ITIMER_PROF, computing)
    for thread in threads.values():
        thread.start()
    died, looked_at = False, time.monotonic()
    while not stop.wait(_LOOK_SECONDS):
        signal.setitimer(signal.ITIMER_PROF, computing)
        if any(not thread.is_alive() for thread in threads.values()):
            died = True
            stop.set()
        _forgive(loops, time.monotonic() - looked_at - _LOOK_SECONDS)
        looked_at = time.monotonic()
        for loop in loops:
            if loop.is_stuck(stuck_seconds):
                _log.error("loop-stuck", loop=loop.name, at=_stack(threads[loop.name]))
                end_process(1)
    signal.setitimer(signal.ITIMER_PROF, 0)
    _wake_and_join(loops, threads)
    return 1 if died else 0


def _forgive(loops: Sequence[Loop], stood_still: float) -> None:
    """Leave out the time in which the whole process was stopped: no loop is at fault."""
    if stood_still < _STANDSTILL_SECONDS:
        return
    for loop in loops:
        since = loop.busy_since
        if since is not None:
            loop.busy_since = min(since + stood_still, time.monotonic())


def _stack(thread: threading.Thread) -> list[str]:
    """Return where a thread is: modules and lines, outermost first, no values."""
    frame = sys._current_frames()[thread.ident or 0]  # noqa: SLF001  (the documented way)
    places = traceback.walk_stack(frame)
    return [f"{part.f_globals.get('__name__', '?')}:{line}" for part, line in places][::-1]


def _wake_and_join(loops: Sequence[Loop], threads: Mapping[str, threading.Thread]) -> None:
    for loop in loops:
        loop.wake.set()
    deadline = time.monotonic() + _STOP_SECONDS
    for thread in threads.values():
        thread.join(max(0.0, deadline - time.monotonic()))
