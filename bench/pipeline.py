"""pipeline: webhooks at a sink per second at saturation / the Celery pipeline's.

Sixteen connections submit as fast as they are answered; the time ends with the last webhook.
"""

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
        return alternate(
            BENCHES, lambda: _saturate(sides.ours), lambda: _saturate(sides.peer), pairs
        )


def _saturate(side: Pipeline) -> dict[str, float]:
    return {"pipeline": drive(side, _AMOUNT).notified_per_second()}
