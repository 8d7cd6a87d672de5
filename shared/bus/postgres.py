"""The bus in a PostgreSQL database: a log table, numbers given under a lock of the topic."""

import contextlib
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from shared.bus.port import (
    LARGEST_VALUE,
    Behind,
    Message,
    Record,
    SendFailed,
    TopicSpec,
    one_pattern,
)
from shared.errors import TransientError
from shared.log import get_logger

_CHANNEL = "bus"
_BATCH = 500
_LOOK_SECONDS = 1.0
_TIDY_SECONDS = 600.0
_CONNECT_SECONDS = 5
_TOO_LARGE = "too-large"
_UNKNOWN_TOPIC = "unknown-topic"

_Connection = psycopg.Connection[dict[str, Any]]
_log = get_logger(__name__)


def create_schema(dsn: str) -> None:
    """Make sure that the tables of the bus exist; `dsn` is their owner's."""
    with _connect(dsn, autocommit=False) as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('bus-schema'))")
        connection.execute((files("shared.bus") / "postgres.sql").read_bytes())


class PostgresBus:
    """The engine; see shared.bus.port.Bus. A topic is one partition."""

    def __init__(self, dsn: str) -> None:
        """Use the database at `dsn`, whose tables exist."""
        self._dsn = dsn

    def producer(self, client: str) -> "PostgresProducer":
        """Return a producer."""
        return PostgresProducer(self._dsn, client)

    def subscribe(
        self, group: str, topics: Sequence[str], patterns: Sequence[str] = ()
    ) -> "PostgresSubscription":
        """Return a subscription."""
        return PostgresSubscription(self._dsn, group, one_pattern(topics, patterns))

    def create_topics(self, topics: Mapping[str, TopicSpec]) -> None:
        """Make the topics that do not exist yet."""
        with _or_away(), _connect(self._dsn, autocommit=False) as connection:
            for name, spec in sorted(topics.items()):
                connection.execute(
                    "insert into topic (name, compacted, retention) values (%s, %s, %s)"
                    " on conflict do nothing",
                    (name, spec.compacted, spec.retention),
                )

    def unread(self) -> int:
        """Return how many records some group has not committed, or nobody reads."""
        with _or_away(), _connect(self._dsn) as connection:
            row = connection.execute(_UNREAD).fetchone()
        return int(row["unread"]) if row else 0


class PostgresProducer:
    """See shared.bus.port.Producer."""

    def __init__(self, dsn: str, client: str) -> None:
        self._dsn = dsn
        self._client = client
        self._connection: _Connection | None = None
        self._waker: _Connection | None = None
        self._tidy_at = 0.0

    def send(self, messages: Sequence[Message]) -> list[SendFailed | None]:
        """Store the messages in one transaction, then wake the readers."""
        outcomes: list[SendFailed | None] = [_refused(message) for message in messages]
        try:
            with _or_away():
                self._store(messages, outcomes)
                self._wake()
                self._tidy()
        except TransientError:
            self.close()
            raise
        return outcomes

    def close(self) -> None:
        """Let go of the connections."""
        for connection in (self._connection, self._waker):
            if connection is not None:
                connection.close()
        self._connection = self._waker = None

    def _store(self, messages: Sequence[Message], outcomes: list[SendFailed | None]) -> None:
        if self._connection is None:
            self._connection = _connect(self._dsn, name=self._client)
        with self._connection.transaction():
            for topic, indexes in _by_topic(messages, outcomes):
                if not _append(self._connection, topic, [messages[i] for i in indexes]):
                    for i in indexes:
                        outcomes[i] = SendFailed(_UNKNOWN_TOPIC, permanent=False)

    def _wake(self) -> None:
        """Wake the readers from a transaction of its own.

        NOTIFY holds a lock of the whole server through its commit: here nothing is flushed in it.
        """
        if self._waker is None:
            self._waker = _connect(self._dsn, name=f"{self._client} waker", lazy_commit=True)
        self._waker.execute(f"notify {_CHANNEL}")

    def _tidy(self) -> None:
        if self._connection is None or time.monotonic() - self._tidy_at < _TIDY_SECONDS:
            return
        self._tidy_at = time.monotonic()
        self._connection.execute(_FORGET_OLD)
        self._connection.execute(_COMPACT)


