"""The state of a service's pipeline, and two repairs of it: gaps closed, a topic sent again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.db.pool import Tx
from shared.http.asking import Order
from shared.http.ops import repairs

_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What waits where: rows of ids, codes, times and counts."""

    failed: Sequence[dict[str, Any]]
    lag: Sequence[dict[str, Any]]
    held: Sequence[dict[str, Any]]
    gaps: int
    measured_at: datetime | None


def read_pipeline(tx: Tx) -> Pipeline:
    """Return the state of the moment."""
    lag, held = tx.execute(_LAG).fetchall(), tx.execute(_HELD, (_SHOWN,)).fetchall()
    return Pipeline(
        failed=tx.execute(_FAILED).fetchall(),
        lag=lag,
        held=held,
        gaps=held[0]["gaps"] if held else 0,
        measured_at=min((row["measured_at"] for row in lag), default=None),
    )


def ask_close_gaps(
    tx: Tx, stream: Sequence[str] | None, order: Order, *, until: datetime
) -> UUID | None:
    """Ask to go on at the first held event of (consumer, source, key), or of all that wait.

    None when nothing waits behind a gap there since before `until`.
    """
    consumer, source, key = stream or (None, None, None)
    values = {"consumer": consumer, "source": source, "key": key, "until": until}
    return repairs.ask(tx, _GAPS, order, values)


def ask_resend(tx: Tx, consumer: str, topic: str, order: Order, *, until: datetime) -> UUID | None:
    """Ask to send again what the bus refused of a topic until then; None when it refused nothing.

    One repair is all that was refused of one key.
    """
    return repairs.ask(tx, _REFUSED, order, {"consumer": consumer, "topic": topic, "until": until})


_FAILED: Final = """
select topic, failure, count(*), min(failed_at) as since,
  exists (select 1 from repair r where r.action = 'resend' and r.source = o.topic
    and r.done_at is null and not r.dry_run) as asked
from outbox o where failed_at is not null group by topic, failure order by since
"""
_REFUSED: Final = """
select %(consumer)s as consumer, null::uuid as parked_id, topic as source, key,
  min(failed_at) as since, min(id) as sequence
from outbox where topic = %(topic)s and failed_at <= %(until)s group by topic, key
"""
_LAG: Final = """
select consumer, topic, records, behind_since, measured_at from consumer_lag
order by records desc, consumer, topic
"""
_STREAMS: Final = """
streams as (
  select consumer, source, key, count(*), min(sequence) as first, min(held_at) as since,
    max(last_at) as last_at, max(attempts) as attempts, array_agg(distinct type) as types,
    coalesce((select next_sequence from stream_position p where p.consumer = h.consumer
      and p.source = h.source and p.key = h.key), 1) as expected
  from held h group by consumer, source, key
), placed as (
  select s.*, (select parked_id from parked k where k.consumer = s.consumer
    and k.source = s.source and k.key = s.key and k.sequence = s.expected
    and k.closed_at is null) as behind
  from streams s
)
"""
_HELD: Final = f"""
with {_STREAMS}
select p.*, exists (select 1 from repair r where r.consumer = p.consumer and r.source = p.source
  and r.key = p.key and r.action = 'close-gap' and r.done_at is null and not r.dry_run) as asked,
  count(*) filter (where behind is null) over () as gaps
from placed p order by since limit %s
"""  # noqa: S608  (constants of this module)
_GAPS: Final = f"""
with {_STREAMS}
select consumer, null::uuid as parked_id, source, key, since, first as sequence
from placed where behind is null and since <= %(until)s
  and (%(key)s::text is null
    or (consumer, source, key) = (%(consumer)s, %(source)s, %(key)s))
"""  # noqa: S608  (constants of this module)
