"""The rows of notifications in PostgreSQL."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from notifications.application.ports import Change, Delivery, Occasion
from notifications.domain.attempts import UNDELIVERED, State
from notifications.domain.notices import Notice, Recipient, Template
from shared.db import Tx
from shared.db.outbox import Outbox

DELIVERED = "notifications.delivery.delivered.v1"
EXHAUSTED = "notifications.delivery.exhausted.v1"


@dataclass(frozen=True, slots=True)
class PostgresStore:
    """Works in the transaction that it is given."""

    tx: Tx
    outbox: Outbox

    def open_thread(self, referral_id: UUID, agency: str) -> bool:
        """Lock the referral's row, made if need be; False when the referral is erased."""
        row = _one(self.tx, _OPEN_THREAD, (referral_id, agency))
        return bool(row["is_open"])

    def endpoints(self, recipient: Recipient) -> Sequence[UUID]:
        """Return the recipient's open contact points."""
        rows = self.tx.execute(_ENDPOINTS, (recipient.owner, recipient.owner_id))
        return [row["endpoint_id"] for row in rows]

    def add(
        self, occasion: Occasion, notice: Notice, template: Template, endpoints: Sequence[UUID]
    ) -> None:
        """Add a waiting delivery for each endpoint that has none for this event."""
        values = {
            "event": occasion.event_id,
            "referral": occasion.referral_id,
            "offer": notice.offer_id,
            "template": template,
            "params": json.dumps(_params(notice)),
            "said_at": occasion.time,
            "trace": occasion.trace,
            "correlation": occasion.correlation_id,
            "not_after": notice.not_after,
            "endpoints": list(endpoints),
            "ids": [uuid4() for _ in endpoints],
        }
        self.tx.execute(_ADD, values)

    def close_offer(self, offer_id: UUID, referral_id: UUID) -> None:
        """Remember that nothing more may be sent about the offer."""
        self.tx.execute(_CLOSE_OFFER, (offer_id, referral_id))

    def is_closed(self, offer_id: UUID) -> bool:
        """Tell whether the offer was closed."""
        found = self.tx.execute("select 1 from closed_offer where offer_id = %s", (offer_id,))
        return found.fetchone() is not None

    def stop(
        self, referral_id: UUID, templates: Iterable[Template], offer_id: UUID | None = None
    ) -> None:
        """Stop what is not delivered of the referral, or of one of its offers."""
        values = {
            "referral": referral_id,
            "offer": offer_id,
            "templates": [str(template) for template in templates],
            "states": [str(state) for state in UNDELIVERED],
        }
        self.tx.execute(_STOP, values)

    def forget(self, referral_id: UUID) -> None:
        """Remove the referral's deliveries and never add another."""
        self.tx.execute("delete from delivery where referral_id = %s", (referral_id,))
        self.tx.execute("delete from closed_offer where referral_id = %s", (referral_id,))
        self.tx.execute(
            "update referral_thread set erased_at = now() where referral_id = %s", (referral_id,)
        )

    def lock(self, delivery_id: UUID) -> Delivery | None:
        """Lock the delivery's referral, then the delivery."""
        self.tx.execute(_LOCK_THREAD, (delivery_id,))
        row = self.tx.execute(LOCK_DELIVERY, (delivery_id,)).fetchone()
        return None if row is None else delivery_of(row)

    def change(self, delivery: Delivery, change: Change) -> None:
        """Write the delivery's new state."""
        self.tx.execute(
            _CHANGE, (change.state, change.code, change.next_attempt_at, delivery.delivery_id)
        )

    def is_heard(self, delivery: Delivery) -> bool:
        """Tell whether another endpoint has the same message, or may still get it."""
        values = (delivery.event_id, delivery.template, delivery.delivery_id)
        return bool(_one(self.tx, _IS_HEARD, values)["heard"])

    def disable(self, endpoint_id: UUID) -> None:
        """Send nothing more to the endpoint until the site's file is loaded again."""
        self.tx.execute(
            "update contact_point set disabled_at = now()"
            " where endpoint_id = %s and disabled_at is null",
            (endpoint_id,),
        )

    def publish_delivered(self, delivery: Delivery) -> None:
        """Tell the other services that the endpoint took the message."""
        self._publish(DELIVERED, delivery)

    def publish_exhausted(self, delivery: Delivery) -> None:
        """Tell the other services that somebody has to call."""
        self._publish(EXHAUSTED, delivery)

    def _publish(self, type_: str, delivery: Delivery) -> None:
        thread = _one(self.tx, _NEXT_SEQUENCE, (delivery.referral_id,))
        self.outbox.add(
            self.tx,
            type=type_,
            agency=thread["agency"],
            key=delivery.referral_id,
            sequence=thread["last_sequence"],
            data={
                "referral_id": delivery.referral_id,
                "offer_id": delivery.offer_id,
                "delivery_id": delivery.delivery_id,
                "endpoint_id": delivery.endpoint_id,
                "channel": delivery.channel,
                "template": delivery.template.value,
            },
        )


