"""What the dispatcher counts, by channel: no endpoint and no organization."""

from prometheus_client import Counter, Histogram

ATTEMPTS = Counter(
    "wh_delivery_attempts_total",
    "Attempts at deliveries by what came of them.",
    ["channel", "verdict"],
)
SECONDS = Histogram("wh_delivery_attempt_seconds", "Time of one attempt.", ["channel"])
