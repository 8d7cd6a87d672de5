"""drain: webhooks per second from 10,000 intakes waiting after a stop / at steady saturation.

The workers are stopped, 10,000 intakes are accepted, the workers start: the rate is that between
the first webhook and the last.
"""

from bench import load
from bench.drive import check_all_told, drive, wait_for
from bench.load import Load
from bench.pairs import Bench, Result, alternate
from bench.sides import ours_alone
from bench.system import System

NEEDS = ("kafka",)
BENCHES = (Bench("drain", "notified/s", must=0.9, aim=1.2, better="higher"),)
_WAITING = Load(seconds=300, connections=16, count=10_000)
_STEADY = Load(seconds=8, connections=16)


def run(pairs: int) -> list[Result]:
    """Measure."""
    with ours_alone() as ours:
        return alternate(BENCHES, lambda: _drain(ours), lambda: _saturate(ours), pairs)


def _drain(ours: System) -> dict[str, float]:
    ours.stop_workers()
    ours.sink.take()
    report = load.run(ours.target(), _WAITING)
    ours.start_workers()
    arrivals = wait_for(ours.sink, len(report.sent))
    told = ours.told(arrivals, report)
    check_all_told(report.sent, told)
    moments = told.values()
    return {"drain": (len(told) - 1) / ((max(moments) - min(moments)) / 1e9)}


def _saturate(ours: System) -> dict[str, float]:
    return {"drain": drive(ours, _STEADY).notified_per_second()}
