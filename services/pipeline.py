"""The loops that every worker runs around its service's own."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from services.topics import Reading
from shared.bus import Bus, open_bus
from shared.config import WorkerSettings
from shared.db.wake import WakeListener
from shared.worker import (
    Consumer,
    Gauges,
    Housekeeping,
    Inbox,
    Lag,
    Loop,
    Measure,
    Relay,
    Repairs,
    Samples,
)

_HOUSEKEEPING_SECONDS = 20.0
_LAG_SECONDS = 5.0
_SAMPLES_SECONDS = 20.0
_GAUGES_SECONDS = 10.0


def bus_of(settings: WorkerSettings) -> Bus:
    """Return the bus that the settings name."""
    return open_bus(
        settings.bus,
        user=settings.bus_user,
        password=settings.bus_password,
        ca=settings.bus_ca,
    )


def pipeline(  # noqa: PLR0913  (what a worker is made of)
    settings: WorkerSettings,
    inbox: Inbox[Any],
    reading: Reading,
    *,
    relay_wake: threading.Event,
    after_batch: Sequence[threading.Event] = (),
    measures: Sequence[Measure] = (),
) -> list[Loop]:
    """Return the loops of relay, consumer, repairs, wake-ups and housekeeping.

    A batch of events that is applied sets `after_batch`: what has work from it, and nothing else,
    as whoever is woken asks the database. Web's wake-ups set these and `relay_wake`, which the
    service's own loops set once they have written events. `measures` are the service's own gauges.
    """
    name, bus = inbox.consumer, bus_of(settings)
    woken = {relay_wake, *after_batch}
    relay = Relay(settings.database, bus.producer(f"{reading.group}-relay"))
    relaying = Loop(f"{name}-relay", relay.step, relay_wake, close=relay.close)
    subscription = bus.subscribe(reading.group, reading.topics, reading.patterns)
    consumer = Consumer(inbox, subscription, _setting(after_batch))
    consuming = Loop(f"{name}-consumer", consumer.step, close=consumer.close)
    repairing = Loop(f"{name}-repairs", Repairs(inbox, _setting(after_batch)).step)
    listener = WakeListener(settings.database, woken)
    listening = Loop(f"{name}-wake-ups", listener.step, close=listener.close)
    keeping = Housekeeping(inbox.pool)
    tidying = Loop(f"{name}-housekeeping", keeping.step, pause=_HOUSEKEEPING_SECONDS)
    lag = Lag(name, subscription, inbox.pool)
    measuring = Loop(f"{name}-lag", lag.step, pause=_LAG_SECONDS)
    samples = Samples(name, inbox.pool)
    sampling = Loop(f"{name}-samples", samples.step, pause=_SAMPLES_SECONDS)
    gauges = Gauges(name, inbox.pool, measures)
    gauging = Loop(f"{name}-gauges", gauges.step, pause=_GAUGES_SECONDS)
    return [
        relaying,
        consuming,
        repairing,
        listening,
        tidying,
        measuring,
        sampling,
        gauging,
    ]


def _setting(events: Sequence[threading.Event]) -> Callable[[], None]:
    def set_all() -> None:
        for event in events:
            event.set()

    return set_all
