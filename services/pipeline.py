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
    own: Sequence[Loop],
    relay_wake: threading.Event,
    *,
    measures: Sequence[Measure] = (),
) -> list[Loop]:
    """Return the service's own loops with relay, consumer, repairs, wake-ups and housekeeping.

    `measures` are the service's own gauges.

    They wake each other after a commit, and web wakes them all; an own loop that has written
    events sets `relay_wake`.
    """
    name, bus = inbox.consumer, bus_of(settings)
    relay = Relay(settings.database, bus.producer(f"{reading.group}-relay"))
    relaying = Loop(f"{name}-relay", relay.step, relay_wake, close=relay.close)
    wake = _waking([relaying, *own])
    subscription = bus.subscribe(reading.group, reading.topics, reading.patterns)
    consumer = Consumer(inbox, subscription, wake)
    repairing = Loop(f"{name}-repairs", Repairs(inbox, wake).step)
    woken = [relaying, repairing, *own]
    listener = WakeListener(settings.database, [loop.wake for loop in woken])
    consuming = Loop(f"{name}-consumer", consumer.step, close=consumer.close)
    listening = Loop(f"{name}-wake-ups", listener.step, close=listener.close)
    keeping = Housekeeping(inbox.pool)
    tidying = Loop(f"{name}-housekeeping", keeping.step, pause=_HOUSEKEEPING_SECONDS)
    lag = Lag(name, subscription, inbox.pool)
    measuring = Loop(f"{name}-lag", lag.step, pause=_LAG_SECONDS)
    samples = Samples(name, inbox.pool)
    sampling = Loop(f"{name}-samples", samples.step, pause=_SAMPLES_SECONDS)
    gauges = Gauges(name, inbox.pool, measures)
    gauging = Loop(f"{name}-gauges", gauges.step, pause=_GAUGES_SECONDS)
    return [*woken, consuming, listening, tidying, measuring, sampling, gauging]


def _waking(loops: Sequence[Loop]) -> Callable[[], None]:
    def wake() -> None:
        for loop in loops:
            loop.wake.set()

    return wake
