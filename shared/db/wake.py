"""Wake-ups across processes: web tells its worker that something waits.

Never inside the business transaction: NOTIFY takes a cluster-wide lock through commit. A lost
wake-up costs a second at most, because loops look by themselves too.
"""

import threading
from collections.abc import Iterable

import psycopg

from shared.log import get_logger

CHANNEL = "wake"
_LISTEN_SECONDS = 1.0
_RETRY_SECONDS = 1.0
_REST_SECONDS = 0.005
_CONNECT_SECONDS = 5

_log = get_logger(__name__)


class Waker:
    """Sends coalesced wake-ups from a thread and a connection of its own."""

    def __init__(self, dsn: str) -> None:
        """Start nothing yet: the thread begins with the first wake-up, after any fork."""
        self._dsn = dsn
        self._asked = threading.Event()
        self._closed = threading.Event()
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Ask for a wake-up, after commit. Never blocks and never raises."""
        self._asked.set()
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Send what was asked for and end the thread."""
        self._closed.set()
        self._asked.set()
        if self._thread is not None:
            self._thread.join(_LISTEN_SECONDS)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                with psycopg.connect(
                    self._dsn,
                    autocommit=True,
                    options="-c synchronous_commit=off",
                    connect_timeout=_CONNECT_SECONDS,
                ) as connection:
                    self._send_all(connection)
            except psycopg.Error as failure:
                _log.warning("wake-up-not-sent", exc_info=failure)
                self._closed.wait(_RETRY_SECONDS)

    def _send_all(self, connection: psycopg.Connection) -> None:
        while not self._closed.is_set():
            self._asked.wait()
            self._asked.clear()
            connection.execute(f"notify {CHANNEL}")
            self._closed.wait(_REST_SECONDS)  # those who ask meanwhile share the next one


class WakeListener:
    """Sets the worker's events when web has sent a wake-up."""

    def __init__(self, dsn: str, events: Iterable[threading.Event]) -> None:
        """Listen with a connection of its own, opened at the first step."""
        self._dsn = dsn
        self._events = tuple(events)
        self._connection: psycopg.Connection | None = None

    def step(self) -> bool:
        """Wait some seconds for wake-ups; return True, as there is always more to wait for."""
        try:
            connection = self._connected()
            for _ in connection.notifies(timeout=_LISTEN_SECONDS, stop_after=1):
                self._wake()
        except psycopg.Error as failure:
            _log.warning("wake-ups-not-heard", exc_info=failure)
            self.close()
            return False
        return True

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            self._connection = psycopg.connect(
                self._dsn, autocommit=True, connect_timeout=_CONNECT_SECONDS
            )
            self._connection.execute(f"listen {CHANNEL}")
            self._wake()
        return self._connection

    def _wake(self) -> None:
        for event in self._events:
            event.set()
