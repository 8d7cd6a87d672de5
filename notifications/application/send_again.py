"""An operator's wish to try a delivery once more."""

from datetime import datetime
from uuid import UUID

from notifications.application.ports import OperatorStore
from notifications.domain.attempts import State
from shared.errors import Conflict, NotFound

_REVIVABLE = (State.EXHAUSTED, State.FAILED)


def send_again(
    delivery_id: UUID, store: OperatorStore, *, reason: str, asked_by: UUID, now: datetime
) -> None:
    """Begin a delivery's attempts anew, under the same webhook id.

    Raises:
        NotFound: there is none.
        Conflict: it was delivered or stopped, its time is over, or its endpoint is gone.

    """
    delivery = store.lock(delivery_id)
    if delivery is None:
        raise NotFound("There is no such delivery.")
    if delivery.state not in _REVIVABLE:
        raise Conflict("Only a delivery that failed can be sent again.", state=str(delivery.state))
    if delivery.not_after is not None and delivery.not_after <= now:
        raise Conflict("The time for this message is over.", state=str(delivery.state))
    if store.is_disabled(delivery.endpoint_id):
        raise Conflict("The endpoint has said that it is gone.", state=str(delivery.state))
    store.revive(delivery_id, reason=reason, asked_by=asked_by)
