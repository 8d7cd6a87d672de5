"""The pipeline's numbers of each minute, for the charts of the operator's page."""

from shared.db import Pool, transaction
from shared.log import get_logger
from shared.worker import metrics
from shared.worker.inbox import AWAY

_log = get_logger(__name__)


class Samples:
    """Writes what flowed and what waited in the minute at hand; run it some times a minute.

    What waited is the most that was seen in the minute. Workers of one service add up.
    """

    def __init__(self, consumer: str, pool: Pool) -> None:
        """Begin to count what the consumer reads from now on."""
        self._consumer = consumer
        self._pool = pool
        self._counted = self._read()

    def step(self) -> bool:
        """Write once."""
        read = self._read()
        try:
            with transaction(self._pool) as tx:
                tx.execute(_KEEP, (read - self._counted,))
                tx.execute(_END_MINUTE)
        except AWAY as failure:
            _log.warning("sample-not-kept", exc_info=failure)
        else:
            self._counted = read
        return False

    def _read(self) -> int:
        """Return how many records this process has read since it began."""
        found = (sample for metric in metrics.EVENTS_IN.collect() for sample in metric.samples)
        return sum(
            int(sample.value)
            for sample in found
            if sample.name.endswith("_total") and sample.labels["consumer"] == self._consumer
        )


_KEEP = """
insert into pipeline_sample as s (minute, events_in, events_out, leaving, reading, held, parked)
select date_trunc('minute', now()), %s,
  (select count(*) from outbox where sent_at >= date_trunc('minute', now())),
  (select count(*) from outbox where sent_at is null and failed_at is null)
    + (select count(*) from outbox where failed_at is not null),
  (select coalesce(sum(records), 0) from consumer_lag),
  (select count(*) from held),
  (select count(*) from parked where closed_at is null)
on conflict (minute) do update
set events_in = s.events_in + excluded.events_in, events_out = excluded.events_out,
  leaving = greatest(s.leaving, excluded.leaving), reading = greatest(s.reading, excluded.reading),
  held = greatest(s.held, excluded.held), parked = greatest(s.parked, excluded.parked)
"""
# What left after the last look of the minute before.
_END_MINUTE = """
update pipeline_sample set events_out = (
  select count(*) from outbox where sent_at >= minute and sent_at < minute + interval '1 minute')
where minute = date_trunc('minute', now()) - interval '1 minute'
"""
