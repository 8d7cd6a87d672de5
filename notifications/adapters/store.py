"""The rows of notifications in PostgreSQL."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from notifications.adapters.metrics import ENDED
from notifications.application.ports import Change, Delivery, Occasion
from notifications.domain.attempts import PENDING, UNDELIVERED, State
from notifications.domain.notices import Notice, Recipient, Template
from shared.db import Tx, together
from shared.db.outbox import INSERT, Outbox
from shared.db.pending import Pending

DELIVERED = "notifications.delivery.delivered.v1"
EXHAUSTED = "notifications.delivery.exhausted.v1"


@dataclass(slots=True)
class _Thread:
    """The number line of what is told of a referral's deliveries."""

    agency: str
    sequence: int


@dataclass(slots=True)
class PostgresStore:
    """Works in the transaction that it is given; `flush` before the commit.

    What needs no answer is kept and goes out together. `open_threads` and `load` read for many
    events and deliveries at once; what they did not read is read when it is asked for.
    """

    tx: Tx
    outbox: Outbox
    _writes: Pending = field(init=False)
    _open: dict[UUID, bool] = field(default_factory=dict)
    _endpoints: dict[Recipient, Sequence[UUID]] = field(default_factory=dict)
    _closed: set[UUID] = field(default_factory=set)
    _spoken_of: set[UUID] = field(default_factory=set)
    _deliveries: dict[UUID, Delivery] = field(default_factory=dict)
    _threads: dict[UUID, _Thread] = field(default_factory=dict)
    _told: dict[UUID, list[tuple[Any, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with nothing to write."""
        self._writes = Pending(self.tx)

    def flush(self) -> None:
        """Write what is kept; the last thing before the commit."""
        for referral_id in self._told:
            sequence = self._threads[referral_id].sequence
            self._writes.add(_SET_SEQUENCE, (sequence, referral_id))
        for rows in self._told.values():
            for row in rows:
                self._writes.add(INSERT, row)
        self._told.clear()
        self._writes.send()

    # What is told

    def open_threads(self, agencies: Mapping[UUID, str]) -> None:
        """Lock the rows of these referrals in the order of their ids, made if need be."""
        referrals = sorted(agencies)
        named = {"ids": referrals, "agencies": [agencies[one] for one in referrals]}
        undelivered = [str(state) for state in UNDELIVERED]
        with together(self.tx):
            threads = self.tx.execute(_OPEN_THREADS, named)
            closed = self.tx.execute(_CLOSED, named)
            spoken_of = self.tx.execute(_SPOKEN_OF, {**named, "states": undelivered})
        self._open |= {row["referral_id"]: row["is_open"] for row in threads}
        self._closed |= {row["offer_id"] for row in closed}
        self._spoken_of |= {row["referral_id"] for row in spoken_of}

    def open_thread(self, referral_id: UUID, agency: str) -> bool:
        """Lock the referral's row, made if need be; False when the referral is erased."""
        if referral_id not in self._open:
            self.open_threads({referral_id: agency})
        return self._open[referral_id]

    def endpoints(self, recipient: Recipient) -> Sequence[UUID]:
        """Return the recipient's open contact points."""
        if recipient not in self._endpoints:
            rows = self.tx.execute(_ENDPOINTS, (recipient.owner, recipient.owner_id))
            self._endpoints[recipient] = [row["endpoint_id"] for row in rows]
        return self._endpoints[recipient]

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
        self._spoken_of.add(occasion.referral_id)
        self._writes.add(_ADD, values)

    def close_offer(self, offer_id: UUID, referral_id: UUID) -> None:
        """Remember that nothing more may be sent about the offer."""
        self._closed.add(offer_id)
        self._writes.add(_CLOSE_OFFER, (offer_id, referral_id))

    def is_closed(self, offer_id: UUID) -> bool:
        """Tell whether an offer of an opened thread was closed."""
        return offer_id in self._closed

    def stop(
        self, referral_id: UUID, templates: Iterable[Template], offer_id: UUID | None = None
    ) -> None:
        """Stop what is not delivered of an opened thread, or of one of its offers."""
        if referral_id not in self._spoken_of:
            return
        values = {
            "referral": referral_id,
            "offer": offer_id,
            "templates": [str(template) for template in templates],
            "states": [str(state) for state in UNDELIVERED],
        }
        self._writes.send()
        for row in self.tx.execute(_STOP, values):
            ENDED.labels(row["channel"], State.STOPPED).inc()

    def forget(self, referral_id: UUID) -> None:
        """Remove the referral's deliveries but a pending call to stop, and never add another."""
        self._open[referral_id] = False
        values = {
            "referral": referral_id,
            "stop": Template.OFFER_STOPPED,
            "pending": [str(state) for state in PENDING],
        }
        for statement in _FORGET:
            self._writes.add(statement, values)

    # What came of it

    def load(self, delivery_ids: Sequence[UUID]) -> None:
        """Lock deliveries: first their referrals in the order of their ids, then themselves."""
        with together(self.tx):
            threads = self.tx.execute(_LOCK_THREADS, (list(delivery_ids),))
            deliveries = self.tx.execute(LOCK_DELIVERIES, (list(delivery_ids),))
        for row in threads:
            self._threads[row["referral_id"]] = _Thread(row["agency"], row["last_sequence"])
        for row in deliveries:
            self._deliveries[row["delivery_id"]] = delivery_of(row)

    def lock(self, delivery_id: UUID) -> Delivery | None:
        """Lock the delivery's referral, then the delivery."""
        if delivery_id not in self._deliveries:
            self.load([delivery_id])
        return self._deliveries.get(delivery_id)

    def change(self, delivery: Delivery, change: Change) -> None:
        """Write the delivery's new state."""
        self._deliveries[delivery.delivery_id] = replace(delivery, state=change.state)
        self._writes.add(
            _CHANGE, (change.state, change.code, change.next_attempt_at, delivery.delivery_id)
        )

    def is_heard(self, delivery: Delivery) -> bool:
        """Tell whether another endpoint has the same message, or may still get it."""
        self.flush()
        values = (delivery.event_id, delivery.template, delivery.delivery_id)
        row = self.tx.execute(_IS_HEARD, values).fetchone()
        return row is not None and bool(row["heard"])

    def disable(self, endpoint_id: UUID) -> None:
        """Send nothing more to the endpoint until the site's file is loaded again."""
        self._writes.add(_DISABLE, (endpoint_id,))

    def publish_delivered(self, delivery: Delivery) -> None:
        """Tell the other services that the endpoint took the message."""
        self._publish(DELIVERED, delivery)

    def publish_exhausted(self, delivery: Delivery) -> None:
        """Tell the other services that somebody has to call."""
        self._publish(EXHAUSTED, delivery)

    def _publish(self, type_: str, delivery: Delivery) -> None:
        thread = self._threads[delivery.referral_id]
        thread.sequence += 1
        row = self.outbox.row(
            type=type_,
            agency=thread.agency,
            key=delivery.referral_id,
            sequence=thread.sequence,
            data={
                "referral_id": delivery.referral_id,
                "offer_id": delivery.offer_id,
                "delivery_id": delivery.delivery_id,
                "endpoint_id": delivery.endpoint_id,
                "channel": delivery.channel,
                "template": delivery.template.value,
            },
        )
        self._told.setdefault(delivery.referral_id, []).append(row)


def delivery_of(row: dict[str, Any]) -> Delivery:
    """Return the delivery of a row of LOCK_DELIVERIES."""
    return Delivery(**{**row, "template": Template(row["template"]), "state": State(row["state"])})


def _params(notice: Notice) -> dict[str, str]:
    params: dict[str, str] = {}
    if notice.reference is not None:
        params["reference"] = notice.reference
    if notice.answer_by is not None:
        params["answer_by"] = notice.answer_by.isoformat()
    return params


_OPEN_THREADS = """
insert into referral_thread as t (referral_id, agency)
select * from unnest(%(ids)s::uuid[], %(agencies)s::text[])
on conflict (referral_id) do update set agency = t.agency
returning referral_id, erased_at is null as is_open
"""
_CLOSED = "select offer_id from closed_offer where referral_id = any(%(ids)s)"
_SPOKEN_OF = """
select distinct referral_id from delivery
where referral_id = any(%(ids)s) and state = any(%(states)s)
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
update delivery d set state = 'stopped', leased_until = null, changed_at = now()
from contact_point c
where c.endpoint_id = d.endpoint_id and referral_id = %(referral)s
  and template = any(%(templates)s) and state = any(%(states)s)
  and (%(offer)s::uuid is null or offer_id = %(offer)s)
returning c.channel
"""
_FORGET = (
    """
delete from delivery where referral_id = %(referral)s
  and not (template = %(stop)s and state = any(%(pending)s))
""",
    "delete from closed_offer where referral_id = %(referral)s",
    "update referral_thread set erased_at = now() where referral_id = %(referral)s",
)
_LOCK_THREADS = """
select referral_id, agency, last_sequence from referral_thread
where referral_id in (select referral_id from delivery where delivery_id = any(%s))
order by referral_id for update
"""
LOCK_DELIVERIES = """
select d.delivery_id, d.event_id, d.endpoint_id, d.referral_id, d.offer_id, c.channel, d.template,
  d.state, d.attempts, d.not_after
from delivery d join contact_point c using (endpoint_id)
where d.delivery_id = any(%s) order by d.delivery_id for update of d
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
_DISABLE = """
update contact_point set disabled_at = now() where endpoint_id = %s and disabled_at is null
"""
_SET_SEQUENCE = "update referral_thread set last_sequence = %s where referral_id = %s"
