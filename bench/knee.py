"""knee: the highest rate with p95 under 100 ms / the Celery pipeline's.

Each side is searched in steps of 15 %, from where its last search ended; the first search finds
the neighbourhood by doubling.
"""

from bench.drive import Pipeline, drive, percentile
from bench.load import Load
from bench.pairs import Bench, Result, alternate
from bench.sides import both_sides

NEEDS = ("kafka", "redis")
BENCHES = (Bench("knee", "intakes/s", must=3.0, aim=4.5, better="higher"),)
_LIMIT_MS = 100.0
_SECONDS = 4.0
_STEP = 1.15
_LOWEST, _HIGHEST = 5.0, 1500.0


def run(pairs: int) -> list[Result]:
    """Measure."""
    with both_sides() as sides:
        ours, peer = _Search(sides.ours), _Search(sides.peer)
        return alternate(
            BENCHES, lambda: {"knee": ours.highest()}, lambda: {"knee": peer.highest()}, pairs
        )


class _Search:
    def __init__(self, side: Pipeline) -> None:
        self._side = side
        self._last = 0.0

    def highest(self) -> float:
        """Return the highest rate that holds, of a ladder; 0 when not even the lowest does."""
        rate = self._last or self._neighbourhood()
        if self._holds(rate):
            while rate * _STEP <= _HIGHEST and self._holds(rate * _STEP):
                rate *= _STEP
        else:
            rate /= _STEP
            while rate >= _LOWEST and not self._holds(rate):
                rate /= _STEP
        self._last = max(rate, _LOWEST)
        return rate if rate >= _LOWEST else 0.0

    def _neighbourhood(self) -> float:
        rate = 20.0
        while rate * 2 <= _HIGHEST and self._holds(rate * 2):
            rate *= 2
        return rate

    def _holds(self, rate: float) -> bool:
        outcome = drive(self._side, Load(seconds=_SECONDS, rate=rate))
        return percentile(outcome.latencies(), 95) < _LIMIT_MS
