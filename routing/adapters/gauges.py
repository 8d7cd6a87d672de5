"""What routing's worker measures of its database: offers and clocks, never whose."""

from typing import Final

from prometheus_client import Gauge

from shared.worker import Measure
from shared.worker.metrics import CLOCKS_OVERDUE

OFFERS: Final = Gauge("wh_offers", "Offers that wait for an answer or were accepted.", ["state"])

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
"""
MEASURES: Final = (
    Measure(OFFERS, ("state",), _OFFERS),
    Measure(CLOCKS_OVERDUE, ("clock",), _CLOCKS),
)
