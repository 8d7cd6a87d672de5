"""The state of a service's pipeline as the operator sees it, and what the operator may ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from shared.db.pool import Tx

ACTIONS: Final = ("replay", "discard")
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait, and since when the oldest does."""

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Three numbers, then the rows behind them: dicts of ids, codes, times and counts."""

    leaving: Waiting
    reading: Waiting
    parked: Waiting
    failed: Sequence[dict[str, Any]]
    lag: Sequence[dict[str, Any]]
    held: Sequence[dict[str, Any]]
    parked_rows: Sequence[dict[str, Any]]
    repairs: Sequence[dict[str, Any]]


def read(tx: Tx) -> Pipeline:
    """Return the state of the moment."""
    lag = tx.execute(_LAG).fetchall()
    behind = [row["measured_at"] for row in lag if row["records"]]
    return Pipeline(
        leaving=_waiting(tx, _LEAVING),
        reading=Waiting(sum(row["records"] for row in lag), min(behind, default=None)),
        parked=_waiting(tx, _PARKED),
        failed=tx.execute(_FAILED).fetchall(),
        lag=lag,
        held=tx.execute(_HELD, (_SHOWN,)).fetchall(),
        parked_rows=tx.execute(_PARKED_ROWS, (_SHOWN,)).fetchall(),
        repairs=tx.execute(_REPAIRS).fetchall(),
    )


def ask_repair(tx: Tx, parked_id: UUID, *, action: str, reason: str, asked_by: UUID) -> bool:
    """Ask for a parked record's replay or discard; False when it is not parked any more.

    Asking again while the worker has not answered changes nothing.
    """
    row = tx.execute(_STILL_PARKED, (parked_id,)).fetchone()
    if row is None:
        return False
    tx.execute(_ASK_REPAIR, {**row, "action": action, "reason": reason, "asked_by": asked_by})
    return True


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


def _waiting(tx: Tx, query: str) -> Waiting:
    row = tx.execute(query.encode()).fetchone() or {"count": 0, "since": None}
    return Waiting(row["count"], row["since"])


_LEAVING: Final = """
select count(*), min(created_at) as since from outbox where sent_at is null and failed_at is null
"""
_PARKED: Final = "select count(*), min(first_at) as since from parked where closed_at is null"
_FAILED: Final = """
select topic, failure, count(*), min(failed_at) as since from outbox
where failed_at is not null group by topic, failure order by since
"""
_LAG: Final = """
select consumer, topic, records, measured_at from consumer_lag
order by records desc, consumer, topic
"""
_HELD: Final = """
select consumer, source, key, count(*), min(sequence) as first, min(held_at) as since,
  coalesce((select next_sequence from stream_position p where p.consumer = h.consumer
    and p.source = h.source and p.key = h.key), 1) as expected,
  exists (select 1 from parked k where k.consumer = h.consumer and k.source = h.source
    and k.key = h.key and k.closed_at is null) as behind_parked,
  exists (select 1 from repair r where r.consumer = h.consumer and r.source = h.source
    and r.key = h.key and r.action = 'close-gap' and r.done_at is null) as asked
from held h group by consumer, source, key order by since limit %s
"""
_PARKED_ROWS: Final = """
select parked_id, consumer, topic, type, reason, attempts, first_at, last_at, key, sequence,
  (select action from repair r where r.parked_id = k.parked_id and r.done_at is null limit 1)
    as asked
from parked k where closed_at is null order by first_at limit %s
"""
_REPAIRS: Final = """
select repair_id, action, consumer, reason, asked_at, done_at, outcome,
  (select name from member m where m.member_id = r.asked_by) as asked_by
from repair r order by asked_at desc limit 20
"""
_STILL_PARKED: Final = """
select parked_id, consumer from parked where parked_id = %s and closed_at is null
"""
_ASK_REPAIR: Final = """
insert into repair (action, consumer, parked_id, reason, asked_by)
select %(action)s, %(consumer)s, %(parked_id)s, %(reason)s, %(asked_by)s
where not exists (
  select 1 from repair where parked_id = %(parked_id)s and done_at is null)
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
