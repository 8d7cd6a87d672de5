"""The numbers of a pipeline: waiting to leave, to be read, for an earlier event, parked."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
import psycopg_pool
import requests
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from shared.db.pool import Pool, Tx, transaction
from shared.log import get_logger

_SILENT: Final = timedelta(minutes=2)
_LONG: Final = timedelta(minutes=2)
_WAITING: Final = "wh_pipeline_waiting"
_OLDEST: Final = "wh_pipeline_oldest_timestamp_seconds"
_SEEN: Final = "wh_pipeline_worker_seen_timestamp_seconds"
_PATIENCE: Final = (0.5, 1.5)
"""Seconds to connect to another service, and to wait for its answer."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait, and since when the oldest does."""

    count: int
    since: datetime | None

    def is_long(self, now: datetime) -> bool:
        """Tell whether the oldest has waited for longer than flowing takes."""
        return self.since is not None and now - self.since > _LONG


@dataclass(frozen=True, slots=True)
class Numbers:
    """What waits where, and when the service's worker was last seen at work."""

    leaving: Waiting
    reading: Waiting
    held: Waiting
    parked: Waiting
    worker_seen: datetime | None

    def is_silent(self, now: datetime) -> bool:
        """Tell whether the worker has to be looked after."""
        return self.worker_seen is None or now - self.worker_seen > _SILENT

    def is_stuck(self, now: datetime) -> bool:
        """Tell whether something has waited for long that should flow by itself."""
        return any(one.is_long(now) for one in (self.leaving, self.reading, self.held))


def read_numbers(tx: Tx) -> Numbers:
    """Return the numbers of the moment."""
    row = tx.execute(_NUMBERS).fetchone() or {}
    kinds = {kind: Waiting(row[kind], row[f"{kind}_since"]) for kind in _KINDS}
    return Numbers(**kinds, worker_seen=row["worker_seen"])


class PipelineNumbers(Collector):
    """Gives the numbers to a scraper, so that they are there while the worker is not."""

    def __init__(self, pool: Pool) -> None:
        """Read this service's database at each scrape."""
        self._pool = pool

    def describe(self) -> list[Metric]:
        """Name nothing: it would read the database when the app is built."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give the numbers, or none while the database is away."""
        try:
            with transaction(self._pool) as tx:
                numbers = read_numbers(tx)
        except (psycopg.Error, psycopg_pool.PoolTimeout) as failure:
            _log.warning("numbers-unknown", exc_info=failure)
            return
        waiting = GaugeMetricFamily(_WAITING, "Records that wait", labels=["where"])
        oldest = GaugeMetricFamily(_OLDEST, "Since when the oldest waits", labels=["where"])
        for kind in _KINDS:
            found: Waiting = getattr(numbers, kind)
            waiting.add_metric([kind], found.count)
            if found.since is not None:
                oldest.add_metric([kind], found.since.timestamp())
        yield waiting
        yield oldest
        seen = numbers.worker_seen
        if seen is not None:
            yield GaugeMetricFamily(_SEEN, "When the worker was at work", seen.timestamp())


def fetch_numbers(address: str) -> Numbers | None:
    """Return the numbers of another service's web process, or None where it cannot be reached.

    `address` is the one inside the network.
    """
    try:
        answer = requests.get(f"{address}/metrics", timeout=_PATIENCE, allow_redirects=False)
        answer.raise_for_status()
        return _parse(answer.text)
    except (requests.RequestException, KeyError, ValueError) as failure:
        _log.warning("service-not-reached", exc_info=failure)
        return None


def _parse(text: str) -> Numbers:
    found = {
        (sample.name, sample.labels.get("where")): sample.value
        for metric in text_string_to_metric_families(text)
        for sample in metric.samples
    }

    def moment(name: str, kind: str | None = None) -> datetime | None:
        value = found.get((name, kind))
        return None if value is None else datetime.fromtimestamp(value, UTC)

    kinds = {k: Waiting(int(found[_WAITING, k]), moment(_OLDEST, k)) for k in _KINDS}
    return Numbers(**kinds, worker_seen=moment(_SEEN))


_KINDS: Final = ("leaving", "reading", "held", "parked")
_NUMBERS: Final = """
select l.count as leaving, l.since as leaving_since, r.count as reading, r.since as reading_since,
  h.count as held, h.since as held_since, p.count as parked, p.since as parked_since,
  (select max(minute) from pipeline_sample) as worker_seen
from
  (select count(*), min(created_at) as since from (
    select created_at from outbox where sent_at is null and failed_at is null
    union all select created_at from outbox where failed_at is not null) o) l,
  (select coalesce(sum(records), 0)::bigint as count,
    min(behind_since) filter (where records > 0) as since from consumer_lag) r,
  (select count(*), min(held_at) as since from held) h,
  (select count(*), min(first_at) as since from parked where closed_at is null) p
"""
