"""What a worker counts, by Prometheus' conventions."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS_IN = Counter("wh_events_in_total", "Records applied or passed over.", ["consumer"])
EVENTS_OUT = Counter("wh_events_out_total", "Events acknowledged by the bus.", ["type"])
PARKED = Counter("wh_records_parked_total", "Records set aside.", ["consumer", "reason"])
LAG = Gauge("wh_consumer_lag_records", "Records not read yet.", ["consumer", "topic"])
HANDLER_SECONDS = Histogram(
    "wh_handler_seconds", "Time in the handler of an event.", ["consumer", "type"]
)
