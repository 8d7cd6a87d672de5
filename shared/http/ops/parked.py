"""The parked records, and what was asked to be done with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.db.pool import Tx
from shared.http.asking import Order
from shared.http.ops import repairs

SHOWN: Final = 100
ACTIONS: Final = ("replay", "discard")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are meant: of a reason, of a type, or a single one; all where none is said."""

    reason: str | None = None
    type: str | None = None
    record: UUID | None = None

    def values(self) -> dict[str, object]:
        """Return the parameters of a query."""
        return {"parked_reason": self.reason, "type": self.type, "record": self.record}


@dataclass(frozen=True, slots=True)
class Parked:
    """The records that pass the selection: how many, since when, by reason and type, the rows."""

    count: int
    groups: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, Any]]


def read_parked(tx: Tx, selection: Selection) -> Parked:
    """Return the open ones, the oldest first."""
    values = {**selection.values(), "until": None, "most": SHOWN}
    groups = tx.execute(_GROUPS).fetchall()
    count = tx.execute(_COUNT, values).fetchone()
    return Parked(
        count=count["count"] if count else 0,
        groups=groups,
        rows=tx.execute(_ROWS, values).fetchall(),
    )


def ask(tx: Tx, selection: Selection, order: Order, *, until: datetime) -> UUID | None:
    """Ask the worker to do so with what was parked until then; None when nothing is parked."""
    return repairs.ask(tx, _TARGETS, order, {**selection.values(), "until": until})


_CHOSEN: Final = """
k.closed_at is null
and (%(parked_reason)s::text is null or k.reason = %(parked_reason)s)
and (%(type)s::text is null or coalesce(k.type, 'unknown') = %(type)s)
and (%(record)s::uuid is null or k.parked_id = %(record)s)
and (%(until)s::timestamptz is null or k.first_at <= %(until)s)
"""
_COUNT: Final = "select count(*) from parked k where" + _CHOSEN  # noqa: S608  (constants of this module)
_GROUPS: Final = """
select reason, coalesce(type, 'unknown') as type, count(*),
  min(first_at) as first_at,
  max(last_at) as last_at
from parked where closed_at is null group by reason, 2 order by first_at
"""
_ROWS: Final = f"""
select parked_id, consumer, topic, coalesce(type, 'unknown') as type, reason, attempts, first_at,
  last_at, source, key, sequence,
  (select count(*) from held h where h.consumer = k.consumer and h.source = k.source
    and h.key = k.key) as holds_back,
  (select action from repair r where r.parked_id = k.parked_id and r.done_at is null
    and not r.dry_run limit 1) as asked
from parked k where {_CHOSEN} order by first_at, sequence limit %(most)s
"""  # noqa: S608  (constants of this module)
_TARGETS: Final = f"""
select k.consumer, k.parked_id, null::text as source, null::text as key, k.first_at as since,
  k.sequence
from parked k where {_CHOSEN}
"""  # noqa: S608  (constants of this module)
