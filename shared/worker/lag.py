"""How far a consumer is behind: measured beside it, never in its way."""

from collections.abc import Mapping
from datetime import datetime

from shared.bus import Behind, Subscription
from shared.db import Pool, now, transaction
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
        self._measured = metrics.MEASURED.labels(consumer, "bus")
        self._measured.set_to_current_time()

    def step(self) -> bool:
        """Measure once."""
        try:
            self._measure()
        except AWAY as failure:
            _log.warning("lag-unknown", consumer=self._consumer, exc_info=failure)
        return False

    def _measure(self) -> None:
        lag = self._subscription.lag()
        self._measured.set_to_current_time()
        with transaction(self._pool) as tx, tx.cursor() as cursor:
            cursor.executemany(
                _KEEP,
                [
                    (self._consumer, topic, behind.records, behind.oldest)
                    for topic, behind in sorted(lag.items())
                ],
            )
            self._set(lag, now(tx))

    def _set(self, lag: Mapping[str, Behind], moment: datetime) -> None:
        """Set the gauges, the agencies of a topic taken together."""
        records: dict[str, int] = {}
        seconds: dict[str, float] = {}
        for topic, behind in lag.items():
            stem = _without_agency(topic)
            age = (moment - behind.oldest).total_seconds() if behind.oldest else 0.0
            records[stem] = records.get(stem, 0) + behind.records
            seconds[stem] = max(seconds.get(stem, 0.0), age)
        for stem, count in records.items():
            metrics.LAG.labels(self._consumer, stem).set(count)
            metrics.LAG_SECONDS.labels(self._consumer, stem).set(seconds[stem])


def _without_agency(topic: str) -> str:
    return ".".join(topic.split(".")[:2])


_KEEP = """
insert into consumer_lag (consumer, topic, records, behind_since)
values (%s, %s, %s, coalesce(%s, now()))
on conflict (consumer, topic) do update
set records = excluded.records, behind_since = excluded.behind_since, measured_at = now()
"""
