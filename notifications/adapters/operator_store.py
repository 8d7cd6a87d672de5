"""What the operator's page reads and changes, within the grants of the web role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from notifications.adapters.store import LOCK_DELIVERIES, delivery_of
from notifications.application.ports import Delivery
from notifications.domain.attempts import State
from shared.db import Tx
from shared.http import Order

SHOWN = 100
MOST_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Filter:
    """What the list is narrowed to."""

    state: State | None = None
    channel: str | None = None
    endpoint_id: UUID | None = None

    def values(self) -> dict[str, object]:
        """Return the parameters of a query."""
        return {"state": self.state, "channel": self.channel, "endpoint": self.endpoint_id}


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts by state, and when the oldest of each began."""

    counts: Mapping[State, int]
    oldest: Mapping[State, datetime]


@dataclass(frozen=True, slots=True)
class Overview:
    """The deliveries that pass a filter: how many, how many of them can be sent again, the rows.

    Beside them the endpoints that said that they are gone, and what was sent again last.
    """

    count: int
    can_send_again: int
    rows: Sequence[Mapping[str, Any]]
    disabled: Sequence[Mapping[str, Any]]
    again: Sequence[Mapping[str, Any]]


def totals(tx: Tx) -> Totals:
    """Return how many deliveries are in each state."""
    rows = tx.execute(_TOTALS).fetchall()
    return Totals(
        counts={State(row["state"]): row["count"] for row in rows},
        oldest={State(row["state"]): row["oldest"] for row in rows},
    )


def overview(tx: Tx, chosen: Filter) -> Overview:
    """Return the deliveries that pass the filter, the latest changed first."""
    values = {**chosen.values(), "most": SHOWN}
    counted = tx.execute(_COUNT, values).fetchone() or {}
    return Overview(
        count=counted["count"],
        can_send_again=counted["can"],
        rows=tx.execute(_ROWS, values).fetchall(),
        disabled=tx.execute(_DISABLED).fetchall(),
        again=tx.execute(_AGAIN).fetchall(),
    )


def send_all_again(tx: Tx, chosen: Filter, order: Order, *, until: datetime) -> int:
    """Let the attempts begin anew of what passes the filter, failed, and may still be sent.

    What changed after `until`, when the operator looked, is left alone. Each has an audit row, in
    a dry run nothing else. Returns how many.
    """
    values = {
        **chosen.values(),
        "until": until,
        "most": MOST_AT_ONCE,
        "per_second": order.per_second,
        "asked_by": order.asked_by,
        "reason": order.reason,
        "dry": order.dry_run,
    }
    return tx.execute(_SEND_ALL_AGAIN, values).rowcount


@dataclass(frozen=True, slots=True)
class PostgresOperatorStore:
    """Works in the transaction of one request."""

    tx: Tx

    def lock(self, delivery_id: UUID) -> Delivery | None:
        """Lock the delivery."""
        row = self.tx.execute(LOCK_DELIVERIES, ([delivery_id],)).fetchone()
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
_CAN = """
(d.state in ('exhausted', 'failed-temporarily') and c.active and c.disabled_at is null
  and (d.not_after is null or d.not_after > now()))
"""
_CHOSEN = """
from delivery d join contact_point c using (endpoint_id)
where (%(state)s::text is null or d.state = %(state)s)
  and (%(channel)s::text is null or c.channel = %(channel)s)
  and (%(endpoint)s::uuid is null or d.endpoint_id = %(endpoint)s)
"""
_COUNT = "select count(*), count(*) filter (where" + _CAN + ") as can" + _CHOSEN
_ROWS = (
    """
select d.delivery_id, d.endpoint_id, c.channel, d.template, d.state, d.attempts, d.last_class,
  d.next_attempt_at, d.not_after, d.created_at, d.changed_at, """
    + _CAN
    + " as can_send_again"
    + _CHOSEN
    + "order by d.changed_at desc, d.delivery_id limit %(most)s"
)
# Rows that somebody else works on just now are left to them.
_SEND_ALL_AGAIN = f"""
with chosen as (
  select d.delivery_id, d.created_at {_CHOSEN} and d.changed_at <= %(until)s and {_CAN}
  order by d.created_at, d.delivery_id limit %(most)s for update of d skip locked
), numbered as (
  select delivery_id, row_number() over (order by created_at, delivery_id) - 1 as n from chosen
), revived as (
  update delivery d set state = 'waiting', attempts = 0, leased_until = null, changed_at = now(),
    next_attempt_at = now() + n * interval '1 second' / %(per_second)s::int
  from numbered where d.delivery_id = numbered.delivery_id and not %(dry)s
)
insert into send_again (delivery_id, asked_by, reason, dry_run)
select delivery_id, %(asked_by)s, %(reason)s, %(dry)s from chosen
"""  # noqa: S608  (constants of this module)
_AGAIN = """
select s.asked_at, s.reason, s.dry_run, count(*),
  (select name from member m where m.member_id = s.asked_by) as asked_by,
  count(*) filter (where d.state = 'delivered') as delivered,
  count(*) filter (where d.state in ('waiting', 'sending', 'failed-temporarily')) as under_way
from send_again s join delivery d using (delivery_id)
group by s.asked_at, s.reason, s.dry_run, s.asked_by order by s.asked_at desc limit 10
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
