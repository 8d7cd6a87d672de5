"""Record what came of an attempt, and give up what cannot be delivered any more."""

from datetime import datetime
from uuid import UUID

from notifications.application.ports import Attempt, Change, Delivery, Store
from notifications.domain.attempts import PENDING, Answer, State, Verdict, decide
from notifications.domain.notices import UNHEARD_MATTERS

TOO_LATE = "too-late"
ENDPOINT_DISABLED = "endpoint-disabled"


def record(
    attempt: Attempt, answer: Answer, store: Store, *, now: datetime, chance: float
) -> State | None:
    """Write what follows from an answer and return the state; None when nobody waits for it.

    A delivery that was stopped during the attempt stays stopped; one that outlived its lease has
    a later attempt, whose answer counts.
    """
    delivery = store.lock(attempt.delivery_id)
    if delivery is None:
        return None
    if answer.verdict is Verdict.GONE:
        store.disable(delivery.endpoint_id)
    if delivery.state is not State.SENDING or delivery.attempts != attempt.number:
        return None
    decision = decide(
        answer,
        attempts=delivery.attempts,
        not_after=delivery.not_after,
        now=now,
        chance=chance,
    )
    change = Change(decision.state, answer.code, decision.next_attempt_at)
    store.change(delivery, change)
    _publish(delivery, decision.state, store)
    return decision.state


def lapse(delivery_id: UUID, store: Store, *, now: datetime) -> bool:
    """Give up a delivery whose time is over or whose endpoint is gone; False if it went on."""
    delivery = store.lock(delivery_id)
    if delivery is None or delivery.state not in PENDING:
        return False
    late = delivery.not_after is not None and delivery.not_after <= now
    store.change(delivery, Change(State.EXHAUSTED, TOO_LATE if late else ENDPOINT_DISABLED))
    _publish(delivery, State.EXHAUSTED, store)
    return True


def _publish(delivery: Delivery, state: State, store: Store) -> None:
    if state is State.DELIVERED:
        store.publish_delivered(delivery)
    if state is not State.EXHAUSTED or delivery.template not in UNHEARD_MATTERS:
        return
    if not store.is_heard(delivery):
        store.publish_exhausted(delivery)
