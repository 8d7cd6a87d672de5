"""One order of row locks for a whole batch of events: referrals by id, then places by id."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from shared.contracts.event import Event
from shared.db import Tx


def lock_rows(events: Sequence[Event], tx: Tx) -> None:
    """Lock the referrals of the events, then the places if an event may move some.

    Without it a batch would lock the places of its first referral and then wait for its second
    one, held by a partner's answer that waits for those places. A single event locks in the
    right order by itself.
    """
    if len(events) > 1:
        tx.execute(_REFERRALS, (_referrals(events),))
        if any(event.type.startswith("intake.") for event in events):
            tx.execute(_PLACES)


def _referrals(events: Sequence[Event]) -> list[UUID]:
    found = []
    for event in events:
        with suppress(ValueError):  # the handler says what is wrong with it
            found.append(UUID(event.key))
    return found


_REFERRALS = "select from referral where referral_id = any(%s) order by referral_id for update"
_PLACES = "select from service_slot order by service_id for update"
