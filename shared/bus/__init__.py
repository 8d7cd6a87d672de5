"""The bus behind one port: Kafka in production, PostgreSQL for a demo or one small office.

Both deliver at least once and in order for each key within a topic; nothing more is promised.
"""

from shared.bus.open import open_bus
from shared.bus.port import (
    LARGEST_VALUE,
    Behind,
    Bus,
    Message,
    Producer,
    Record,
    SendFailed,
    Subscription,
    TopicSpec,
)

__all__ = [
    "LARGEST_VALUE",
    "Behind",
    "Bus",
    "Message",
    "Producer",
    "Record",
    "SendFailed",
    "Subscription",
    "TopicSpec",
    "open_bus",
]
