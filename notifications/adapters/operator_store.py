"""What the operator's page reads and changes, within the grants of the web role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from notifications.adapters.store import LOCK_DELIVERY, delivery_of
from notifications.application.ports import Delivery
from notifications.domain.attempts import State
from shared.db import Tx

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Filter:
    """What the list is narrowed to."""

    state: State | None = None
    endpoint_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts by state, when the oldest of each began, the closed endpoints, and the rows."""

    counts: Mapping[State, int]
    oldest: Mapping[State, datetime]
    disabled: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]


def overview(tx: Tx, chosen: Filter) -> Overview:
    """Return the deliveries that pass the filter, the latest changed first."""
    values = {"state": chosen.state, "endpoint": chosen.endpoint_id, "shown": SHOWN}
    totals = tx.execute(_TOTALS).fetchall()
    return Overview(
        counts={State(row["state"]): row["count"] for row in totals},
        oldest={State(row["state"]): row["oldest"] for row in totals},
        disabled=tx.execute(_DISABLED).fetchall(),
        rows=tx.execute(_ROWS, values).fetchall(),
    )


@dataclass(frozen=True, slots=True)
class PostgresOperatorStore:
    """Works in the transaction of one request."""

    tx: Tx

    def lock(self, delivery_id: UUID) -> Delivery | None:
        """Lock the delivery."""
        row = self.tx.execute(LOCK_DELIVERY, (delivery_id,)).fetchone()
        return None if row is None else delivery_of(row)

    def is_disabled(self, endpoint_id: UUID) -> bool:
        """Tell whether the endpoint has said that it is gone, or was taken from the site."""
        row = self.tx.execute(_IS_DISABLED, (endpoint_id,)).fetchone()
        return row is None or bool(row["is_disabled"])

    def revive(self, delivery_id: UUID, *, reason: str, asked_by: UUID) -> None:
        """Let the delivery's attempts begin anew, and keep who asked and why."""
        self.tx.execute(_REVIVE, (delivery_id,))
        self.tx.execute(
            "insert into send_again (delivery_id, asked_by, reason) values (%s, %s, %s)",
            (delivery_id, asked_by, reason),
        )


_TOTALS = "select state, count(*), min(created_at) as oldest from delivery group by state"
_DISABLED = """
select endpoint_id, channel, disabled_at from contact_point
where disabled_at is not null and active order by disabled_at desc limit 100
"""
_ROWS = """
select d.delivery_id, d.endpoint_id, c.channel, d.template, d.state, d.attempts, d.last_class,
  d.next_attempt_at, d.not_after, d.created_at, d.changed_at,
  d.state in ('exhausted', 'failed-temporarily') and c.active and c.disabled_at is null
    and (d.not_after is null or d.not_after > now()) as can_send_again
from delivery d join contact_point c using (endpoint_id)
where (%(state)s::text is null or d.state = %(state)s)
  and (%(endpoint)s::uuid is null or d.endpoint_id = %(endpoint)s)
order by d.changed_at desc, d.delivery_id limit %(shown)s
"""
_IS_DISABLED = """
select disabled_at is not null or not active as is_disabled from contact_point
where endpoint_id = %s
"""
_REVIVE = """
update delivery set state = 'waiting', attempts = 0, next_attempt_at = now(), leased_until = null,
  changed_at = now()
where delivery_id = %s
"""
