"""latency: submit to webhook in an open loop / the Celery pipeline's, at three rates.

Latency counts from the planned moment of the submit, so a slow system is not excused.
"""

from functools import partial

from bench.drive import Pipeline, drive, percentile
from bench.load import Load
from bench.pairs import Bench, Result, alternate
from bench.sides import both_sides

NEEDS = ("kafka", "redis")
_SECONDS = {20: 10, 50: 6, 100: 5}
_GOALS = {50: (1.0, 0.65), 99: (1.0, 0.8)}


def _benches(rate: int) -> list[Bench]:
    return [
        Bench(f"latency-{rate}-p{percent}", "ms", must, aim, "lower")
        for percent, (must, aim) in _GOALS.items()
    ]


BENCHES = tuple(bench for rate in _SECONDS for bench in _benches(rate))


def run(pairs: int) -> list[Result]:
    """Measure."""
    results: list[Result] = []
    with both_sides() as sides:
        for rate in _SECONDS:
            ours, peer = (partial(_measure, side, rate) for side in (sides.ours, sides.peer))
            results += alternate(_benches(rate), ours, peer, pairs)
    return results


def _measure(side: Pipeline, rate: int) -> dict[str, float]:
    latencies = drive(side, Load(seconds=_SECONDS[rate], rate=rate)).latencies()
    return {f"latency-{rate}-p{n}": percentile(latencies, n) for n in _GOALS}
