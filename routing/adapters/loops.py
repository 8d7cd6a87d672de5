"""What routing's worker does by itself, step by step."""

from collections.abc import Callable
from uuid import UUID

from routing.adapters.desk import Desk
from routing.application import clock
from shared.db import AWAY
from shared.log import get_logger

_log = get_logger(__name__)


def clock_step(desk: Desk) -> Callable[[], bool]:
    """Return the step of the clock: what ran out, then what waits for a place.

    The step returns True when more waits. Every process that has no other wake-up polls it each
    second. A referral that cannot be handled is told in the log, and the others have their turn.
    """
    due_after: UUID | None = None
    waiting_after: UUID | None = None

    def step() -> bool:
        nonlocal due_after, waiting_after
        try:
            due_after = clock.run_due(desk.change, _failed, due_after)
            waiting_after = clock.retry_waiting(desk.change, _failed, waiting_after)
        except AWAY as failure:
            _log.warning("clock-waits", exc_info=failure)
            return False
        return due_after is not None or waiting_after is not None

    return step


def _failed(referral_id: UUID, failure: Exception) -> None:
    if isinstance(failure, AWAY):
        raise failure
    _log.error("clock-failed", referral_id=str(referral_id), exc_info=failure)
