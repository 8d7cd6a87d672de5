"""PostgreSQL: pools and transactions, the outbox, positions in streams, members, wake-ups."""

from shared.db.pool import (
    AWAY,
    Pool,
    Tx,
    hear,
    now,
    open_pool,
    pipelined,
    statements,
    together,
    transaction,
)

__all__ = [
    "AWAY",
    "Pool",
    "Tx",
    "hear",
    "now",
    "open_pool",
    "pipelined",
    "statements",
    "together",
    "transaction",
]
