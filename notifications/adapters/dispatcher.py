"""Sends what is due: leased in a short transaction, called outside any, recorded in the next.

What has been answered meanwhile is recorded together, in the transaction that leases more. A dead
endpoint never delays another: each has a few calls at a time, in the SQL across
processes and here for calls that outlive their lease. Nor does a dead mail server delay webhooks:
each channel has calls of its own.
"""

import random
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, Final, NamedTuple
from uuid import UUID

from notifications.adapters.message import Message, Sender
from notifications.adapters.metrics import ATTEMPTS, ENDED, SECONDS
from notifications.adapters.store import PostgresStore
from notifications.application.attempt import lapse, record
from notifications.application.ports import Attempt
from notifications.domain.attempts import Answer, State, Verdict
from notifications.domain.notices import Owner, Template
from shared import log
from shared.db import AWAY as DATABASE_AWAY
from shared.db import Pool, Tx, now, pipelined, transaction
from shared.db.outbox import Outbox
from shared.errors import TransientError

_LAPSE_SECONDS: Final = 1.0
_PURGE_SECONDS: Final = 3600.0
_AT_ONCE: Final = 5_000
_AWAY = (TransientError, *DATABASE_AWAY)

_log = log.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once, and for how long a leased delivery is nobody else's.

    The lease is longer than any call can take; after a crash the delivery is tried again when it
    ends, under the same id.
    """

    calls_per_channel: int = 24
    calls_per_endpoint: int = 3
    lease_seconds: float = 90.0


class _Answered(NamedTuple):
    """A call that has ended."""

    message: Message
    answer: Answer


@dataclass(slots=True)
class Dispatcher:
    """Runs deliveries. `wake`: there may be work or room; `relay_wake`: there may be events."""

    pool: Pool
    outbox: Outbox
    senders: Mapping[str, Sender]
    limits: Limits = field(default_factory=Limits)
    wake: threading.Event = field(default_factory=threading.Event)
    relay_wake: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _running: list[Message] = field(default_factory=list, init=False)
    _answered: list[_Answered] = field(default_factory=list, init=False)
    _threads: ThreadPoolExecutor = field(init=False)
    _lapse_at: float = field(default=0.0, init=False)
    _purge_at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        """Make the threads; they start with the first call."""
        most = self.limits.calls_per_channel * len(self.senders)
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="delivery")

    def step(self) -> bool:
        """Record what was answered and start what is due and fits; an answer wakes the next."""
        try:
            self._turn()
            self._lapse_and_purge()
        except _AWAY as failure:
            _log.warning("dispatcher-waits", exc_info=failure)
        return False

    def close(self) -> None:
        """Finish the calls that run, record them, and let go of the connections."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        try:
            self._record_one_by_one(self._answered)
        except _AWAY as failure:
            _log.warning("attempts-not-recorded", exc_info=failure)
        for sender in self.senders.values():
            sender.close()

    def _turn(self) -> None:
        with self._lock:
            answered, running = list(self._answered), list(self._running)
        busy = Counter(message.channel for message in running)
        room = {name: self.limits.calls_per_channel - busy[name] for name in self.senders}
        calls = Counter(message.endpoint_id for message in running)
        occupied = [one for one in calls if calls[one] >= self.limits.calls_per_endpoint]
        if answered or any(room.values()):
            for message in self._record_and_lease(answered, room, occupied):
                with self._lock:
                    self._running.append(message)
                self._threads.submit(self._run, message)

    def _record_and_lease(
        self, answered: Sequence[_Answered], room: Mapping[str, int], occupied: Sequence[UUID]
    ) -> list[Message]:
        try:
            with pipelined(self.pool) as tx:
                states = self._record(tx, answered)
                leased = self._lease(tx, room, occupied)
        except _AWAY:
            raise
        except Exception as failure:
            if not answered:
                raise
            _log.exception("attempts-failed", exc_info=failure)
            self._record_one_by_one(answered)
            return []
        self._forget(answered, states)
        return leased

    def _lease(self, tx: Tx, room: Mapping[str, int], occupied: Sequence[UUID]) -> list[Message]:
        if not any(room.values()):
            return []
        rows = tx.execute(
            _LEASE,
            {
                "channels": list(room),
                "room": list(room.values()),
                "occupied": list(occupied),
                "per_endpoint": self.limits.calls_per_endpoint,
                "seconds": self.limits.lease_seconds,
            },
        )
        return [_message(row) for row in rows]

    def _run(self, message: Message) -> None:
        with log.context(correlation_id=message.correlation_id, traceparent=message.trace):
            answer = self._call(message)
        with self._lock:
            self._answered.append(_Answered(message, answer))
            self._running.remove(message)
        self.wake.set()

    def _call(self, message: Message) -> Answer:
        with SECONDS.labels(message.channel).time():
            try:
                return self.senders[message.channel].send(message)
            except Exception as failure:  # noqa: BLE001  (a bug is an answer too)
                _log.error("sender-failed", channel=message.channel, exc_info=failure)
                return Answer("sender-failed", Verdict.DOUBTFUL)

    def _record(self, tx: Tx, answered: Sequence[_Answered]) -> list[State | None]:
        """Write what follows from the answers; return the states of their deliveries."""
        if not answered:
            return []
        store, moment = PostgresStore(tx, self.outbox), now(tx)
        store.load([message.delivery_id for message, _ in answered])
        states = []
        for message, answer in answered:
            with log.context(correlation_id=message.correlation_id, traceparent=message.trace):
                chance = random.random()  # noqa: S311  (spreads attempts, no secret)
                attempt = Attempt(message.delivery_id, message.attempt)
                state = record(attempt, answer, store, now=moment, chance=chance)
            states.append(state)
        store.flush()
        return states

    def _record_one_by_one(self, answered: Sequence[_Answered]) -> None:
        """Record each alone: a bug costs one lease, not the others' answers."""
        for one in list(answered):
            states: list[State | None] = [None]
            try:
                with transaction(self.pool) as tx:
                    states = self._record(tx, [one])
            except _AWAY:
                raise
            except Exception as failure:  # noqa: BLE001  (the delivery is tried again)
                _log.error("attempt-failed", exc_info=failure)
            self._forget([one], states)

    def _forget(self, answered: Sequence[_Answered], states: Sequence[State | None]) -> None:
        """Let go of answers that are recorded, and say so."""
        with self._lock:
            self._answered = [one for one in self._answered if one not in answered]
        for (message, answer), state in zip(answered, states, strict=True):
            ATTEMPTS.labels(message.channel, answer.verdict).inc()
            if state in {State.DELIVERED, State.EXHAUSTED}:
                ENDED.labels(message.channel, state).inc()
            _log.info(
                "attempt",
                delivery_id=str(message.delivery_id),
                endpoint_id=str(message.endpoint_id),
                answer=answer.code,
                state=state,
                correlation_id=message.correlation_id,
                traceparent=message.trace,
            )
        if answered:
            self.relay_wake.set()

    def _lapse_and_purge(self) -> None:
        if monotonic() - self._lapse_at < _LAPSE_SECONDS:
            return
        self._lapse_at = monotonic()
        self._lapse()
        if monotonic() > self._purge_at:
            with transaction(self.pool) as tx:
                gone = [tx.execute(purge, (_AT_ONCE,)).rowcount for purge in _PURGES]
            if max(gone) < _AT_ONCE:
                self._purge_at = monotonic() + _PURGE_SECONDS

    def _lapse(self) -> None:
        with transaction(self.pool) as tx:
            lapsed = tx.execute(_LAPSED).fetchall()
        for row in lapsed:
            ids = {"correlation_id": row["correlation_id"], "traceparent": row["trace"]}
            with log.context(**ids), transaction(self.pool) as tx:
                store = PostgresStore(tx, self.outbox)
                given_up = lapse(row["delivery_id"], store, now=now(tx))
                store.flush()
            if given_up:
                ENDED.labels(row["channel"], State.EXHAUSTED).inc()
        if lapsed:
            self.relay_wake.set()


