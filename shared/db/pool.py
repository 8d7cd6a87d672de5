"""Connections and transactions."""

import select
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout


class TooMuch(psycopg.DataError):
    """A statement is more than the database can ever do (SQLSTATE 54...): no use to try again."""


class _Connection(psycopg.Connection[dict[str, Any]]):
    """Tells what psycopg counts as the database's trouble, and is the statement's, as that."""

    def wait(self, *waited: Any, **how: Any) -> Any:  # noqa: ANN401  (psycopg's own)
        """Wait for an answer."""
        try:
            return super().wait(*waited, **how)
        except psycopg.errors.ProgramLimitExceeded as failure:
            raise TooMuch(str(failure)) from None


Tx = psycopg.Connection[dict[str, Any]]
"""A connection inside a transaction; its rows are dicts."""

Pool = ConnectionPool[Tx]

AWAY = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.IdleInTransactionSessionTimeout,  # the process stood still, and was cut off
    PoolTimeout,
)
"""The database is away, or has cut the connection: tried again, it may go well."""


def open_pool(
    dsn: str, *, name: str, size: int = 4, wait_seconds: float = 5.0, autocommit: bool = False
) -> Pool:
    """Return an open pool of up to `size` connections, filled as they are asked for.

    A connection is waited for `wait_seconds`, then psycopg_pool.PoolTimeout is raised. With
    `autocommit` each statement is a transaction: for users whose every transaction is one.
    """
    return ConnectionPool(
        dsn,
        connection_class=_Connection,
        kwargs={
            "row_factory": dict_row,
            "autocommit": autocommit,
            "prepare_threshold": 2,
            "options": "-c timezone=UTC -c idle_in_transaction_session_timeout=60s",
            "application_name": name,
        },
        min_size=1,
        max_size=size,
        timeout=wait_seconds,
        reconnect_timeout=2,
        check=_check_rested,
        name=name,
        open=True,
    )


def _check_rested(connection: Tx) -> None:
    """Refuse a connection that was cut while it rested, without a round trip to ask.

    The server has nothing to say to one that rests, but that it closes it: so a restarted
    database costs nobody a request.
    """
    said = select.poll()
    said.register(connection.fileno(), select.POLLIN)
    if said.poll(0):
        connection.close()  # else the pool takes it for a whole one, and offers it for ever
        raise psycopg.OperationalError("the connection was cut while it rested")


@contextmanager
def transaction(pool: Pool) -> Iterator[Tx]:
    """Give a transaction that commits at the end of the block and rolls back on an exception."""
    with pool.connection() as connection:
        yield connection


@contextmanager
def statements(pool: Pool) -> Iterator[Tx]:
    """Give a connection on which each statement is a transaction that commits by itself.

    For a user who writes with one statement: no round trip begins or ends what it does.
    """
    with pool.connection() as connection:
        connection.set_autocommit(True)
        try:
            yield connection
        finally:
            if not connection.closed:
                connection.set_autocommit(False)


@contextmanager
def pipelined(pool: Pool) -> Iterator[Tx]:
    """Give such a transaction that waits only where an answer is looked at, and for its commit.

    What fails is raised at the next answer that is looked at, or at the end. How many rows a
    statement wrote is not known before its rows are fetched: `rowcount` does not wait.
    """
    with pool.connection() as connection:
        # psycopg's own begin and commit, and those of connection.transaction(), are waited for.
        connection.set_autocommit(True)
        try:
            with connection.pipeline():
                connection.execute("begin")
                yield connection
                connection.execute("commit")
        except psycopg.errors.PipelineAborted as aborted:
            # Only what followed the fault; taken for it, the database would seem to be away.
            if isinstance(aborted.__context__, psycopg.Error):
                raise aborted.__context__ from None
            raise
        finally:
            if not connection.closed:
                connection.rollback()  # nothing, if it has committed
                connection.set_autocommit(False)


def hear(tx: Tx) -> None:
    """Wait for the answers to all that was sent: a fault of any of it is raised here.

    In `pipelined`, psycopg does not know before that a transaction has begun: it is to be called
    before the part of one that `tx.transaction()` takes back alone, and at the end of that part.
    """
    with tx.pipeline() as pipeline:
        pipeline.sync()


def together(tx: Tx) -> AbstractContextManager[object]:
    """Send the statements of a block without waiting for each; in `pipelined`, for none."""
    return nullcontext() if tx.pgconn.pipeline_status else tx.pipeline()


def now(tx: Tx) -> datetime:
    """Return the time of the database transaction: the only clock that rules go by."""
    row = tx.execute("select now() as now").fetchone()
    assert row is not None  # noqa: S101  (a select without from always gives a row)
    moment: datetime = row["now"]
    return moment.astimezone(UTC)
