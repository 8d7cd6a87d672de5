"""slow-partner: p95 of the others with one of ten endpoints hanging 5 s / without."""

import time

from bench.drive import Outcome, drive, percentile
from bench.load import Load
from bench.pairs import Bench, Result, alternate
from bench.sides import ours_alone
from bench.site import PARTNERS
from bench.system import System

NEEDS = ("kafka",)
BENCHES = (Bench("slow-partner", "ms", must=1.3, aim=1.05, better="lower"),)
_SLOW = 0
_OTHERS = frozenset(range(PARTNERS)) - {_SLOW}
_HANGS_SECONDS = 5.0
_AMOUNT = Load(seconds=8, rate=20)


def run(pairs: int) -> list[Result]:
    """Measure."""
    with ours_alone() as ours:
        return alternate(
            BENCHES,
            lambda: _p95_of_others(_with_a_slow_one(ours)),
            lambda: _p95_of_others(drive(ours, _AMOUNT)),
            pairs,
        )


def _with_a_slow_one(ours: System) -> Outcome:
    ours.sink.hang(_SLOW, _HANGS_SECONDS)

    def end() -> None:
        time.sleep(1)  # the others' last ones are through
        ours.sink.hang(_SLOW, 0)

    return drive(ours, _AMOUNT, then=end)


def _p95_of_others(outcome: Outcome) -> dict[str, float]:
    return {"slow-partner": percentile(outcome.latencies(_OTHERS), 95)}
