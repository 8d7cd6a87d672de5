"""Housekeeping: what has done its work and has been kept long enough goes."""

from shared.db import Pool, transaction
from shared.log import get_logger
from shared.worker.inbox import AWAY

_log = get_logger(__name__)

_AT_ONCE = 5_000
_OLD = tuple(
    f"delete from {table} where ctid = any(array("  # noqa: S608  (constants of ours)
    f"select ctid from {table} where {column} < now() - interval '{kept}' limit {_AT_ONCE}))"
    for table, column, kept in (
        ("outbox", "sent_at", "7 days"),
        ("session", "last_seen_at", "1 day"),
        ("idempotency", "created_at", "7 days"),
        ("pipeline_sample", "minute", "25 hours"),
    )
)
_PURGES = (*_OLD, "delete from repair where dry_run and asked_at < now() - interval '7 days'")


class Housekeeping:
    """Purges the base tables, some thousand rows at a time: a step never takes long."""

    def __init__(self, pool: Pool) -> None:
        """Work in the service's database."""
        self._pool = pool

    def step(self) -> bool:
        """Purge once; return True when there may be more."""
        try:
            with transaction(self._pool) as tx:
                gone = [tx.execute(purge).rowcount for purge in _PURGES]
        except AWAY as failure:
            _log.warning("housekeeping-waits", exc_info=failure)
            return False
        return max(gone) >= _AT_ONCE
