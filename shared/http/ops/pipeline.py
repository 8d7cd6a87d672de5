"""The state of a service's pipeline, and two repairs of it: a gap closed, a topic sent again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.db.pool import Tx

_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Pipeline:
    """What waits where: rows of ids, codes, times and counts."""

    failed: Sequence[dict[str, Any]]
    lag: Sequence[dict[str, Any]]
    held: Sequence[dict[str, Any]]
    measured_at: datetime | None


def read_pipeline(tx: Tx) -> Pipeline:
    """Return the state of the moment."""
    lag = tx.execute(_LAG).fetchall()
    return Pipeline(
        failed=tx.execute(_FAILED).fetchall(),
        lag=lag,
        held=tx.execute(_HELD, (_SHOWN,)).fetchall(),
        measured_at=min((row["measured_at"] for row in lag), default=None),
    )


def ask_close_gap(tx: Tx, stream: Sequence[str], *, reason: str, asked_by: UUID) -> bool:
    """Ask to go on at the first held event of (consumer, source, key); False when none is held."""
    values = dict(zip(("consumer", "source", "key"), stream, strict=True))
    if tx.execute(_STILL_HELD, values).fetchone() is None:
        return False
    tx.execute(_ASK_CLOSE_GAP, {**values, "reason": reason, "asked_by": asked_by})
    return True


def ask_resend(tx: Tx, consumer: str, topic: str, *, reason: str, asked_by: UUID) -> bool:
    """Ask to send again what the bus refused of a topic; False when it refused nothing."""
    row = tx.execute(_STILL_FAILED, (topic,)).fetchone()
    if row is None:
        return False
    tx.execute(
        _ASK_RESEND,
        {"consumer": consumer, "topic": topic, "reason": reason, "asked_by": asked_by},
    )
    return True


_FAILED: Final = """
select topic, failure, count(*), min(failed_at) as since,
  exists (select 1 from repair r where r.action = 'resend' and r.key = o.topic
    and r.done_at is null) as asked
from outbox o where failed_at is not null group by topic, failure order by since
"""
_LAG: Final = """
select consumer, topic, records, behind_since, measured_at from consumer_lag
order by records desc, consumer, topic
"""
_HELD: Final = """
select consumer, source, key, count(*), min(sequence) as first, min(held_at) as since,
  array_agg(distinct type) as types,
  coalesce((select next_sequence from stream_position p where p.consumer = h.consumer
    and p.source = h.source and p.key = h.key), 1) as expected,
  (select parked_id from parked k where k.consumer = h.consumer and k.source = h.source
    and k.key = h.key and k.closed_at is null order by sequence limit 1) as behind,
  exists (select 1 from repair r where r.consumer = h.consumer and r.source = h.source
    and r.key = h.key and r.action = 'close-gap' and r.done_at is null) as asked
from held h group by consumer, source, key order by since limit %s
"""
_STILL_FAILED: Final = """
select topic from outbox where topic = %s and failed_at is not null limit 1
"""
_ASK_RESEND: Final = """
insert into repair (action, consumer, key, reason, asked_by)
select 'resend', %(consumer)s, %(topic)s, %(reason)s, %(asked_by)s
where not exists (
  select 1 from repair where action = 'resend' and key = %(topic)s and done_at is null)
"""
_STILL_HELD: Final = """
select 1 as held from held
where consumer = %(consumer)s and source = %(source)s and key = %(key)s limit 1
"""
_ASK_CLOSE_GAP: Final = """
insert into repair (action, consumer, source, key, reason, asked_by)
select 'close-gap', %(consumer)s, %(source)s, %(key)s, %(reason)s, %(asked_by)s
where not exists (
  select 1 from repair where action = 'close-gap' and consumer = %(consumer)s
  and source = %(source)s and key = %(key)s and done_at is null)
"""
