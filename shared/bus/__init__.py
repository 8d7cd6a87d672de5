"""The bus: one port, two engines. No other code knows which one it is on."""

from shared.bus.port import (
    Bus,
    Message,
    Producer,
    Record,
    SendFailed,
    Subscription,
    TopicSpec,
)

__all__ = ["Bus", "Message", "Producer", "Record", "SendFailed", "Subscription", "TopicSpec"]
