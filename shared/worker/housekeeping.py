"""Housekeeping: what has done its work and has been kept long enough goes."""

from shared.db import Pool, transaction
from shared.log import get_logger
from shared.worker.inbox import AWAY

_log = get_logger(__name__)

_PURGES = (
    "delete from outbox where sent_at < now() - interval '7 days'",
    "delete from session where last_seen_at < now() - interval '1 day'",
    "delete from idempotency where created_at < now() - interval '7 days'",
)


class Housekeeping:
    """Purges the base tables; run it every few minutes."""

    def __init__(self, pool: Pool) -> None:
        """Work in the service's database."""
        self._pool = pool

    def step(self) -> bool:
        """Purge once."""
        try:
            with transaction(self._pool) as tx:
                for purge in _PURGES:
                    tx.execute(purge)
        except AWAY as failure:
            _log.warning("housekeeping-waits", exc_info=failure)
        return False
