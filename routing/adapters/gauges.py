"""What routing's worker measures of its database: offers and clocks, never whose."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import REGISTRY, Gauge, Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from shared.worker import Measure
from shared.worker.metrics import CLOCKS_OVERDUE, EVENTS_OUT

OFFERS: Final = Gauge("wh_offers", "Offers that wait for an answer or were accepted.", ["state"])

_ENDS: Final = {
    EVENTS_OUT.labels(f"routing.referral.{verb}.v1"): state
    for verb, state in (
        ("declined", "declined"),
        ("offer-expired", "expired"),
        ("cancelled", "cancelled"),
        ("closed", "closed"),
    )
}


class OffersEnded(Collector):
    """Offers by the state that they ended in: each end is told once, by an event that leaves."""

    def collect(self) -> Iterator[Metric]:
        """Give the events that have left."""
        ended = CounterMetricFamily("wh_offers_ended", "Offers that ended.", labels=["state"])
        for left, state in _ENDS.items():
            (count, *_) = (s.value for m in left.collect() for s in m.samples)
            ended.add_metric([state], count)
        yield ended


REGISTRY.register(OffersEnded())

_OFFERS = """
select state, count(*) as value from (
  select state from offer where state in ('offered', 'accepted')
  order by referral_id limit %(most)s) o
group by state
"""
_CLOCKS = """
select 'answer' as clock, count(*) as value from (
  select from offer where state = 'offered' and answer_by <= now()
  order by answer_by limit %(most)s) a
union all
select 'first-contact', count(*) from (
  select from offer
  where state = 'accepted' and contacted_at is null and first_contact_by <= now()
  order by first_contact_by limit %(most)s) c
union all
select 'confirm-stop', count(*) from (
  select from offer
  where confirm_by is not null and stop_confirmed_at is null and confirm_by <= now()
  order by confirm_by limit %(most)s) s
union all
select 'place', count(*) from (
  select from referral where state = 'waiting-for-place' and place_by <= now()
  limit %(most)s) p
"""
MEASURES: Final = (
    Measure(OFFERS, ("state",), _OFFERS),
    Measure(CLOCKS_OVERDUE, ("clock",), _CLOCKS),
)