def delivery_of(row: dict[str, Any]) -> Delivery:
    """Return the delivery of a row of LOCK_DELIVERY."""
    return Delivery(**{**row, "template": Template(row["template"]), "state": State(row["state"])})


def _params(notice: Notice) -> dict[str, str]:
    params: dict[str, str] = {}
    if notice.reference is not None:
        params["reference"] = notice.reference
    if notice.answer_by is not None:
        params["answer_by"] = notice.answer_by.isoformat()
    return params


def _one(tx: Tx, statement: str, values: tuple[object, ...]) -> dict[str, Any]:
    row = tx.execute(statement, values).fetchone()
    assert row is not None  # noqa: S101  (each of these statements gives a row)
    return row


_OPEN_THREAD = """
insert into referral_thread as t (referral_id, agency) values (%s, %s)
on conflict (referral_id) do update set agency = t.agency
returning erased_at is null as is_open
"""
_ENDPOINTS = """
select endpoint_id from contact_point
where owner_kind = %s and owner_id = %s and active and disabled_at is null
order by endpoint_id
"""
_ADD = """
insert into delivery (delivery_id, event_id, endpoint_id, referral_id, offer_id, template, params,
  said_at, trace, correlation_id, not_after)
select e.delivery_id, %(event)s, e.endpoint_id, %(referral)s, %(offer)s, %(template)s, %(params)s,
  %(said_at)s, %(trace)s, %(correlation)s, %(not_after)s
from unnest(%(ids)s::uuid[], %(endpoints)s::uuid[]) as e (delivery_id, endpoint_id)
on conflict (event_id, endpoint_id) do nothing
"""
_CLOSE_OFFER = """
insert into closed_offer (offer_id, referral_id) values (%s, %s) on conflict do nothing
"""
_STOP = """
update delivery set state = 'stopped', leased_until = null, changed_at = now()
where referral_id = %(referral)s and template = any(%(templates)s) and state = any(%(states)s)
  and (%(offer)s::uuid is null or offer_id = %(offer)s)
"""
_LOCK_THREAD = """
select 1 from referral_thread
where referral_id = (select referral_id from delivery where delivery_id = %s) for update
"""
LOCK_DELIVERY = """
select d.delivery_id, d.event_id, d.endpoint_id, d.referral_id, d.offer_id, c.channel, d.template,
  d.state, d.attempts, d.not_after
from delivery d join contact_point c using (endpoint_id)
where d.delivery_id = %s for update of d
"""
_CHANGE = """
update delivery set state = %s, last_class = %s, next_attempt_at = coalesce(%s, next_attempt_at),
  leased_until = null, changed_at = now()
where delivery_id = %s
"""
_IS_HEARD = """
select exists (
  select 1 from delivery where event_id = %s and template = %s and delivery_id <> %s
    and state not in ('exhausted', 'stopped')
) as heard
"""
_NEXT_SEQUENCE = """
update referral_thread set last_sequence = last_sequence + 1
where referral_id = %s returning agency, last_sequence
"""
