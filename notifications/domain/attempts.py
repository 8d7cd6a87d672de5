"""What follows from one attempt at a delivery: done, again later, or given up."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

DELAYS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Waits after the first attempt, the second, ... (Standard Webhooks, section Deliverability)."""

DOUBTFUL_ATTEMPTS: Final = 3
"""Attempts at an endpoint that says the message itself is wrong (404, a redirect, ...)."""

JITTER: Final = 0.2
"""The share of a wait that chance may add, so that endpoints that fail together spread out."""

_LONGEST_WAIT = timedelta(hours=24)


class Verdict(StrEnum):
    """What an answer means for the attempts that follow."""

    DELIVERED = "delivered"
    TEMPORARY = "temporary"
    DOUBTFUL = "doubtful"
    PERMANENT = "permanent"
    GONE = "gone"


class State(StrEnum):
    """Where a delivery stands. The last three are final, but an operator may revive exhausted."""

    WAITING = "waiting"
    SENDING = "sending"
    FAILED = "failed-temporarily"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    STOPPED = "stopped"


UNDELIVERED: Final = (State.WAITING, State.SENDING, State.FAILED, State.EXHAUSTED)
PENDING: Final = (State.WAITING, State.SENDING, State.FAILED)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt: a code for the operator and its meaning, never any text of it."""

    code: str
    verdict: Verdict
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The state that follows; `next_attempt_at` is set where there is one more attempt."""

    state: State
    next_attempt_at: datetime | None = None


def decide(
    answer: Answer, *, attempts: int, not_after: datetime | None, now: datetime, chance: float
) -> Decision:
    """Return what follows from the answer to attempt number `attempts` (from 1).

    A next attempt that would come at or after `not_after` is none: the delivery is given up now,
    while there is still time for a person to call (R-16: nothing is sent after its end).
    `chance`, from 0 to 1, spreads the attempts; it never moves one past `not_after`.
    """
    if answer.verdict is Verdict.DELIVERED:
        return Decision(State.DELIVERED)
    wait = _wait(answer, attempts)
    if wait is None:
        return Decision(State.EXHAUSTED)
    at = now + wait
    if not_after is not None and at >= not_after:
        return Decision(State.EXHAUSTED)
    spread = wait * JITTER
    if not_after is not None:
        spread = min(spread, not_after - at)
    return Decision(State.FAILED, at + spread * chance)


def _wait(answer: Answer, attempts: int) -> timedelta | None:
    if answer.verdict in {Verdict.PERMANENT, Verdict.GONE} or attempts > len(DELAYS):
        return None
    if answer.verdict is Verdict.DOUBTFUL and attempts >= DOUBTFUL_ATTEMPTS:
        return None
    asked = min(answer.retry_after or timedelta(), _LONGEST_WAIT)
    return max(DELAYS[attempts - 1], asked)