class PostgresSubscription:
    """See shared.bus.port.Subscription.

    One subscription of a group reads a topic at a time: it holds an advisory lock, which the
    server takes away with the connection.
    """

    def __init__(self, dsn: str, group: str, pattern: str) -> None:
        self._dsn = dsn
        self._group = group
        self._pattern = re.compile(pattern)
        self._connection: _Connection | None = None
        self._next: dict[str, int] = {}
        self._look_at = 0.0

    def poll(self, timeout: float) -> list[Record]:
        """Return what has come."""
        deadline = time.monotonic() + timeout
        try:
            with _or_away():
                return self._poll(self._connected(), deadline)
        except TransientError:
            self._disconnect()
            raise

    def commit(self, records: Sequence[Record]) -> None:
        """Keep how far the group has read."""
        reached: dict[str, int] = {}
        for record in records:
            reached[record.topic] = max(record.offset + 1, reached.get(record.topic, 0))
        try:
            self._connected().execute(
                _COMMIT, (self._group, list(reached), list(reached.values()))
            )
        except psycopg.Error as failure:
            _log.warning("bus-commit-failed", group=self._group, exc_info=failure)
            self._disconnect()

    def lag(self) -> Mapping[str, Behind]:
        """Return what of each topic is not committed."""
        with _or_away(), _connect(self._dsn) as connection:
            rows = connection.execute(_LAG, (self._group,)).fetchall()
        return {
            row["name"]: Behind(row["lag"], row["oldest"])
            for row in rows
            if self._pattern.match(row["name"])
        }

    def close(self) -> None:
        """Leave the group; its topics are free before the server has seen us go."""
        with contextlib.suppress(psycopg.Error):
            if self._connection is not None:
                self._connection.execute("select pg_advisory_unlock_all()")
        self._disconnect()

    def _poll(self, connection: _Connection, deadline: float) -> list[Record]:
        while True:
            self._look_for_topics(connection)
            records = self._read(connection)
            left = deadline - time.monotonic()
            if records or left <= 0:
                return records
            # A wake-up that came while we read is given here at once.
            for _ in connection.notifies(timeout=min(left, _LOOK_SECONDS), stop_after=1):
                pass

    def _read(self, connection: _Connection) -> list[Record]:
        mine = {"topics": list(self._next), "numbers": list(self._next.values()), "most": _BATCH}
        rows = connection.execute(_READ, mine).fetchall()
        for row in rows:
            self._next[row["topic"]] = row["number"] + 1
        return [
            Record(r["topic"], 0, r["number"], r["key"], r["headers"], r["value"], r["at"])
            for r in rows
        ]

    def _look_for_topics(self, connection: _Connection) -> None:
        """Take the topics that nobody of the group reads, once a second."""
        if time.monotonic() - self._look_at < _LOOK_SECONDS:
            return
        self._look_at = time.monotonic()
        for row in connection.execute("select name from topic order by name").fetchall():
            topic = row["name"]
            if topic not in self._next and self._pattern.match(topic):
                self._take(connection, topic)

    def _take(self, connection: _Connection, topic: str) -> None:
        lock = connection.execute(
            "select pg_try_advisory_lock(hashtextextended(%s, 7246)) as held",
            (f"{self._group}/{topic}",),
        ).fetchone()
        if lock is None or not lock["held"]:
            return
        row = connection.execute(_TAKE, (self._group, topic)).fetchone()
        self._next[topic] = row["next_number"] if row else 0

    def _connected(self) -> _Connection:
        if self._connection is None:
            self._connection = _connect(self._dsn, name=f"{self._group} reader")
            self._connection.execute(f"listen {_CHANNEL}")
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._next = {}
        self._look_at = 0.0


