"""drain: webhooks per second from 10,000 intakes waiting after a stop / at steady saturation.

The workers are stopped and intakes accepted until 10,000 wait; the workers start, and from the
first webhook on, what comes in some seconds is counted. Steady saturation is a second system's, on
which nothing waits. So a backlog need not be emptied and made anew for every pair.
"""

import time

from bench import load
from bench.drive import drive
from bench.load import Load, Report, Sent
from bench.pairs import Bench, Result, alternate, say
from bench.sides import ours_alone
from bench.sink import Arrival
from bench.system import System

NEEDS = ("kafka",)
BENCHES = (Bench("drain", "notified/s", must=0.9, aim=1.2, better="higher"),)
_WAITING = 10_000
_SECONDS = 10.0
_PATIENCE_SECONDS = 60.0
_STEADY = Load(seconds=8, connections=16)


def run(pairs: int) -> list[Result]:
    """Measure."""
    with ours_alone() as stopped, ours_alone() as steady:
        backlog = _Backlog(stopped)
        return alternate(BENCHES, backlog.drain, lambda: _saturate(steady), pairs)


class _Backlog:
    """A system whose workers are stopped, with what it accepted and what it told so far."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._sent: list[Sent] = []
        self._told: set[str] = set()
        system.stop_workers()

    def drain(self) -> dict[str, float]:
        """Return how many different intakes were told per second."""
        self._fill()
        self._system.start_workers()
        begun = self._wait_for_first()
        time.sleep(_SECONDS)
        arrivals = self._system.sink.take()
        told = self._note(arrivals) / ((arrivals[-1].at - begun) / 1e9)
        self._system.stop_workers()
        self._note(self._system.sink.take())
        return {"drain": told}

    def _fill(self) -> None:
        missing = _WAITING - (len(self._sent) - len(self._told))
        say(f"  {missing} intakes, so that {_WAITING} wait ...")
        amount = Load(seconds=300, connections=16, count=missing)
        report = load.run(self._system.target(), amount)
        if report.bad or len(report.sent) < missing:
            raise RuntimeError(f"Only {len(report.sent)} of {missing} intakes were accepted.")
        self._sent += report.sent

    def _wait_for_first(self) -> int:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._system.sink.count():
            if time.monotonic() > deadline:
                raise RuntimeError("No webhook comes after the workers' start.")
            time.sleep(0.02)
        return time.monotonic_ns()

    def _note(self, arrivals: list[Arrival]) -> int:
        """Return how many intakes were told for the first time."""
        told = self._system.told(arrivals, Report(self._sent, bad=0, seconds=1.0)).keys()
        new = told - self._told
        self._told |= new
        return len(new)


def _saturate(ours: System) -> dict[str, float]:
    return {"drain": drive(ours, _STEADY).notified_per_second()}