def _message(row: dict[str, Any]) -> Message:
    params = row["params"]
    answer_by = params.get("answer_by")
    secret = row["secret"]
    return Message(
        delivery_id=row["delivery_id"],
        endpoint_id=row["endpoint_id"],
        owner=Owner(row["owner_kind"]),
        channel=row["channel"],
        address=row["address"],
        secret=None if secret is None else bytes(secret),
        template=Template(row["template"]),
        reference=params.get("reference"),
        answer_by=None if answer_by is None else datetime.fromisoformat(answer_by),
        agency=row["agency"],
        said_at=row["said_at"],
        attempt=row["attempts"],
        leased_at=row["leased_at"],
        trace=row["trace"],
        correlation_id=row["correlation_id"],
    )


_LEASE = """
with busy as (
  select endpoint_id, count(*) as calls from delivery
  where state = 'sending' and leased_until > now() group by endpoint_id
), due as (
  select f.delivery_id
  from unnest(%(channels)s::text[], %(room)s::int[]) as free (channel, calls)
  cross join lateral (
    select d.delivery_id
    from contact_point e left join busy b using (endpoint_id)
    cross join lateral (
      select delivery_id, next_attempt_at from delivery
      where endpoint_id = e.endpoint_id
        and state in ('waiting', 'sending', 'failed-temporarily')
        and next_attempt_at <= now() and (leased_until is null or leased_until <= now())
        and (not_after is null or not_after > now())
      order by next_attempt_at, delivery_id
      limit greatest(0, %(per_endpoint)s - coalesce(b.calls, 0))
      for update skip locked
    ) d
    where e.channel = free.channel and e.active and e.disabled_at is null
      and e.endpoint_id <> all(%(occupied)s)
    order by d.next_attempt_at, d.delivery_id
    limit free.calls
    for no key update of e skip locked
  ) f
)
update delivery d
set state = 'sending', attempts = attempts + 1, changed_at = now(),
  leased_until = now() + make_interval(secs => %(seconds)s)
from due, contact_point c, referral_thread t
where d.delivery_id = due.delivery_id and c.endpoint_id = d.endpoint_id
  and t.referral_id = d.referral_id
returning d.delivery_id, d.endpoint_id, c.owner_kind, c.channel, c.address, c.secret, d.template,
  d.params, t.agency, d.said_at, d.attempts, now() as leased_at, d.trace, d.correlation_id
"""
_LAPSED = """
select delivery_id, c.channel, d.trace, d.correlation_id
from delivery d join contact_point c using (endpoint_id)
where d.state in ('waiting', 'sending', 'failed-temporarily')
  and (d.leased_until is null or d.leased_until <= now())
  and (d.not_after <= now() or c.disabled_at is not null or not c.active)
order by delivery_id limit 100
"""
_PURGES = (
    """
delete from delivery where delivery_id = any(array(
  select delivery_id from delivery where state in ('delivered', 'exhausted', 'stopped')
    and changed_at < now() - interval '30 days' limit %s))
""",
    """
delete from closed_offer where offer_id = any(array(
  select offer_id from closed_offer where closed_at < now() - interval '30 days' limit %s))
""",
)
