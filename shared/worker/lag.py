"""How far a consumer is behind: measured beside it, never in its way."""

from collections.abc import Iterable, Mapping
from typing import Any

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
        self._topics: set[str] = set()
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
        values = {
            "consumer": self._consumer,
            "topics": list(lag),
            "records": [behind.records for behind in lag.values()],
            "oldest": [behind.oldest for behind in lag.values()],
        }
        with transaction(self._pool) as tx:
            tx.execute(_FORGET, values)
            rows = tx.execute(_KEEP, values).fetchall()
        self._set(rows)

    def _set(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Set the gauges, the agencies of a topic taken together."""
        records: dict[str, int] = {}
        seconds: dict[str, float] = {}
        for row in rows:
            stem = _without_agency(row["topic"])
            records[stem] = records.get(stem, 0) + row["records"]
            seconds[stem] = max(seconds.get(stem, 0.0), row["seconds"])
        for stem, count in records.items():
            metrics.LAG.labels(self._consumer, stem).set(count)
            metrics.LAG_SECONDS.labels(self._consumer, stem).set(seconds[stem])
        for gone in self._topics - records.keys():
            metrics.LAG.remove(self._consumer, gone)
            metrics.LAG_SECONDS.remove(self._consumer, gone)
        self._topics = set(records)


def _without_agency(topic: str) -> str:
    return ".".join(topic.split(".")[:2])


_FORGET = "delete from consumer_lag where consumer = %(consumer)s and topic <> all(%(topics)s)"
# What is behind and was not told its age is as old as it was known to be.
_KEEP = """
insert into consumer_lag (consumer, topic, records, behind_since)
select %(consumer)s, topic, records, case when records > 0 then coalesce(oldest, (
  select behind_since from consumer_lag k
  where k.consumer = %(consumer)s and k.topic = found.topic and k.records > 0), now()) end
from unnest(%(topics)s::text[], %(records)s::bigint[], %(oldest)s::timestamptz[])
  as found (topic, records, oldest)
on conflict (consumer, topic) do update
set records = excluded.records, behind_since = excluded.behind_since, measured_at = now()
returning topic, records,
  coalesce(greatest(0, extract(epoch from now() - behind_since)), 0)::float as seconds
"""
