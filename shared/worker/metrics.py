"""What a worker counts, by Prometheus' conventions: no id of a referral, person or organization.

Topics are named without their agency. What is counted in the database is counted up to 10,000.
"""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

EVENTS_IN = Counter("wh_events_in_total", "Records applied or passed over.", ["consumer"])
EVENTS_OUT = Counter("wh_events_out_total", "Events acknowledged by the bus.", ["type"])
PARKED = Counter("wh_records_parked_total", "Records set aside.", ["consumer", "reason"])
HANDLER_SECONDS = Histogram(
    "wh_handler_seconds", "Time in the handler of an event.", ["consumer", "type"]
)
LAST_POLL = Gauge(
    "wh_consumer_last_poll_timestamp_seconds",
    "When a consumer last came back from asking for records; the bus may be away meanwhile.",
    ["consumer"],
)

LAG = Gauge("wh_consumer_lag_records", "Records not committed yet.", ["consumer", "topic"])
LAG_SECONDS = Gauge(
    "wh_consumer_lag_seconds", "Age of the oldest record not committed.", ["consumer", "topic"]
)
MEASURED = Gauge(
    "wh_last_measured_timestamp_seconds",
    "When a worker last read its gauges from its database or from the bus.",
    ["service", "source"],
)
OUTBOX_SECONDS = Gauge(
    "wh_outbox_oldest_seconds", "Age of the oldest event that the bus does not have.", ["service"]
)
OUTBOX_EVENTS = Gauge("wh_outbox_events", "Events that the bus does not have.", ["service"])
OUTBOX_REFUSED = Gauge(
    "wh_outbox_refused_events", "Events that the bus refused for good.", ["service"]
)
HELD = Gauge("wh_held_records", "Records that came before their turn.", ["consumer"])
HELD_SECONDS = Gauge(
    "wh_held_oldest_seconds", "For how long the oldest of them has been held.", ["consumer"]
)
PARKED_NOW = Gauge("wh_parked_records", "Records that are set aside now.", ["consumer", "reason"])
CLOCKS_OVERDUE = Gauge(
    "wh_clocks_overdue", "What a clock should have ended, or somebody should have done.", ["clock"]
)


@cache
def handler_seconds(consumer: str, type_: str) -> Histogram:
    """Return the handler time of one type: looking it up costs as much as a small handler."""
    return HANDLER_SECONDS.labels(consumer, type_)
