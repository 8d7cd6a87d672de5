"""How records become effects: once each, in order per source and key, whatever the bus does.

One row per (consumer, source, key) holds the next sequence expected. Lower: a duplicate, dropped.
Equal: applied. Higher: held until the gap fills. A record that cannot be applied is parked; it
keeps its place, so later events of its key wait and everybody else goes on.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from psycopg.errors import UniqueViolation

from shared import log
from shared.bus import Record
from shared.contracts.catalogue import is_known, load_data
from shared.contracts.event import LONGEST_KEY, Event, read_envelope
from shared.contracts.trace import correlation_of, traceparent_of, traces_of
from shared.db import AWAY as DATABASE_AWAY
from shared.db import Pool, Tx, hear, pipelined, together
from shared.errors import InvalidEvent, TransientError
from shared.worker import metrics
from shared.worker.loops import progress


class Unit(Protocol):
    """The work of the events that are applied in one transaction.

    It may read for all of them at once and keep what they write until `flush`; it never commits.
    """

    def flush(self) -> None:
        """Write what waits to be written."""


U = TypeVar("U", bound=Unit)

AWAY = (TransientError, *DATABASE_AWAY)
"""Something we depend on is away: tried again, never counted against the record."""

MAX_ATTEMPTS = 3
HANDLER_FAILED = "handler-failed"

_Stream = tuple[str, str]
_log = log.get_logger(__name__)


@dataclass(slots=True)
class _Batch(Generic[U]):
    """What the transaction knows of the streams that its records belong to."""

    tx: Tx
    unit: U
    expected: dict[_Stream, int] = field(default_factory=dict)
    held: dict[_Stream, set[int]] = field(default_factory=dict)
    parked: set[tuple[str, str, int]] = field(default_factory=set)
    new: set[_Stream] = field(default_factory=set)
    moved: set[_Stream] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Inbox(Generic[U]):
    """Applies records for one consumer.

    `begin` opens the unit of work for the events of a transaction, before they are checked, and
    locks what they are about: each of them locks in the right order, all of them one after the
    other would not. Read at the first look at an answer, that costs one round trip together with
    the positions; what is written and the commit are another. `handlers` apply one event to it.

    `immediate`: types that are facts which only grow; they take effect at once, gap or not, and
    again at their turn. `final`: types that end their key; held and parked records of it go.
    """

    consumer: str
    pool: Pool
    handlers: Mapping[str, Callable[[Event, U], None]]
    begin: Callable[[Tx, Sequence[Event]], U]
    immediate: frozenset[str] = frozenset()
    final: frozenset[str] = frozenset()

    def apply(self, records: Sequence[Record]) -> None:
        """Apply the records in one transaction; if one fails, one by one.

        Raises one of AWAY when the database is away; nothing has happened then.
        """
        try:
            with self._transaction() as tx:
                self._apply_all(records, tx)
        except AWAY:
            raise
        except Exception as failure:  # noqa: BLE001  (any failure: find the record that fails)
            traces = traces_of(record.headers for record in records)
            _log.warning(
                "batch-failed", consumer=self.consumer, traceparents=traces, exc_info=failure
            )
            for record in records:
                progress()
                self._apply_alone(record)

    def _apply_alone(self, record: Record) -> None:
        with traced(record):
            for attempt in range(1, MAX_ATTEMPTS + 1):
                code = self._try(record)
                if code is None:
                    return
                if code != HANDLER_FAILED or attempt == MAX_ATTEMPTS:
                    self._park(record, code, attempt)
                    return

    def _try(self, record: Record) -> str | None:
        """Apply one record; return None, or the code of what is wrong with it."""
        try:
            with self._transaction() as tx:
                self._apply_all([record], tx)
        except AWAY:
            raise
        except Exception as failure:  # noqa: BLE001  (a bug in a handler parks one record)
            return code_of(failure, self.consumer)
        return None

    @contextmanager
    def _transaction(self) -> Iterator[Tx]:
        """Give a transaction.

        Raises:
            TransientError: somebody else began one of the streams meanwhile; nothing has stayed.

        """
        try:
            with pipelined(self.pool) as tx:
                yield tx
        except UniqueViolation as violation:
            if violation.diag.table_name != "stream_position":
                raise
            raise TransientError("Another process reads one of these streams.") from violation

    def _apply_all(self, records: Sequence[Record], tx: Tx) -> None:
        arrivals = [(record, self._read(record)) for record in records]
        events = [event for _, event in arrivals if isinstance(event, Event)]
        streams = sorted({(event.source, event.key) for event in events})
        batch = self.open_batch(tx, streams, events)
        for record, event in arrivals:
            if isinstance(event, InvalidEvent):
                park(tx, self.consumer, record, None, event.code, attempts=1)
            else:
                self.take(batch, record, event)
        self.close_batch(batch)

    def _read(self, record: Record) -> Event | InvalidEvent:
        try:
            event = read_envelope(record.key, record.headers, record.value)
            _check_source(record.topic, event)
        except InvalidEvent as invalid:
            return invalid
        return event

    def open_batch(
        self, tx: Tx, streams: Sequence[_Stream], events: Sequence[Event] = ()
    ) -> _Batch[U]:
        """Lock the positions of the streams, in their order; look what waits; begin the unit."""
        sources, keys = [source for source, _ in streams], [key for _, key in streams]
        with together(tx):
            positions = tx.execute(_LOCK_POSITIONS, (sources, keys, self.consumer))
            waiting = tx.execute(_WAITING, {"c": self.consumer, "sources": sources, "keys": keys})
            batch = _Batch(tx, self.begin(tx, events))
        for row in positions:
            batch.expected[row["source"], row["key"]] = row["next_sequence"]
        batch.new = set(streams) - batch.expected.keys()
        batch.expected |= dict.fromkeys(batch.new, 1)
        for row in waiting:
            stream = (row["source"], row["key"])
            if row["is_parked"]:
                batch.parked.add((*stream, row["sequence"]))
            else:
                batch.held.setdefault(stream, set()).add(row["sequence"])
        return batch

    def close_batch(self, batch: _Batch[U]) -> None:
        """Write what the unit keeps, and the positions that are new or have moved."""
        batch.unit.flush()
        if moved := batch.moved - batch.new:
            self._write_positions(batch, _MOVE_POSITIONS, moved)
        if batch.new:
            self._write_positions(batch, _BEGIN_POSITIONS, batch.new)

    def _write_positions(
        self, batch: _Batch[U], statement: str, streams: Iterable[_Stream]
    ) -> None:
        ordered = sorted(streams)
        values = {
            "c": self.consumer,
            "sources": [source for source, _ in ordered],
            "keys": [key for _, key in ordered],
            "next": [batch.expected[stream] for stream in ordered],
        }
        batch.tx.execute(statement, values)

    def take(self, batch: _Batch[U], record: Record, event: Event) -> None:
        """Apply the event if it is its turn, hold it if it came early, drop a duplicate."""
        stream = (event.source, event.key)
        expected = batch.expected[stream]
        if event.sequence < expected:
            return
        if event.type in self.final:
            self.handle(batch, event)
            _end(batch, self.consumer, record, event)
        elif event.sequence > expected or (*stream, event.sequence) in batch.parked:
            self._hold(batch, record, event)
        else:
            self.handle(batch, event)
            self.advance(batch, stream)

    def _hold(self, batch: _Batch[U], record: Record, event: Event) -> None:
        stream = (event.source, event.key)
        held = batch.held.setdefault(stream, set())
        if (*stream, event.sequence) in batch.parked:
            return
        if event.type in self.immediate and event.sequence not in held:
            self.handle(batch, event)
        held.add(event.sequence)
        batch.tx.execute(
            _HOLD,
            (
                self.consumer,
                *stream,
                event.sequence,
                event.type,
                record.topic,
                json.dumps(dict(record.headers)),
                record.value,
            ),
        )

    def handle(self, batch: _Batch[U], event: Event) -> None:
        """Run the event's handler; a type that nobody declared or reads here is passed over.

        Raises:
            InvalidEvent: a newer version, or the wrong shape.

        """
        if not is_known(event.type) or event.type not in self.handlers:
            return
        with (
            log.context(correlation_id=event.correlation_id, traceparent=event.traceparent),
            metrics.handler_seconds(self.consumer, event.type).time(),
        ):
            self.handlers[event.type](load_data(event), batch.unit)

    def advance(self, batch: _Batch[U], stream: _Stream) -> None:
        """Move the position by one and apply what was held for that."""
        batch.moved.add(stream)
        batch.expected[stream] += 1
        while batch.expected[stream] in batch.held.get(stream, ()):
            if not self._apply_held(batch, stream, batch.expected[stream]):
                return
            batch.expected[stream] += 1

    def _apply_held(self, batch: _Batch[U], stream: _Stream, sequence: int) -> bool:
        row = batch.tx.execute(_TAKE_HELD, (self.consumer, *stream, sequence)).fetchone()
        batch.held[stream].discard(sequence)
        if row is None:
            return False
        record = record_of(row)
        batch.unit.flush()
        hear(batch.tx)  # what fails of the record at hand is not the held one's fault
        try:
            with batch.tx.transaction():
                self._handle_held(batch, record)
        except AWAY:
            raise
        except Exception as failure:  # noqa: BLE001  (the held record fails, not the one at hand)
            identity = (stream[0], sequence, row["type"])
            with traced(record):
                code = code_of(failure, self.consumer)
            batch.unit = self.begin(batch.tx, ())
            park(batch.tx, self.consumer, record, identity, code, attempts=1)
            return False
        return True

    def _handle_held(self, batch: _Batch[U], record: Record) -> None:
        event = read_envelope(record.key, record.headers, record.value)
        batch.unit = self.begin(batch.tx, [event])
        self.handle(batch, event)
        batch.unit.flush()
        hear(batch.tx)

    def _park(self, record: Record, code: str, attempts: int) -> None:
        event = read_envelope(record.key, record.headers, record.value)
        with self._transaction() as tx:
            batch = self.open_batch(tx, [(event.source, event.key)])
            identity = (event.source, event.sequence, event.type)
            park(batch.tx, self.consumer, record, identity, code, attempts)
            self.close_batch(batch)


def code_of(failure: Exception, consumer: str) -> str:
    """Return the code of a failure; an unforeseen one is logged by its type and place."""
    if isinstance(failure, InvalidEvent):
        return failure.code
    _log.error("record-failed", consumer=consumer, exc_info=failure)
    return HANDLER_FAILED


def park(  # noqa: PLR0913, PLR0917  (the parts of a parked record)
    tx: Tx,
    consumer: str,
    record: Record,
    identity: tuple[str, int, str] | None,
    code: str,
    attempts: int,
) -> None:
    """Set the record aside with a coded reason; `identity` is its source, sequence and type.

    Without an identity (an envelope that cannot be read) it holds nobody back, and is known
    again by its content when the bus brings it once more.
    """
    source, sequence, type_ = identity or (None, None, record.headers.get("ce_type"))
    headers, key = json.dumps(dict(record.headers)), record.key[:LONGEST_KEY]
    same = (consumer, record.topic, key, headers, record.value)
    if identity is None and tx.execute(_PARK_AGAIN, same).fetchone():
        return
    place = (consumer, record.topic, source, key, sequence, type_)
    tx.execute(_PARK, (*place, headers, record.value, code, attempts))
    metrics.PARKED.labels(consumer, code).inc()
    with traced(record):
        _log.warning("record-parked", consumer=consumer, reason=code, type=type_)


def traced(record: Record) -> AbstractContextManager[None]:
    """Give the log lines of a block the ids that the record came with."""
    return log.context(
        correlation_id=correlation_of(record.headers.get("ce_correlationid", "")),
        traceparent=traceparent_of(record.headers.get("traceparent", "")),
    )


def record_of(row: Mapping[str, Any]) -> Record:
    """Return the record that a held or parked row keeps."""
    payload = row["payload"]
    return Record(
        topic=row["topic"],
        partition=-1,
        offset=-1,
        key=row["key"],
        headers=row["headers"],
        value=None if payload is None else bytes(payload),
        timestamp=row["kept_at"],
    )


def _check_source(topic: str, event: Event) -> None:
    """Refuse an event that its topic's owner did not emit: an intake only writes its own.

    Raises:
        InvalidEvent: the source does not fit the topic.

    """
    owner, _, rest = topic.partition(".")
    if owner == "intake":
        fits = event.source == f"/intake/{rest.rsplit('.', 1)[-1]}"
    else:
        fits = event.source.startswith(f"/{owner}/")
    if not fits or not event.type.startswith(f"{owner}."):
        raise InvalidEvent("wrong-source")


def _end(batch: _Batch[Any], consumer: str, record: Record, event: Event) -> None:
    """End the event's stream, and what other services have still to say of its key.

    The streams of its own service's other sources go on: no agency ends what is another's.
    """
    service, _, _ = event.type.partition(".")
    ours = {"c": consumer, "key": event.key, "source": event.source, "topic": record.topic}
    place = {**ours, "sources": f"/{service}/%", "topics": f"{service}.%"}
    for row in batch.tx.execute(_LOCK_KEY, place):
        batch.expected.setdefault((row["source"], event.key), row["next_sequence"])
    last = {event.source: event.sequence}
    for statement in (_DROP_HELD, _ERASE_PARKED):
        for row in batch.tx.execute(statement, place):
            last[row["source"]] = max(row["sequence"], last.get(row["source"], 0))
    for source, sequence in last.items():
        stream = (source, event.key)
        batch.held.pop(stream, None)
        batch.expected[stream] = max(batch.expected[stream], sequence + 1)
        batch.moved.add(stream)
    ended = {(source, event.key) for source in last}
    batch.parked = {parked for parked in batch.parked if parked[:2] not in ended}


_LOCK_POSITIONS = """
select source, key, next_sequence from stream_position
join unnest(%s::text[], %s::text[]) as s (source, key) using (source, key)
where consumer = %s order by source, key for update of stream_position
"""
_BEGIN_POSITIONS = """
insert into stream_position (consumer, source, key, next_sequence)
select %(c)s, s.* from unnest(%(sources)s::text[], %(keys)s::text[], %(next)s::bigint[]) as s
"""
_WAITING = """
with streams as (select * from unnest(%(sources)s::text[], %(keys)s::text[]) as s (source, key))
select source, key, sequence, false as is_parked from held join streams using (source, key)
where consumer = %(c)s
union all
select source, key, sequence, true from parked join streams using (source, key)
where consumer = %(c)s and closed_at is null and sequence is not null
"""
_MOVE_POSITIONS = """
update stream_position p set next_sequence = m.next
from unnest(%(sources)s::text[], %(keys)s::text[], %(next)s::bigint[]) as m (source, key, next)
where p.consumer = %(c)s and p.source = m.source and p.key = m.key
"""
_HOLD = """
insert into held (consumer, source, key, sequence, type, topic, headers, payload)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (consumer, source, key, sequence)
do update set attempts = held.attempts + 1, last_at = now()
"""
_TAKE_HELD = """
delete from held where consumer = %s and source = %s and key = %s and sequence = %s
returning topic, key, type, headers, payload, held_at as kept_at
"""
_LOCK_KEY = """
select source, next_sequence from stream_position
where consumer = %(c)s and key = %(key)s and (source = %(source)s or source not like %(sources)s)
order by source for update
"""
_DROP_HELD = """
delete from held
where consumer = %(c)s and key = %(key)s and (source = %(source)s or source not like %(sources)s)
returning source, sequence
"""
_PARK = """
insert into parked
  (consumer, topic, source, key, sequence, type, headers, payload, reason, attempts)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
on conflict (consumer, source, key, sequence) where closed_at is null
do update set attempts = parked.attempts + excluded.attempts, last_at = now()
"""
_PARK_AGAIN = """
update parked set attempts = attempts + 1, last_at = now()
where consumer = %s and topic = %s and key = %s and source is null and closed_at is null
  and headers = %s::jsonb and payload is not distinct from %s
returning parked_id
"""
_ERASE_PARKED = """
with erased as (
  update parked set closed_at = now(), closed_as = 'erased', payload = null, headers = '{}'
  where consumer = %(c)s and key = %(key)s and payload is not null
    and (coalesce(source = %(source)s, topic = %(topic)s) or topic not like %(topics)s)
  returning source, sequence)
select source, sequence from erased where source is not null
"""
