"""The relay: moves a service's outbox to the bus, in order; one is active per service."""

from collections import Counter
from collections.abc import Sequence
from time import monotonic
from typing import Any

import psycopg
from psycopg.rows import dict_row

from shared.bus import Message, Producer, SendFailed
from shared.contracts.trace import traces_of
from shared.errors import TransientError
from shared.log import get_logger
from shared.worker import metrics

BATCH = 500
LOCK = 7_246_001
"""The advisory lock of the database by which one relay is the active one."""

_CONNECT_SECONDS = 5
_REST_SECONDS = 5.0

_log = get_logger(__name__)


class Relay:
    """Sends outbox rows until they are acknowledged.

    A row is marked after its acknowledgement, so it may go out twice and never less than once;
    positions drop the second. A row that can never be sent holds back the later ones of its key.
    A topic that takes nothing now (it is not made yet, say) is left alone for some seconds, so
    that its rows never stand before everybody else's.
    """

    def __init__(self, dsn: str, producer: Producer) -> None:
        """Work on a connection of its own, which holds the lock that makes it the active one."""
        self._dsn = dsn
        self._producer = producer
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._rest_until: dict[str, float] = {}

    def step(self) -> bool:
        """Send one batch; return True when there may be more."""
        try:
            connection = self._connected()
            if connection is None:
                return False
            rows = connection.execute(_WAITING, (self._resting(), BATCH)).fetchall()
            return bool(rows) and self._send(connection, rows)
        except (TransientError, psycopg.Error) as failure:
            _log.warning("relay-waits", exc_info=failure)
            if isinstance(failure, psycopg.Error):
                self._disconnect()
            return False

    def _send(
        self, connection: psycopg.Connection[dict[str, Any]], rows: Sequence[dict[str, Any]]
    ) -> bool:
        outcomes = self._producer.send(
            [
                Message(row["topic"], row["key"], row["headers"], bytes(row["payload"]))
                for row in rows
            ]
        )
        sent = [row for row, failed in zip(rows, outcomes, strict=True) if failed is None]
        ids = [row["id"] for row in sent]
        connection.execute("update outbox set sent_at = now() where id = any(%s)", (ids,))
        for type_, count in Counter(row["type"] for row in sent).items():
            metrics.EVENTS_OUT.labels(type_).inc(count)
        if sent:
            _log.info("events-sent", traceparents=traces_of(row["headers"] for row in sent))
        for row, failed in zip(rows, outcomes, strict=True):
            if failed is None:
                continue
            if failed.permanent:
                self._give_up(connection, row, failed)
            else:
                self._rest_until[row["topic"]] = monotonic() + _REST_SECONDS
        return len(rows) == BATCH

    def _resting(self) -> list[str]:
        moment = monotonic()
        self._rest_until = {
            topic: until for topic, until in self._rest_until.items() if until > moment
        }
        return list(self._rest_until)

    def _give_up(
        self,
        connection: psycopg.Connection[dict[str, Any]],
        row: dict[str, Any],
        failed: SendFailed,
    ) -> None:
        connection.execute(
            "update outbox set failed_at = now(), failure = %s where id = %s",
            (failed.code, row["id"]),
        )
        _log.error(
            "event-not-sendable",
            type=row["type"],
            reason=failed.code,
            traceparents=traces_of([row["headers"]]),
        )

    def _connected(self) -> psycopg.Connection[dict[str, Any]] | None:
        """Return the connection if it holds the lock: another relay may be active."""
        if self._connection is None:
            connection = psycopg.connect(
                self._dsn,
                autocommit=True,
                row_factory=dict_row,
                # A mark that is lost with the database's memory costs a duplicate, nothing else.
                options="-c synchronous_commit=off",
                connect_timeout=_CONNECT_SECONDS,
            )
            row = connection.execute(
                "select pg_try_advisory_lock(%s) as active", (LOCK,)
            ).fetchone()
            if row is None or not row["active"]:
                connection.close()
                return None
            self._connection = connection
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Give up the lock and the producer."""
        self._disconnect()
        self._producer.close()


_WAITING = """
select id, topic, key, type, headers, payload from outbox o
where sent_at is null and failed_at is null and topic <> all(%s) and not exists (
  select from outbox f
  where f.topic = o.topic and f.key = o.key and f.failed_at is not null and f.id < o.id)
order by id limit %s
"""
