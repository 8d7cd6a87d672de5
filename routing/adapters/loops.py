"""What routing's worker does by itself, step by step."""

from collections.abc import Callable

from routing.adapters.desk import Desk
from routing.application import clock


def clock_step(desk: Desk) -> Callable[[], bool]:
    """Return the step of the clock: what ran out, then what waits for a place.

    The step returns True when more waits. Every process that has no other wake-up polls it each
    second.
    """

    def step() -> bool:
        more_due = clock.run_due(desk.change)
        return clock.retry_waiting(desk.change) or more_due

    return step
