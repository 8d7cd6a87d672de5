"""pipeline: webhooks at a sink per second at saturation / the Celery pipeline's.

Sixteen connections submit as fast as they are answered; the time ends with the last webhook.
"""

import statistics
from collections.abc import Mapping
from dataclasses import replace

from bench.drive import Pipeline, drive
from bench.load import Load
from bench.pairs import Bench, Result, alternate
from bench.sides import both_sides

NEEDS = ("kafka", "redis")
BENCHES = (Bench("pipeline", "notified/s", must=3.0, aim=4.5, better="higher"),)
_AMOUNT = Load(seconds=5, connections=16)


def run(pairs: int) -> list[Result]:
    """Measure."""
    with both_sides() as sides:
        ours, peer = _Saturated(sides.ours), _Saturated(sides.peer)
        [result] = alternate(BENCHES, ours.measure, peer.measure, pairs)
        return [replace(result, profile=[ours.profile("ours"), peer.profile("peer")])]


class _Saturated:
    def __init__(self, side: Pipeline) -> None:
        self._side = side
        self._costs: list[Mapping[str, float]] = []

    def measure(self) -> dict[str, float]:
        outcome = drive(self._side, _AMOUNT)
        self._costs.append(outcome.cpu_us)
        return {"pipeline": outcome.notified_per_second()}

    def profile(self, name: str) -> str:
        """Return the processor time of an intake in each group of processes."""
        medians = {
            group: statistics.median(cost[group] for cost in self._costs)
            for group in self._costs[0]
        }
        parts = ", ".join(f"{group} {cost:,.0f}" for group, cost in medians.items() if cost >= 1)
        total = sum(medians.values())
        return f"{name}, processor microseconds of an intake: {parts}; {total:,.0f} in all"