def _connect(
    dsn: str, *, name: str = "bus", autocommit: bool = True, lazy_commit: bool = False
) -> _Connection:
    options = "-c synchronous_commit=off" if lazy_commit else ""
    return psycopg.connect(
        dsn,
        autocommit=autocommit,
        row_factory=dict_row,
        application_name=name,
        connect_timeout=_CONNECT_SECONDS,
        options=f"-c timezone=UTC -c statement_timeout=15s {options}",
    )


@contextlib.contextmanager
def _or_away() -> Iterator[None]:
    """Turn the database's being away into TransientError."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as failure:
        raise TransientError("the bus database is away") from failure


def _refused(message: Message) -> SendFailed | None:
    too_large = len(message.value) > LARGEST_VALUE
    return SendFailed(_TOO_LARGE, permanent=True) if too_large else None


def _by_topic(
    messages: Sequence[Message], outcomes: Sequence[SendFailed | None]
) -> list[tuple[str, list[int]]]:
    """Return which messages go to each topic, in one order of topics: so no two deadlock."""
    good: dict[str, list[int]] = {}
    for index, (message, refused) in enumerate(zip(messages, outcomes, strict=True)):
        if refused is None:
            good.setdefault(message.topic, []).append(index)
    return sorted(good.items())


def _append(connection: _Connection, topic: str, messages: Sequence[Message]) -> bool:
    """Write the messages to the end of the topic; return False when there is no such topic."""
    row = connection.execute(
        "update topic set next_number = next_number + %s where name = %s returning next_number",
        (len(messages), topic),
    ).fetchone()
    if row is None:
        return False
    first = row["next_number"] - len(messages)
    connection.execute(
        _APPEND,
        (
            topic,
            [first + i for i in range(len(messages))],
            [message.key for message in messages],
            [Jsonb(dict(message.headers)) for message in messages],
            [message.value for message in messages],
        ),
    )
    return True


_APPEND = """
insert into record (topic, number, key, headers, value)
select %s, number, key, headers, value
from unnest(%s::bigint[], %s::text[], %s::jsonb[], %s::bytea[])
  as new (number, key, headers, value)
"""

_READ = """
select r.* from unnest(%(topics)s::text[], %(numbers)s::bigint[]) as mine (topic, number)
cross join lateral (
  select topic, number, key, headers, value, at, row_number() over (order by number) as turn
  from record where record.topic = mine.topic and record.number >= mine.number
  order by number limit %(most)s) r
order by r.turn, r.topic limit %(most)s
"""

_TAKE = """
insert into reader (group_name, topic) values (%s, %s)
on conflict (group_name, topic) do update set next_number = reader.next_number
returning next_number
"""

_COMMIT = """
insert into reader as known (group_name, topic, next_number)
select %s, topic, number from unnest(%s::text[], %s::bigint[]) as reached (topic, number)
on conflict (group_name, topic)
do update set next_number = greatest(known.next_number, excluded.next_number)
"""

_LAG = """
select name, (
  select count(*) from record
  where record.topic = name and record.number >= coalesce(reader.next_number, 0)) as lag, (
  select at from record
  where record.topic = name and record.number >= coalesce(reader.next_number, 0)
  order by number limit 1) as oldest
from topic left join reader on reader.topic = name and group_name = %s
"""

_UNREAD = """
select coalesce(sum((
  select count(*) from record
  where record.topic = name and record.number >= slowest)), 0) as unread
from (
  select name, coalesce(min(reader.next_number), 0) as slowest
  from topic left join reader on reader.topic = name group by name) progress
"""

_FORGET_OLD = """
delete from record using topic
where topic = name and not compacted and at < now() - retention
"""

_COMPACT = """
delete from record old using topic
where old.topic = name and compacted and exists (
  select from record new
  where new.topic = old.topic and new.key = old.key and new.number > old.number)
"""
