"""PostgreSQL: pools and transactions, the outbox, positions in streams, members, wake-ups."""

from shared.db.pool import (
    AWAY,
    Pool,
    Tx,
    now,
    open_pool,
    pipelined,
    savepoint,
    statements,
    together,
    transaction,
)

__all__ = [
    "AWAY",
    "Pool",
    "Tx",
    "now",
    "open_pool",
    "pipelined",
    "savepoint",
    "statements",
    "together",
    "transaction",
]
