"""Waiting until nothing moves any more: no hand helps, only long waits are made short."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from services.databases import SERVICES
from services.local.settings import AGENCY
from services.topics import read_by
from shared.bus import open_bus
from shared.errors import TransientError
from tests.faults.run import Run

_STILL_SECONDS = 3.0
_STANDSTILL_SECONDS = 120.0
_LOOK_SECONDS = 1.0
_UNSENT = "select count(*) from outbox where sent_at is null and failed_at is null"
_HELD = "select count(*) from held"
_EVENTS = "select count(*) from outbox"
_PENDING = """
select count(*) from delivery where state in ('waiting', 'sending', 'failed-temporarily')
"""
# As if the time had passed: a later attempt, or the lease of a process that is no more.
_SHORTEN_WAITS = """
update delivery set next_attempt_at = now()
where state = 'failed-temporarily' and next_attempt_at > now() + interval '10 seconds'
"""
_SHORTEN_LEASES = """
update delivery set leased_until = now() where state = 'sending' and leased_until > now()
  and changed_at < to_timestamp(%s)
"""


@dataclass(slots=True)
class Settled:
    """How it ended: what still moves (nothing, if all is well) and what was made short."""

    unrest: list[str]
    seconds: float
    shortened: int = 0


def settle(run: Run) -> Settled:
    """Wait until nothing has moved for some seconds; give up on what never comes to rest."""
    begun = moved = time.monotonic()
    found, seen = Settled([], 0.0), -1
    while True:
        run.keep_servers_alive(frozenset())
        found.unrest, events = _unrest(run)
        run.say(f"settling: {events} events; {'; '.join(found.unrest)}")
        if events != seen:
            moved, seen = time.monotonic(), events
        patience = _STANDSTILL_SECONDS if found.unrest else _STILL_SECONDS
        if time.monotonic() - moved > patience:
            break
        if found.unrest and all("deliveries" in text for text in found.unrest):
            found.shortened += _shorten(run)
        time.sleep(_LOOK_SECONDS)
    found.seconds = time.monotonic() - begun
    return found


def _unrest(run: Run) -> tuple[list[str], int]:
    """Return what still moves, and how many events there have been."""
    found = [*_of_load(run)]
    events = 0
    for service in SERVICES:
        with psycopg.connect(run.system.dsn(service)) as connection:
            for what, statement in (("unsent events", _UNSENT), ("held records", _HELD)):
                if number := _count(connection, statement):
                    found.append(f"{service}: {number} {what}")
            events += _count(connection, _EVENTS)
            if service == "notifications" and (number := _count(connection, _PENDING)):
                found.append(f"{number} deliveries")
    return found or [*_of_bus(run)], events


def _of_load(run: Run) -> Iterator[str]:
    if run.load.is_submitting or run.load.has_thoughts:
        yield "referrals come in"
    if run.load.is_answering:
        yield "partners answer"


def _of_bus(run: Run) -> Iterator[str]:
    for service in SERVICES:
        reading = read_by(service, AGENCY if service == "intake" else None)
        bus = open_bus(run.system.kafka.url)
        subscription = bus.subscribe(reading.group, reading.topics, reading.patterns)
        try:
            lag = sum(behind.records for behind in subscription.lag().values())
        except TransientError:
            lag = -1
        if lag:
            yield f"{service}: {lag} records not read"


def _count(connection: psycopg.Connection, statement: str) -> int:
    row = connection.execute(statement).fetchone()
    assert row is not None
    number: int = row[0]
    return number


def _shorten(run: Run) -> int:
    started = run.system.programs["notifications-worker"].started
    with psycopg.connect(run.system.dsn("notifications")) as connection:
        waits = connection.execute(_SHORTEN_WAITS).rowcount
        return waits + connection.execute(_SHORTEN_LEASES, (started,)).rowcount
