"""Gauges that are read from the database: beside the work, bounded, each by an index."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import Gauge

from shared.db import Pool, transaction
from shared.log import get_logger
from shared.worker import metrics
from shared.worker.inbox import AWAY

MOST: Final = 10_000
"""A count ends here: a gauge must not cost more, the more waits."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Measure:
    """A gauge, and the query of its values: a column for each label, and `value`.

    The query may use the parameters `service` and `most`.
    """

    gauge: Gauge
    labels: tuple[str, ...]
    query: str


class Gauges:
    """Sets the gauges of a service's database; run it every few seconds."""

    def __init__(self, service: str, pool: Pool, measures: Sequence[Measure]) -> None:
        """Measure what every service has, and its own `measures`."""
        self._pool = pool
        self._measures = (*_MEASURES, *measures)
        self._values = {"service": service, "most": MOST}
        self._seen: dict[Gauge, set[tuple[str, ...]]] = {}
        self._measured = metrics.MEASURED.labels(service, "database")
        self._measured.set_to_current_time()

    def step(self) -> bool:
        """Measure once."""
        try:
            with transaction(self._pool) as tx:
                tx.execute("set local statement_timeout = '5s'")
                found = [
                    (measure, tx.execute(measure.query, self._values).fetchall())
                    for measure in self._measures
                ]
        except AWAY as failure:
            _log.warning("not-measured", exc_info=failure)
            return False
        for measure, rows in found:
            self._set(measure, rows)
        self._measured.set_to_current_time()
        return False

    def _set(self, measure: Measure, rows: Sequence[dict[str, Any]]) -> None:
        """Set the values found; what was there before and is not any more is 0."""
        values = {tuple(row[label] for label in measure.labels): row["value"] for row in rows}
        seen = self._seen.setdefault(measure.gauge, set())
        seen.update(values)
        for labels in seen:
            measure.gauge.labels(*labels).set(values.get(labels, 0))


_OUTBOX_SECONDS = """
select %(service)s as service, coalesce((
  select greatest(0, extract(epoch from now() - created_at)) from outbox
  where sent_at is null and failed_at is null order by id limit 1), 0) as value
"""
_OUTBOX_EVENTS = """
select %(service)s as service, count(*) as value from (
  select from outbox where sent_at is null and failed_at is null order by id limit %(most)s) o
"""
_OUTBOX_REFUSED = """
select %(service)s as service, count(*) as value from (
  select from outbox where failed_at is not null order by topic, key limit %(most)s) o
"""
_HELD = """
select %(service)s as consumer, count(*) as value from (select from held limit %(most)s) h
"""
_HELD_SECONDS = """
select %(service)s as consumer,
  coalesce(extract(epoch from now() - min(held_at)), 0) as value
from (select held_at from held limit %(most)s) h
"""
_PARKED = """
select %(service)s as consumer, reason, count(*) as value from (
  select reason from parked where closed_at is null order by last_at limit %(most)s) p
group by reason
"""
_MEASURES = (
    Measure(metrics.OUTBOX_SECONDS, ("service",), _OUTBOX_SECONDS),
    Measure(metrics.OUTBOX_EVENTS, ("service",), _OUTBOX_EVENTS),
    Measure(metrics.OUTBOX_REFUSED, ("service",), _OUTBOX_REFUSED),
    Measure(metrics.HELD, ("consumer",), _HELD),
    Measure(metrics.HELD_SECONDS, ("consumer",), _HELD_SECONDS),
    Measure(metrics.PARKED_NOW, ("consumer", "reason"), _PARKED),
)
