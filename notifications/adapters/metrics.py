"""What notifications' worker counts and measures, by channel: no endpoint, no organization."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from notifications.domain.attempts import State
from shared.contracts.codes import DELIVERY_CHANNELS
from shared.worker import Measure

ATTEMPTS: Final = Counter(
    "wh_delivery_attempts_total",
    "Attempts at deliveries by what came of them.",
    ["channel", "verdict"],
)
SECONDS: Final = Histogram("wh_delivery_attempt_seconds", "Time of one attempt.", ["channel"])
ENDED: Final = Counter(
    "wh_deliveries_ended_total",
    "Deliveries that arrived, were given up or were stopped.",
    ["channel", "state"],
)
for _channel in DELIVERY_CHANNELS:  # there from the start: a first increase is seen as one
    for _state in (State.DELIVERED, State.EXHAUSTED, State.STOPPED):
        ENDED.labels(_channel, _state)

_PENDING: Final = Gauge(
    "wh_deliveries", "Deliveries that are not at their end.", ["channel", "state"]
)
_DUE: Final = Gauge(
    "wh_deliveries_oldest_due_seconds", "For how long the oldest has been due.", ["channel"]
)
_DISABLED: Final = Gauge(
    "wh_endpoints_disabled", "Endpoints that said that they are gone.", ["channel"]
)

_COUNT_PENDING = """
select c.channel, d.state, count(*) as value from (
  select state, endpoint_id from delivery
  where state in ('waiting', 'sending', 'failed-temporarily')
  order by endpoint_id, next_attempt_at limit %(most)s) d
join contact_point c using (endpoint_id) group by c.channel, d.state
"""
_OLDEST_DUE = """
select c.channel, coalesce(extract(epoch from now() - min(d.next_attempt_at)), 0) as value
from contact_point c left join lateral (
  select next_attempt_at from delivery
  where endpoint_id = c.endpoint_id and state in ('waiting', 'sending', 'failed-temporarily')
    and next_attempt_at <= now() and (leased_until is null or leased_until <= now())
  order by next_attempt_at limit 1) d on true
where c.active and c.disabled_at is null group by c.channel
"""
_COUNT_DISABLED = """
select channel, count(*) as value from contact_point
where active and disabled_at is not null group by channel
"""
MEASURES: Final = (
    Measure(_PENDING, ("channel", "state"), _COUNT_PENDING),
    Measure(_DUE, ("channel",), _OLDEST_DUE),
    Measure(_DISABLED, ("channel",), _COUNT_DISABLED),
)
