"""How far a consumer is behind: measured beside it, never in its way."""

from shared.bus import Subscription
from shared.db import Pool, transaction
from shared.log import get_logger
from shared.worker import metrics
from shared.worker.inbox import AWAY

_log = get_logger(__name__)


class Lag:
    """Writes a consumer's lag for the operator's page and for Prometheus."""

    def __init__(self, consumer: str, subscription: Subscription, pool: Pool) -> None:
        """Measure the group that the subscription belongs to."""
        self._consumer = consumer
        self._subscription = subscription
        self._pool = pool

    def step(self) -> bool:
        """Measure once."""
        try:
            self._measure()
        except AWAY as failure:
            _log.warning("lag-unknown", consumer=self._consumer, exc_info=failure)
        return False

    def _measure(self) -> None:
        lag = self._subscription.lag()
        with transaction(self._pool) as tx, tx.cursor() as cursor:
            cursor.executemany(
                _KEEP, [(self._consumer, topic, records) for topic, records in sorted(lag.items())]
            )
        for topic, records in lag.items():
            metrics.LAG.labels(self._consumer, topic).set(records)


_KEEP = """
insert into consumer_lag as l (consumer, topic, records, behind_since)
values (%s, %s, %s, now())
on conflict (consumer, topic) do update
set records = excluded.records, measured_at = now(),
  behind_since = case when l.records > 0 then l.behind_since else now() end
"""
